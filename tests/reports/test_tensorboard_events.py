"""Event files read back: our own, Keras' tensors, messages of TensorBoard itself, and damaged ones."""

import struct
from contextlib import closing

import pytest
from tensorboard.compat.proto.event_pb2 import Event
from tensorboard.compat.proto.summary_pb2 import Summary
from tensorboard.compat.proto.tensor_pb2 import TensorProto

from vision_recipes.reports.tensorboard_events import LONGEST, read_scalars
from vision_recipes.stores import LocalStore
from vision_recipes.training import tensorboard_logs
from vision_recipes.training.epochs import Epoch

FLOAT, DOUBLE, STRING = 1, 2, 7


@pytest.fixture
def content(tmp_path):
    with closing(tensorboard_logs.TensorBoardLogs(LocalStore(tmp_path))) as written:
        for number in (1, 2, 3):
            written.add("last layer", Epoch(number, 1 / number, 0.5, None, None, 0.001, 2.0))
    return next(tmp_path.rglob("events*")).read_bytes()


def test_our_own_files(content):
    found = list(read_scalars(content))
    assert [(scalar.step, scalar.value) for scalar in found if scalar.tag == "epoch_loss"] == [
        (1, 1.0),
        (2, 0.5),
        (3, pytest.approx(1 / 3)),
    ]
    assert {scalar.tag for scalar in found} == {"epoch_loss", "epoch_accuracy", "epoch_learning_rate", "epoch_seconds"}
    assert found[0].time > 1.5e9


def record(payload):
    """Frame a TFRecord; its checksums are not read."""
    return struct.pack("<Q", len(payload)) + b"\0" * 4 + payload + b"\0" * 4


def event(**value):
    summary = Summary(value=[Summary.Value(tag="loss", **value)])
    return record(Event(step=4, wall_time=5.0, summary=summary).SerializeToString())


@pytest.mark.parametrize(
    ("tensor", "value"),
    [
        (TensorProto(dtype=FLOAT, tensor_content=struct.pack("<f", 0.5)), 0.5),
        (TensorProto(dtype=FLOAT, float_val=[0.5]), 0.5),
        (TensorProto(dtype=DOUBLE, tensor_content=struct.pack("<d", 0.25)), 0.25),
        (TensorProto(dtype=DOUBLE, double_val=[0.25]), 0.25),
        (TensorProto(dtype=STRING, string_val=[b"a text"]), None),
        (TensorProto(dtype=FLOAT, tensor_content=struct.pack("<2f", 1, 2)), None),
        (TensorProto(dtype=FLOAT, float_val=[1, 2]), None),
        (TensorProto(dtype=FLOAT), None),
    ],
)
def test_tensors_as_keras_writes_them(tensor, value):
    found = [(scalar.tag, scalar.step, scalar.value) for scalar in read_scalars(event(tensor=tensor))]
    assert found == ([] if value is None else [("loss", 4, value)])


def test_floats_that_are_not_packed():
    """Protocol buffers may write a repeated field value by value."""
    tensor = b"\x08\x01" + b"\x2d" + struct.pack("<f", 0.5)
    value = b"\x0a\x04loss" + b"\x42" + bytes([len(tensor)]) + tensor
    summary = b"\x0a" + bytes([len(value)]) + value
    (scalar,) = read_scalars(record(b"\x10\x04\x2a" + bytes([len(summary)]) + summary))
    assert (scalar.tag, scalar.step, scalar.value) == ("loss", 4, 0.5)


def test_messages_that_tensorboard_itself_makes():
    (scalar,) = read_scalars(event(simple_value=-1.5))
    assert (scalar.tag, scalar.step, scalar.value, scalar.time) == ("loss", 4, -1.5, 5.0)


def test_a_file_that_is_cut_anywhere_gives_what_is_complete(content):
    complete = list(read_scalars(content))
    for end in range(len(content)):
        found = list(read_scalars(content[:end]))
        assert found == complete[: len(found)]


def test_damaged_bytes_end_the_reading(content):
    for place in range(0, len(content), 3):
        list(read_scalars(content[:place] + b"\xff" + content[place + 1 :]))
    assert list(read_scalars(b"not an event file at all, but long enough to hold a length")) == []
    assert list(read_scalars(struct.pack("<Q", 2**63) + b"\0" * 40)) == []
    assert list(read_scalars(record(b"\xff" * 30))) == []
    assert list(read_scalars(record(b"\x0a\x02\xff\xff"))) == []


def test_large_records_are_skipped(content):
    large = struct.pack("<Q", LONGEST + 1) + b"\0" * (4 + LONGEST + 1 + 4)
    assert list(read_scalars(large + content)) == list(read_scalars(content))


def test_tensorflow_is_not_imported(content, tmp_path):
    import subprocess
    import sys

    (tmp_path / "events").write_bytes(content)
    code = (
        "import sys\nfrom pathlib import Path\nfrom vision_recipes.reports.tensorboard_events import read_scalars\n"
        f"print(len(list(read_scalars(Path({str(tmp_path / 'events')!r}).read_bytes()))), 'tensorflow' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout.split() == ["12", "False"], done.stderr
