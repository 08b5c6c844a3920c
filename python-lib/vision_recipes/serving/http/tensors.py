"""Tensors of the Open Inference Protocol, in JSON and as binary data behind it."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain
from math import prod
from typing import Any

import numpy as np

from vision_recipes.serving.http.answers import Refused
from vision_recipes.serving.http.posted import decoded

TYPES = {
    **{f"INT{8 * size}": f"<i{size}" for size in (1, 2, 4, 8)},
    **{f"UINT{8 * size}": f"<u{size}" for size in (1, 2, 4, 8)},
    "FP16": "<f2",
    "FP32": "<f4",
    "FP64": "<f8",
    "BOOL": "|b1",
}
"""The data types of tensors by their names in the protocol, little-endian as its binary form has them."""


@dataclass(frozen=True)
class Tensor:
    """An input: `data` is its list in JSON, flat or nested, or its bytes in the binary form."""

    name: str
    datatype: str
    shape: tuple[int, ...]
    data: list[Any] | memoryview

    def array(self) -> np.ndarray:
        """Return the numbers in the tensor's shape; raises Refused when there are not as many, or others."""
        kind = TYPES.get(self.datatype)
        if kind is None:
            raise Refused(400, f"input {self.name!r}: the datatype {self.datatype[:20]!r} is not one of {_names()}")
        try:
            if isinstance(self.data, memoryview):
                return np.frombuffer(self.data, kind).reshape(self.shape)
            found = np.array(self.data)
            if found.dtype.kind not in "iufb" or not np.array_equal(found.astype(kind), found):
                raise ValueError("some values are not of its datatype")
            return found.astype(kind).reshape(self.shape)
        except (ValueError, OverflowError, TypeError) as err:
            raise Refused(
                400, f"input {self.name!r}: the data do not fit {self.datatype} {list(self.shape)} ({str(err)[:200]})"
            ) from err

    def contents(self) -> list[bytes]:
        """Return the elements of a tensor of BYTES; in JSON they are base64."""
        found = list(_elements(self.data, self.name)) if isinstance(self.data, memoryview) else self._decoded()
        if len(found) != prod(self.shape):
            raise Refused(400, f"input {self.name!r} holds {len(found)} elements, its shape says {prod(self.shape)}")
        return found

    def texts(self) -> list[Any]:
        """Return the elements of a column: text of BYTES, numbers of the others."""
        if self.datatype != "BYTES":
            return self.array().reshape(-1).tolist()
        if isinstance(self.data, memoryview):
            return [content.decode("utf-8", "replace") for content in self.contents()]
        return _flat(self.data)

    def _decoded(self) -> list[bytes]:
        return [decoded(text, f"input {self.name!r}, element {place}") for place, text in enumerate(_flat(self.data))]


def read_inputs(given: Any, binary: memoryview) -> list[Tensor]:
    """Return the input tensors of a request; `binary` is what follows its JSON. Raises Refused."""
    if not isinstance(given, list) or not all(isinstance(one, dict) for one in given):
        raise Refused(400, '"inputs" is missing or no list of tensors')
    found = []
    for one in given:
        name, datatype, shape = one.get("name"), one.get("datatype"), one.get("shape")
        if not isinstance(name, str) or not isinstance(datatype, str):
            raise Refused(400, "an input lacks its name or its datatype")
        if not isinstance(shape, list) or not all(type(side) is int and 0 <= side < 1 << 31 for side in shape):
            raise Refused(400, f"input {name[:100]!r}: the shape {str(shape)[:100]} is no list of sizes")
        parameters = one.get("parameters")
        size = parameters.get("binary_data_size") if isinstance(parameters, dict) else None
        data: Any = one.get("data")
        if size is not None:
            if type(size) is not int or not 0 <= size <= len(binary):
                raise Refused(400, f"input {name[:100]!r}: binary_data_size {size!r} is not what follows the JSON")
            data, binary = binary[:size], binary[size:]
        elif not isinstance(data, list):
            raise Refused(400, f"input {name[:100]!r} has no list of data and no binary_data_size")
        found.append(Tensor(name[:100], datatype, tuple(shape), data))
    if binary:
        raise Refused(400, f"{len(binary)} bytes behind the JSON belong to no input")
    return found


def write_output(name: str, datatype: str, values: Sequence[str] | np.ndarray, binary: bool) -> tuple[dict, bytes]:
    """Return the JSON of an output tensor, and its bytes when it is to be binary."""
    shape = list(values.shape) if isinstance(values, np.ndarray) else [len(values)]
    tensor: dict[str, Any] = {"name": name, "datatype": datatype, "shape": shape}
    if not binary:
        return tensor | {"data": values.reshape(-1).tolist() if isinstance(values, np.ndarray) else list(values)}, b""
    if isinstance(values, np.ndarray):
        content = values.astype(TYPES[datatype]).tobytes()
    else:
        encoded = [value.encode("utf-8", "replace") for value in values]
        content = b"".join(struct.pack("<I", len(value)) + value for value in encoded)
    return tensor | {"parameters": {"binary_data_size": len(content)}}, content


def _elements(data: memoryview, name: str) -> Any:
    while data:
        size = struct.unpack_from("<I", data)[0] if len(data) >= 4 else len(data)
        if size > len(data) - 4:
            raise Refused(400, f"input {name!r}: an element of BYTES is longer than its data")
        yield bytes(data[4 : 4 + size])
        data = data[4 + size :]


def _flat(data: Any) -> list[Any]:
    while data and all(isinstance(one, list) for one in data):
        data = list(chain.from_iterable(data))
    return data


def _names() -> str:
    return ", ".join(["BYTES", *TYPES])
