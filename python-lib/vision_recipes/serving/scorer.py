"""A model opened for pictures that are posted: bytes to the row that vision-classify gives for a file with them."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import repeat
from typing import Any

import numpy as np

from vision_recipes.images.decoding import LIMITS, Limits
from vision_recipes.images.picture_decoder import PictureDecoder
from vision_recipes.inference.classification import Classification
from vision_recipes.inference.engine import SCORES_AND_FEATURES
from vision_recipes.inference.opening import open_engine
from vision_recipes.model_folder import Model
from vision_recipes.pictures import Picture
from vision_recipes.settings import ClassifySettings


@dataclass(frozen=True)
class Scored:
    """The answer for a picture. `row` has the columns of vision-classify, `images` is the name that was given.

    `scores` are the probabilities in output order, float32 (classes,). `features` are the pooled features, float32
    (d,), None unless they were asked for or a detector needed them; `ood_score` is None without a detector. A picture
    that could not be read has a reason in `row` and none of them. `labels` and `version` are those of the model that
    gave it, which may have been replaced since.
    """

    row: dict[str, Any]
    picture: Picture
    scores: np.ndarray | None = None
    features: np.ndarray | None = None
    ood_score: float | None = None
    labels: Sequence[str] = ()
    version: str = ""


class Answers:
    """What turns a model's vectors into answers, and a request's table columns into a network's input.

    `output` is what an engine has to compute: with `features`, those as well.
    """

    def __init__(self, model: Model, settings: ClassifySettings, *, features: bool = False) -> None:
        self._classification = Classification(model, settings)
        self._columns, self._classes = model.extra_columns, model.config.n_classes
        self._labels, self._version = model.label_keys, model.folder_hash
        self.output = SCORES_AND_FEATURES if features else self._classification.output

    def scored(self, picture: Picture, vector: np.ndarray | None) -> Scored:
        """Return the answer for a picture with its vector, float32, of `output`; None with the reason why not."""
        row, ood_score = self._classification.row(picture, vector)
        if vector is None:
            return Scored(row, picture, labels=self._labels, version=self._version)
        features = None if len(vector) == self._classes else vector[self._classes :]
        return Scored(
            row, picture, vector[: self._classes], features, ood_score, labels=self._labels, version=self._version
        )

    def encoded(self, cells: Mapping[str, Any] | None) -> np.ndarray | None:
        """Return a picture's table columns as the network takes them, float32 (width,); None when it takes none.

        Columns that `cells` lack count as missing, as they do for a picture that a table does not know.
        """
        if not self._columns:
            return None
        from vision_recipes.dataset.column_encoding import encode

        return encode(self._columns, cells)


class Scorer:
    """Scores in the caller's thread, one call at a time. OpenVINO computes, whatever the settings say of engines."""

    def __init__(
        self,
        model: Model,
        settings: ClassifySettings = ClassifySettings(),  # noqa: B008 - frozen
        *,
        features: bool = False,
        limits: Limits = LIMITS,
    ) -> None:
        """Open and verify the engine; raises ModelFolderError, DeviceError."""
        self.model = model
        self._answers = Answers(model, settings, features=features)
        self._engine = open_engine(model, on_processor(settings).compute, self._answers.output, batch=1)
        self._decoder = PictureDecoder(model.preprocessing, limits)
        self._takes_columns = bool(model.extra_columns)
        self._lock = threading.Lock()

    def score(
        self,
        contents: Sequence[bytes],
        extra: Sequence[Mapping[str, Any] | None] | None = None,
        names: Sequence[str] | None = None,
    ) -> list[Scored]:
        """Return an answer for each picture, in order.

        `extra` are the cells of each picture's table columns, for a model that takes some; `names` stand in the column
        `images`.
        """
        given = zip(contents, names or repeat(""), extra or repeat(None), strict=False)
        columns: dict[int, np.ndarray] = {}

        def pictures() -> Iterator[Picture]:
            for content, name, cells in given:
                picture = self._decoder.picture(name, partial(bytes, content))
                if (encoded := self._answers.encoded(cells)) is not None:
                    columns[id(picture)] = encoded
                yield picture

        with self._lock:
            found = self._engine.run(
                pictures(), (lambda picture: columns[id(picture)]) if self._takes_columns else None
            )
            return [self._answers.scored(picture, vector) for picture, vector in found]

    def close(self) -> None:
        """End the process that decodes risky formats."""
        self._decoder.close()


def on_processor(settings: ClassifySettings) -> ClassifySettings:
    """Return the settings with OpenVINO on the processor as the engine."""
    return replace(settings, compute=replace(settings.compute, engine="openvino", use_gpu="false"))
