"""Event files read back: our own, TensorBoard's own writer's, Keras' tensors, and damaged ones."""

import struct

import pytest

from vision_recipes.stores import LocalStore
from vision_recipes.training import tensorboard_logs
from vision_recipes.training.epochs import Epoch
from vision_recipes.training.tensorboard_events import LONGEST, points


@pytest.fixture
def content(tmp_path):
    with tensorboard_logs.Curves(LocalStore(tmp_path)) as written:
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


def event(tensor=b"", *, step=4):
    value = tensorboard_logs._field(1, b"loss") + tensorboard_logs._field(8, tensor)
    return tensorboard_logs._record(
        tensorboard_logs._event(step) + tensorboard_logs._field(5, tensorboard_logs._field(1, value))
    )


@pytest.mark.parametrize(
    ("tensor", "value"),
    [
        (b"\x08\x01" + tensorboard_logs._field(4, struct.pack("<f", 0.5)), 0.5),
        (b"\x08\x01" + tensorboard_logs._field(5, struct.pack("<f", 0.5)), 0.5),
        (b"\x08\x01" + tensorboard_logs._float(5, 0.5), 0.5),
        (b"\x08\x02" + tensorboard_logs._field(4, struct.pack("<d", 0.25)), 0.25),
        (b"\x08\x02" + tensorboard_logs._field(6, struct.pack("<d", 0.25)), 0.25),
        (b"\x08\x07" + tensorboard_logs._field(8, b"a text"), None),
        (b"\x08\x01" + tensorboard_logs._field(4, struct.pack("<2f", 1, 2)), None),
    ],
)
def test_tensors_as_keras_writes_them(tensor, value):
    found = [(point.tag, point.step, point.value) for point in points(event(tensor))]
    assert found == ([] if value is None else [("loss", 4, value)])


def test_messages_that_tensorboard_itself_makes():
    from tensorboard.compat.proto.event_pb2 import Event
    from tensorboard.compat.proto.summary_pb2 import Summary

    event = Event(step=9, wall_time=5.0, summary=Summary(value=[Summary.Value(tag="x", simple_value=-1.5)]))
    (point,) = points(tensorboard_logs._record(event.SerializeToString()))
    assert (point.tag, point.step, point.value, point.time) == ("x", 9, -1.5, 5.0)


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
    assert list(points(tensorboard_logs._record(b"\xff" * 30))) == []


def test_large_records_are_passed_over(content):
    large = struct.pack("<Q", LONGEST + 1) + b"\0" * (4 + LONGEST + 1 + 4)
    assert list(points(large + content)) == list(points(content))
