"""Training curves for TensorBoard, written during training by its own record writer, without importing TensorFlow."""

from __future__ import annotations

import io
import time
from typing import TYPE_CHECKING

from vision_recipes.stores import Store
from vision_recipes.training.epochs import Epoch

if TYPE_CHECKING:
    from tensorboard.summary.writer.record_writer import RecordWriter

_INTERVAL = 1.0
"""Seconds between two writes of a file: a store takes complete files only."""


class TensorBoardLogs:
    """The logs of one training: the runs `train` and `validation` of each stage, a file each, in folders of the store.

    `close` it at the end; the logs of an earlier training are deleted when the first epoch is added.
    """

    def __init__(self, store: Store, folder: str = "tensorboard_logs") -> None:
        self._store = store
        self._folder = "/" + folder.strip("/")
        self._name = f"events.out.tfevents.{int(time.time())}.vision-recipes"
        self._runs: dict[str, tuple[io.BytesIO, RecordWriter]] = {}
        self._written = 0.0

    def add(self, stage: str, epoch: Epoch) -> None:
        """Add an epoch, or a step of a solver, of a stage of the training such as "last layer".

        It is in the files immediately, or a second later if epochs are shorter than that.
        """
        if not self._runs:
            self._delete_earlier()
        folder, figures = stage.replace(" ", "-"), {"loss": epoch.loss, "accuracy": epoch.accuracy}
        figures |= {"learning_rate": epoch.learning_rate, "seconds": epoch.seconds}
        self._add(f"{folder}/train", epoch.number, figures)
        if epoch.val_loss is not None and epoch.val_accuracy is not None:
            self._add(f"{folder}/validation", epoch.number, {"loss": epoch.val_loss, "accuracy": epoch.val_accuracy})
        if time.monotonic() - self._written >= _INTERVAL:
            self.close()

    def _add(self, run: str, step: int, figures: dict[str, float]) -> None:
        from tensorboard.compat.proto.event_pb2 import Event
        from tensorboard.compat.proto.summary_pb2 import Summary
        from tensorboard.summary.writer.record_writer import RecordWriter

        if run not in self._runs:
            content = io.BytesIO()
            self._runs[run] = content, RecordWriter(content)
            self._runs[run][1].write(Event(wall_time=time.time(), file_version="brain.Event:2").SerializeToString())
        values = [Summary.Value(tag=f"epoch_{name}", simple_value=value) for name, value in figures.items()]
        event = Event(wall_time=time.time(), step=step, summary=Summary(value=values))
        self._runs[run][1].write(event.SerializeToString())

    def close(self) -> None:
        """Write all epochs so far into the files."""
        for run, (content, _) in self._runs.items():
            self._store.write(f"{self._folder}/{run}/{self._name}", content.getvalue())
        self._written = time.monotonic()

    def _delete_earlier(self) -> None:
        for path in self._store.paths():
            if path.startswith(self._folder + "/") and "events.out.tfevents." in path:
                self._store.delete(path)
