"""One version of a model in memory: its network compiled and verified, ready for any number of threads."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from typing import Protocol

import numpy as np

from vision_recipes.inference.engine import find_output
from vision_recipes.inference.opening import compile_verified
from vision_recipes.inference.openvino_network import OpenVinoSource
from vision_recipes.model_folder import Model, open_model
from vision_recipes.serving.compiled_forms import Form, Forms, choose
from vision_recipes.serving.scorer import Answers, Scored, on_processor
from vision_recipes.settings import ClassifySettings
from vision_recipes.stores import Store

log = logging.getLogger("vision_recipes")


class AnswerLog(Protocol):
    """What keeps something of each answer, as embedding_log.EmbeddingLog does."""

    def add(
        self,
        features: np.ndarray,
        labels: Sequence[str],
        probabilities: Sequence[float],
        verdicts: Sequence[str],
        times: Sequence[float],
    ) -> None:
        """Add n pictures, with their features float32 (n, d); returns at once."""

    def close(self) -> None:
        """Write what is left."""


OpenLog = Callable[[Model], AnswerLog]


class LoadedModel:
    """A model that answers as soon as it is made, and quickly for many pictures once `tune` has been called.

    `model` is the opened folder, `answers` turn vectors into rows, `forms` are how pictures are computed now. Memory
    is freed when nothing refers to it any more.
    """

    def __init__(
        self, store: Store, settings: ClassifySettings, *, features: bool = False, open_log: OpenLog | None = None
    ) -> None:
        """Raises ModelFolderError, DeviceError."""
        started = time.perf_counter()
        self.model = open_model(store)
        self.answers = Answers(self.model, settings, features=features or open_log is not None)
        self._output = find_output(self.model, self.answers.output, "avg")
        self._source: OpenVinoSource | None = OpenVinoSource(self.model, 1)
        try:
            engine = compile_verified(self.model, self._output, self._source, on_processor(settings).compute)
            form = Form(engine, self.model)
        except BaseException:
            self._source.close()
            raise
        self._precision = engine.precision
        self._log = open_log(self.model) if open_log else None
        self.forms = Forms(form, form)
        words = (self.model.name, self._precision, time.perf_counter() - started)
        log.info("model %s: ready in %s after %.1f s", *words)

    def record(self, scored: Scored) -> None:
        """Keep what the answer log keeps of a picture."""
        if self._log is None or scored.features is None:
            return
        row = scored.row
        try:
            self._log.add(
                scored.features[None], [row["label"]], [row["probability"]], [row.get("verdict", "")], [time.time()]
            )
        except Exception:  # a log never costs an answer
            log.exception("model %s: an answer was not logged", self.model.name)

    def close(self) -> None:
        """Write the rest of the answer log; to be called when no picture is to come."""
        if self._log is not None:
            self._log.close()
        if self._source is not None:
            self._source.close()

    def tune(self, like: LoadedModel | None = None) -> None:
        """Choose the forms, which are used from then on. To be called once; the model answers meanwhile.

        What was measured for `like` is taken over if it is a version of the same network.
        """
        assert self._source is not None
        started = time.perf_counter()
        batch = like.forms.together.batch if like is not None and self._is_like(like) else 0
        with closing(self._source) as source:
            self.forms = choose(source, self.model, self._output, self._precision, self.forms.alone, batch)
        self._source = None
        log.info("model %s: %s (measured in %.1f s)", self.model.name, self.forms, time.perf_counter() - started)

    def _is_like(self, other: LoadedModel) -> bool:
        mine, theirs = self.model.config, other.model.config
        return (mine.network, mine.input, self._precision) == (theirs.network, theirs.input, other._precision)
