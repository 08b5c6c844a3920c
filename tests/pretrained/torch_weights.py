"""Files of weights in PyTorch's layout before 1.6, written opcode by opcode: torch is not installed."""

import pickle
import struct

import numpy as np

MAGIC = 0x1950A86A20F9469CFC6C
ORDERED_DICT = b"ccollections\nOrderedDict\n)R"
FLOATS = b"ctorch\nFloatStorage\n"


def text(value):
    encoded = value.encode()
    return b"X" + struct.pack("<I", len(encoded)) + encoded


def whole(value):
    return b"J" + struct.pack("<i", value)


def sides(values):
    return b"(" + b"".join(map(whole, values)) + b"t"


def storage(key, elements, kind=FLOATS, view=b"N"):
    return b"(" + text("storage") + kind + text(key) + text("cpu") + whole(elements) + view + b"tQ"


def tensor(stored, shape, strides, offset=0):
    tail = b"\x89" + ORDERED_DICT + b"t"
    return (
        b"ctorch._utils\n_rebuild_tensor_v2\n(" + stored + whole(offset) + sides(shape) + sides(strides) + tail + b"R"
    )


def table(items):
    """The pickle of name -> pickled value."""
    named = b"".join(text(name) + value for name, value in items.items())
    return b"\x80\x02" + ORDERED_DICT + b"(" + named + b"u."


def file_of(pickled, storages):
    """A whole file around the pickle of a table; `storages` is key -> array."""
    machine = {"protocol_version": 1001, "little_endian": True, "type_sizes": {"short": 2, "int": 4, "long": 4}}
    head = b"".join(pickle.dumps(value, 2) for value in (MAGIC, 1001, machine))
    numbers = b"".join(struct.pack("<q", values.size) + values.tobytes() for values in storages.values())
    return head + pickled + pickle.dumps(list(storages), 2) + numbers


def small_file():
    """Two tensors, the second with its axes stored in another order."""
    flat, turned = np.arange(6, dtype="<f4"), np.arange(24, dtype="<f4")
    items = {"a.weight": tensor(storage("1", 6), (2, 3), (3, 1)), "b": tensor(storage("2", 24), (4, 3, 2), (1, 8, 4))}
    return file_of(table(items), {"1": flat, "2": turned})
