"""Weights saved by PyTorch, read as data: the few pickle opcodes of a table of tensors, then the raw numbers.

Nothing of the file is ever called or imported. Names of Python objects in it are compared with a list, sizes and counts
are bounded, and whatever else a pickle can say is refused.

The layout, PyTorch's own until 1.6: five pickles (a magic number, the protocol, facts about the machine, the table of
tensors, the keys of the storages), then for each storage the number of its elements (int64) and the elements.
"""

from __future__ import annotations

import io
import pickletools
import struct
from collections.abc import Callable
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any

import numpy as np

from vision_recipes.errors import DownloadError

MAGIC = 0x1950A86A20F9469CFC6C
PROTOCOL = 1001
MAX_OPCODES = 200_000
MAX_TEXT = 1000
MAX_DIMENSIONS = 8
MAX_BYTES = 1 << 30


@dataclass(frozen=True)
class _Name:
    """A name of Python: never looked up, only compared."""

    module: str
    name: str


FLOATS, INTEGERS = _Name("torch", "FloatStorage"), _Name("torch", "LongStorage")
TENSOR = _Name("torch._utils", "_rebuild_tensor_v2")
ORDERED_DICT = _Name("collections", "OrderedDict")
NAMES = (FLOATS, INTEGERS, TENSOR, ORDERED_DICT)


@dataclass(frozen=True)
class _Storage:
    key: str
    dtype: np.dtype[Any]
    elements: int


@dataclass(frozen=True)
class _Tensor:
    storage: _Storage
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]


def read_tensors(path: Path) -> dict[str, np.ndarray]:
    """Return the tensors in a PyTorch weights file (.pth) by name, float32 or int64; raises DownloadError."""
    try:
        if path.stat().st_size > MAX_BYTES:
            raise ValueError(f"it has more than {MAX_BYTES:,} bytes")
        return _Reader(path.read_bytes()).tensors()
    except (ValueError, KeyError, IndexError, TypeError, OverflowError) as err:
        reason = str(err)[:200] if type(err) is ValueError else "it is damaged"
        raise DownloadError(
            f"{path} is not a table of tensors as PyTorch saves it: {reason}. Get the file again."
        ) from err


class _Reader:
    """The file's bytes, read from the first to the last."""

    def __init__(self, content: bytes) -> None:
        self.stream, self.size = io.BytesIO(content), len(content)

    def tensors(self) -> dict[str, np.ndarray]:
        """Return the arrays by name."""
        magic, protocol, machine = (_Pickle(self.stream).value() for _ in range(3))
        if magic != MAGIC or protocol != PROTOCOL:
            raise ValueError("it does not begin as such a file does")
        if not isinstance(machine, dict) or machine.get("little_endian") is not True:
            raise ValueError("its numbers are not little-endian")
        table = _Pickle(self.stream).value()
        named = {name: tensor for name, tensor in _items(table) if isinstance(tensor, _Tensor)}
        if not named or len(named) != len(_items(table)):
            raise ValueError("it holds something else than tensors with names")
        storages = {tensor.storage.key: tensor.storage for tensor in named.values()}
        keys = _Pickle(self.stream).value()
        texts = isinstance(keys, list) and all(isinstance(key, str) for key in keys)
        if not texts or sorted(keys) != sorted(storages):
            raise ValueError("its numbers are not those of its tensors")
        arrays = {key: self._numbers(storages[key]) for key in keys}
        if self.stream.tell() != self.size:
            raise ValueError(f"{self.size - self.stream.tell()} bytes come after its end")
        return {name: _view(arrays[tensor.storage.key], tensor) for name, tensor in named.items()}

    def _numbers(self, storage: _Storage) -> np.ndarray:
        header = self.stream.read(8)
        rest = self.size - self.stream.tell()
        (elements,) = struct.unpack("<q", header) if len(header) == 8 else (-1,)
        if elements != storage.elements or elements * storage.dtype.itemsize > rest:
            raise ValueError(
                f"it is cut off or damaged: {storage.elements:,} numbers are announced, {rest:,} bytes left"
            )
        return np.frombuffer(self.stream.read(elements * storage.dtype.itemsize), storage.dtype)


def _items(table: Any) -> list[tuple[str, Any]]:
    if not isinstance(table, dict) or not all(isinstance(name, str) for name in table):
        raise ValueError("it holds no table of names")
    return list(table.items())


def _view(numbers: np.ndarray, tensor: _Tensor) -> np.ndarray:
    """Return the tensor; numpy raises ValueError when it goes past the numbers."""
    size = numbers.dtype.itemsize
    if prod(tensor.shape) > len(numbers):
        raise ValueError(f"a tensor of shape {tensor.shape} has more than the {len(numbers):,} numbers stored for it")
    strides = tuple(stride * size for stride in tensor.strides)
    return np.ndarray(tensor.shape, numbers.dtype, numbers, tensor.offset * size, strides)


class _Pickle:
    """One pickle of a stream, its opcodes carried out on plain values: numbers, texts, tuples, lists, dictionaries."""

    def __init__(self, stream: io.BytesIO) -> None:
        self.stream = stream
        self.stack: list[Any] = []
        self.marks: list[int] = []
        self.memo: dict[int, Any] = {}

    def value(self) -> Any:
        """Return what the pickle says; the stream stands behind it afterwards. Raises ValueError."""
        for count, (opcode, argument, _place) in enumerate(pickletools.genops(self.stream)):
            if count > MAX_OPCODES:
                raise ValueError(f"it takes more than {MAX_OPCODES:,} steps to read")
            if opcode.name == "STOP":
                break
            step = _STEPS.get(opcode.name)
            if step is None:
                raise ValueError(f"it asks for more than tensors ({opcode.name})")
            step(self, argument)
        (value,) = self.stack
        return value

    def push(self, value: Any) -> None:
        """Put a value on the stack; long texts and numbers beyond 80 bits are refused."""
        if isinstance(value, str) and len(value) > MAX_TEXT:
            raise ValueError(f"it has a text of {len(value):,} characters")
        if isinstance(value, int) and value.bit_length() > 80:
            raise ValueError(f"it has a number of {value.bit_length():,} bits")
        self.stack.append(value)

    def name(self, argument: str) -> None:
        """Put a name of Python on the stack, one of those that a table of tensors needs."""
        module, _, plain = argument.partition(" ")
        name = _Name(module, plain)
        if name not in NAMES:
            raise ValueError(f"it asks for {module[:60]}.{plain[:60]}, which no table of tensors needs")
        self.stack.append(name)

    def since_mark(self) -> list[Any]:
        """Take what lies above the last mark off the stack, and the mark."""
        place = self.marks.pop()
        values = self.stack[place:]
        del self.stack[place:]
        return values

    def drop(self) -> None:
        """Take the last value off the stack."""
        self.stack.pop()

    def tuple_of(self, count: int) -> None:
        """Replace the last values by their tuple."""
        values = [self.stack.pop() for _ in range(count)]
        self.stack.append(tuple(reversed(values)))

    def reduce(self, _argument: Any) -> None:
        """Replace a name and its arguments by an empty table or a tensor."""
        arguments = self.stack.pop()
        name = self.stack.pop()
        if name == ORDERED_DICT and arguments == ():
            self.stack.append({})
        elif name == TENSOR and isinstance(arguments, tuple) and len(arguments) == 6:
            self.stack.append(_tensor(*arguments[:4]))
        else:
            raise ValueError("it calls something with other arguments than PyTorch writes")

    def storage(self, _argument: Any) -> None:
        """Replace a persistent id by the storage that it describes."""
        word, kind, key, _device, elements, view = self.stack.pop()
        known = isinstance(kind, _Name) and kind in (FLOATS, INTEGERS)
        if word != "storage" or not known or not isinstance(key, str) or view is not None:
            raise ValueError("it refers to something outside itself")
        self.stack.append(_Storage(key, np.dtype("<f4" if kind == FLOATS else "<i8"), _count(elements)))

    def set_items(self, values: list[Any]) -> None:
        """Put names and values into the table below."""
        table = self.stack[-1]
        if not isinstance(table, dict) or len(values) % 2:
            raise ValueError("its table is damaged")
        for key, value in zip(values[::2], values[1::2], strict=True):
            if not isinstance(key, str) or key in table:
                raise ValueError("a name in its table is no text or given twice")
            table[key] = value

    def append(self, values: list[Any]) -> None:
        """Put values at the end of the list below."""
        if not isinstance(self.stack[-1], list):
            raise ValueError("its list is damaged")
        self.stack[-1].extend(values)


def _tensor(storage: Any, offset: Any, shape: Any, strides: Any) -> _Tensor:
    tuples = isinstance(shape, tuple) and isinstance(strides, tuple) and len(shape) == len(strides) <= MAX_DIMENSIONS
    if not isinstance(storage, _Storage) or not tuples:
        raise ValueError("it has a tensor without numbers or without a shape")
    return _Tensor(storage, _count(offset), tuple(map(_count, shape)), tuple(map(_count, strides)))


def _count(value: Any) -> int:
    if type(value) is not int or not 0 <= value < 1 << 31:
        raise ValueError(f"{value if type(value) is int else type(value).__name__} is not a size")
    return value


_STEPS: dict[str, Callable[[_Pickle, Any], None]] = {
    "PROTO": lambda pickle, argument: None,
    "MARK": lambda pickle, argument: pickle.marks.append(len(pickle.stack)),
    "NONE": lambda pickle, argument: pickle.push(None),
    "NEWTRUE": lambda pickle, argument: pickle.push(True),
    "NEWFALSE": lambda pickle, argument: pickle.push(False),
    "EMPTY_DICT": lambda pickle, argument: pickle.stack.append({}),
    "EMPTY_LIST": lambda pickle, argument: pickle.stack.append([]),
    "EMPTY_TUPLE": lambda pickle, argument: pickle.stack.append(()),
    "TUPLE": lambda pickle, argument: pickle.stack.append(tuple(pickle.since_mark())),
    "TUPLE1": lambda pickle, argument: pickle.tuple_of(1),
    "TUPLE2": lambda pickle, argument: pickle.tuple_of(2),
    "TUPLE3": lambda pickle, argument: pickle.tuple_of(3),
    "APPEND": lambda pickle, argument: pickle.append([pickle.stack.pop()]),
    "APPENDS": lambda pickle, argument: pickle.append(pickle.since_mark()),
    "SETITEM": lambda pickle, argument: pickle.set_items([pickle.stack.pop(-2), pickle.stack.pop()]),
    "SETITEMS": lambda pickle, argument: pickle.set_items(pickle.since_mark()),
    "GLOBAL": lambda pickle, argument: pickle.name(argument),
    "REDUCE": _Pickle.reduce,
    "BINPERSID": _Pickle.storage,
    # the attributes of the table itself: versions of the layers, which nobody needs
    "BUILD": lambda pickle, argument: pickle.drop(),
    **dict.fromkeys(
        ("BINUNICODE", "BININT", "BININT1", "BININT2", "LONG1"), lambda pickle, argument: pickle.push(argument)
    ),
    **dict.fromkeys(
        ("BINPUT", "LONG_BINPUT"), lambda pickle, argument: pickle.memo.__setitem__(argument, pickle.stack[-1])
    ),
    **dict.fromkeys(("BINGET", "LONG_BINGET"), lambda pickle, argument: pickle.stack.append(pickle.memo[argument])),
}
"""What the opcodes of such files do. Whatever else a pickle can ask for is not here."""
