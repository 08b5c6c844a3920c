"""Event files read back: our own, TensorBoard's own writer's, Keras' tensors, and damaged ones."""

import io
import struct

import pytest

from vision_recipes.stores import LocalStore
from vision_recipes.training.epochs import Epoch
from vision_recipes.training.tensorboard_events import LONGEST, points
from vision_recipes.training.tensorboard_logs import TensorBoardLogs


@pytest.fixture
def content(tmp_path):
    with TensorBoardLogs(LocalStore(tmp_path)) as written:
        for number in (1, 2, 3):
            written.add(Epoch(number, 1 / number, 0.5, None, None, 0.001, 2.0))
    return next(tmp_path.rglob("events*")).read_bytes()


def test_our_own_files(content):
    found = list(points(content))
    assert [(point.step, point.value) for point in found if point.tag == "epoch_loss"] == [
        (1, 1.0),
        (2, 0.5),
        (3, pytest.approx(1 / 3)),
    ]
    assert {point.tag for point in found} == {"epoch_loss", "epoch_accuracy", "epoch_learning_rate", "epoch_seconds"}
    assert found[0].time > 1.5e9


def record(content):
    """Return the record of an event file as TensorBoard writes it."""
    from tensorboard.summary.writer.record_writer import RecordWriter

    stream = io.BytesIO()
    RecordWriter(stream).write(content)
    return stream.getvalue()


def value_event(**value):
    from tensorboard.compat.proto.event_pb2 import Event
    from tensorboard.compat.proto.summary_pb2 import Summary

    return Event(step=9, wall_time=5.0, summary=Summary(value=[Summary.Value(tag="loss", **value)])).SerializeToString()


@pytest.mark.parametrize(
    ("tensor", "value"),
    [
        ({"dtype": 1, "tensor_content": struct.pack("<f", 0.5)}, 0.5),
        ({"dtype": 1, "float_val": [0.5]}, 0.5),
        ({"dtype": 2, "tensor_content": struct.pack("<d", 0.25)}, 0.25),
        ({"dtype": 2, "double_val": [0.25]}, 0.25),
        ({"dtype": 7, "string_val": [b"a text"]}, None),
        ({"dtype": 1, "tensor_content": struct.pack("<2f", 1, 2)}, None),
        ({"dtype": 1, "float_val": [1, 2]}, None),
    ],
)
def test_tensors_as_keras_writes_them(tensor, value):
    from tensorboard.compat.proto.tensor_pb2 import TensorProto

    found = [
        (point.tag, point.step, point.value) for point in points(record(value_event(tensor=TensorProto(**tensor))))
    ]
    assert found == ([] if value is None else [("loss", 9, value)])


def test_a_tensor_whose_only_float_is_not_packed():
    tensor = b"\x08\x01" + b"\x2d" + struct.pack("<f", 0.5)
    named = b"\x0a\x04loss" + b"\x42" + bytes([len(tensor)]) + tensor
    summary = b"\x0a" + bytes([len(named)]) + named
    (point,) = points(record(b"\x10\x04" + b"\x2a" + bytes([len(summary)]) + summary))
    assert (point.tag, point.step, point.value) == ("loss", 4, 0.5)


def test_plain_values():
    (point,) = points(record(value_event(simple_value=-1.5)))
    assert (point.tag, point.step, point.value, point.time) == ("loss", 9, -1.5, 5.0)


def test_a_file_that_is_cut_anywhere_gives_what_is_whole(content):
    whole = list(points(content))
    for end in range(len(content)):
        found = list(points(content[:end]))
        assert found == whole[: len(found)]


def test_odd_bytes_end_the_reading(content):
    for place in range(0, len(content), 3):
        list(points(content[:place] + b"\xff" + content[place + 1 :]))
    assert list(points(b"not an event file at all, but long enough to hold a length")) == []
    assert list(points(struct.pack("<Q", 2**63) + b"\0" * 40)) == []
    assert list(points(record(b"\xff" * 30))) == []


def test_large_records_are_passed_over(content):
    large = struct.pack("<Q", LONGEST + 1) + b"\0" * (4 + LONGEST + 1 + 4)
    assert list(points(large + content)) == list(points(content))
