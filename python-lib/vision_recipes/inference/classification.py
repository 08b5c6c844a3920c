"""What vision-classify answers for a picture: the output that it needs of a network, and the row that it becomes."""

from __future__ import annotations

from typing import Any

import numpy as np

from vision_recipes import rows
from vision_recipes.errors import ModelFolderError
from vision_recipes.inference.engine import SCORES, SCORES_AND_FEATURES
from vision_recipes.model_folder import Model
from vision_recipes.pictures import Picture
from vision_recipes.settings import ClassifySettings


class Classification:
    """A model's answers as rows, for files of a folder and for pictures that are posted.

    `output` is what the engine has to compute, `columns` are rows.CLASSIFIED, and rows.VERDICT for a model with a
    detector. Raises ModelFolderError for a model without labels.
    """

    def __init__(self, model: Model, settings: ClassifySettings) -> None:
        if model.config.ends_in_features:
            raise ModelFolderError(
                f"Model {model.name!r} gives a vector of features for a picture and has no labels. Retrain it on "
                "labels of your own with vision-retrain, or write the vectors with vision-extract."
            )
        self._settings, self._detector = settings, model.ood_detector
        self._labels, self._classes = model.label_keys, model.config.n_classes
        self.output = SCORES if self._detector is None else SCORES_AND_FEATURES
        self.columns = rows.CLASSIFIED if self._detector is None else (*rows.CLASSIFIED, rows.VERDICT)

    def row(self, picture: Picture, vector: np.ndarray | None) -> tuple[dict[str, Any], float | None]:
        """Return a picture's row and its out-of-distribution score, None without a detector.

        `vector` is float32: the scores (classes,) and, with a detector, the features after them; None for a picture
        with a reason.
        """
        if vector is None:
            return rows.rejected(picture, self.columns), None
        scores, ood_score = vector[: self._classes], None
        row = rows.classified(picture, scores, self._labels, self._settings)
        if self._detector is not None:
            row["verdict"], ood_score = self._detector.assess(scores, vector[self._classes :])
        return row, ood_score
