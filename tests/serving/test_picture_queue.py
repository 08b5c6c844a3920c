"""Which pictures are computed next, and together with which."""

from __future__ import annotations

from typing import Any

import numpy as np

from vision_recipes.pictures import Picture
from vision_recipes.serving.compiled_forms import Forms
from vision_recipes.serving.picture_queue import PictureQueue, Request
from vision_recipes.serving.serving_limits import ServingLimits


class OneSlot:
    """A form with one slot."""

    def __init__(self, batch: int) -> None:
        self.batch, self.free = batch, ["slot"]

    def take(self) -> Any:
        return self.free.pop() if self.free else None

    def give_back(self, slot: Any) -> None:
        self.free.append(slot)


class Model:
    """A model of the queue: its forms alone."""

    def __init__(self, batch: int, wait: float = 0.0) -> None:
        self.forms: Any = Forms(OneSlot(1), OneSlot(batch), wait)  # type: ignore[arg-type]


def decoded(model: Any) -> Request:
    return Request(model, picture=Picture("", np.zeros((1, 1, 3), np.uint8)))


def test_a_lone_picture_has_a_form_of_its_own() -> None:
    queue, model = PictureQueue(ServingLimits(), 8), Model(4)
    queue.add(decoded(model))
    batch = queue.take_batch()
    assert batch is not None and batch.form is model.forms.alone


def test_pictures_that_are_there_go_together_the_oldest_model_first() -> None:
    queue, first, second = PictureQueue(ServingLimits(), 8), Model(2), Model(4)
    requests = [decoded(model) for model in (first, second, first, first, second)]
    for request in requests:
        queue.add(request)
    batches = [queue.take_batch(), queue.take_batch()]
    assert [batch.requests for batch in batches if batch] == [[requests[0], requests[2]], [requests[1], requests[4]]]
    assert batches[0] is not None
    queue.give_back(batches[0])
    last = queue.take_batch()
    assert last is not None and last.requests == [requests[3]]


def test_a_batch_waits_for_pictures_that_are_being_decoded_and_no_longer() -> None:
    queue, model = PictureQueue(ServingLimits(), 8), Model(4, wait=60.0)
    file, ready = Request(model, b"file"), decoded(model)
    queue.add(file)
    queue.add(ready)
    assert queue.take_file() is file
    assert queue._next_batch()[0] is None
    queue.close_request(file)  # it was no picture
    batch = queue.take_batch()
    assert batch is not None and batch.requests == [ready]


def test_decoding_does_not_run_far_ahead() -> None:
    queue, model = PictureQueue(ServingLimits(), 1), Model(1)
    file = Request(model, b"file")
    for request in (decoded(model), file):
        queue.add(request)
    assert sum(len(line.decoded) for line in queue._lines.values()) == 1
    assert queue.take_batch() is not None
    assert queue.take_file() is file
