"""A folder of pictures as a sample: once through the network, or from the cache."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from vision_recipes.images.reading import list_pictures
from vision_recipes.inference.engine import FEATURES, SCORES_AND_FEATURES
from vision_recipes.inference.forward_pass import Request, forward
from vision_recipes.model_folder import Model
from vision_recipes.model_folder.reference_pictures import feature_width
from vision_recipes.monitor_settings import MonitorSettings
from vision_recipes.monitoring.sample import Sample
from vision_recipes.pictures import Picture
from vision_recipes.stores import Store


@dataclass(frozen=True)
class ScoredPictures:
    """The sample of pictures, the reasons of files that could not be read by path, and how many pictures there are."""

    sample: Sample
    unreadable: dict[str, str]
    files: int


def score_folder(
    store: Store,
    model: Model,
    settings: MonitorSettings,
    most: int,
    extra: Callable[[Picture], np.ndarray] | None,
    cache: Store | None,
) -> ScoredPictures:
    """Return a folder's pictures as the network sees them: at most `most`, drawn at random.

    `extra` encodes the table columns of a model that takes some. Raises PictureFolderError when there is no file.
    """
    listed = list_pictures(store)
    drawn = np.random.default_rng(settings.random_seed).permutation(len(listed))[:most]
    paths = [listed[number] for number in sorted(drawn)]
    output = FEATURES if model.config.ends_in_features else SCORES_AND_FEATURES
    request = Request(output, batch=settings.batch_size, verb="scored", extra=extra)
    answers, unreadable = _Answers(model), dict[str, str]()
    for picture, vector in forward(store, paths, model, settings.compute, request, cache=cache):
        if vector is None:
            unreadable[picture.path] = picture.reason
        else:
            answers.add(picture.path, vector)
    return ScoredPictures(answers.sample(), unreadable, len(listed))


class _Answers:
    """Vectors of a network, collected as a sample."""

    def __init__(self, model: Model) -> None:
        self._classes = 0 if model.config.ends_in_features else model.config.n_classes
        self._detector = model.ood_detector
        self._width = compared_width(model)
        self._rows: list[tuple[str, np.ndarray, int, float, str]] = []

    def add(self, path: str, vector: np.ndarray) -> None:
        scores, features = vector[: self._classes], vector[self._classes :]
        label = int(scores.argmax()) if self._classes else -1
        verdict = self._detector.assess(scores, features)[0] if self._detector else ""
        probability = float(scores[label]) if self._classes else np.nan
        self._rows.append((path, features[: self._width].copy(), label, probability, verdict))

    def sample(self) -> Sample:
        names, features, labels, probabilities, verdicts = zip(*self._rows, strict=True) if self._rows else ((),) * 5
        return Sample(
            tuple(names),
            np.array(features, np.float32).reshape(len(names), -1 if names else 1),
            np.array(labels, np.int64),
            np.array(probabilities, np.float32),
            np.array(verdicts, np.str_),
            np.full(len(names), np.nan),
        )


def compared_width(model: Model) -> int:
    """Return how many features of a picture are compared, from the first."""
    return feature_width(model.config) if model.config.head else model.feature_layer.size
