"""A query of a DSS API node to its answer: what a Python function endpoint runs (see model_export.endpoint_code)."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from vision_recipes.errors import ModelFolderError, VisionError, listed
from vision_recipes.images.decoding import Rejected
from vision_recipes.model_folder import open_model
from vision_recipes.serving import serving_limits
from vision_recipes.serving.base64_pictures import from_base64
from vision_recipes.serving.scorer import Scorer
from vision_recipes.settings import ClassifySettings
from vision_recipes.stores import LocalStore

log = logging.getLogger("vision_recipes")

PICTURE, OTHER_NAME = "input", "img_b64"
"""The attribute of a query that holds a picture, or a list of them; the second is what earlier endpoints call it."""

MAX_BYTES = serving_limits.PICTURE.file_bytes
"""How large the file of a picture may be."""

MAX_PICTURES = 64
"""How many pictures a query may have."""

Answer = dict[str, Any]


class PythonFunction:
    """A model and the answers to queries about it; `answer` never raises."""

    def __init__(self, folder: str | Path, folder_hash: str, settings: Mapping[str, Any]) -> None:
        """Open the model; raises ModelFolderError when it is not the one with the hash."""
        model = open_model(LocalStore(folder))
        if model.folder_hash != folder_hash:
            raise ModelFolderError(
                f"The model in {folder} is not the one that this endpoint was made for. Run the macro "
                "vision-api-endpoint again, and put its endpoint.py into the endpoint."
            )
        self._scorer = Scorer(model, ClassifySettings.from_params(settings), limits=serving_limits.PICTURE)
        self._columns = {column.name for column in model.extra_columns}
        self._without_answer = dict.fromkeys(("prediction", "label", "probability"))
        if model.ood_detector is not None:
            self._without_answer["verdict"] = None

    def answer(self, query: Mapping[str, Any]) -> Answer | list[Answer]:
        """Return the answer for a picture in base64, or a list of them for a list of pictures, in order.

        An answer has the columns of vision-classify, `prediction` as an object, without `images`. With `error` 1 it has
        a `reason` of pictures.REASONS, and a `detail` in words. The other attributes of a query are table columns of
        the model: a value for each picture in a list, or one for all.
        """
        query = query["features"] if set(query) == {"features"} and isinstance(query["features"], Mapping) else query
        if set(query) & {PICTURE, OTHER_NAME} == {OTHER_NAME}:
            query = {PICTURE if name == OTHER_NAME else name: value for name, value in query.items()}
        given = query.get(PICTURE)
        pictures = given if isinstance(given, list) else [given]
        try:
            cells = self._cells(query, len(pictures))
            answers = [self._one(picture, row) for picture, row in zip(pictures, cells, strict=True)]
        except Rejected as err:
            return self._rejected(err)
        return answers if isinstance(given, list) else answers[0]

    def _cells(self, query: Mapping[str, Any], count: int) -> list[dict[str, Any]]:
        """Return each picture's table columns; raises Rejected for a query that cannot be answered as a whole."""
        if count > MAX_PICTURES:
            raise Rejected("too_large", f"the query has {count} pictures; send at most {MAX_PICTURES}")
        given = {name: value for name, value in query.items() if name != PICTURE}
        unknown = sorted(set(given) - self._columns)
        if unknown:
            known = listed(sorted({PICTURE, *self._columns}), 20)
            raise Rejected("unreadable", f"the query has {listed(unknown, 5)[:200]}; this endpoint takes {known}")
        for name, value in given.items():
            if isinstance(value, Mapping) or (isinstance(value, list) and len(value) != count):
                raise Rejected("unreadable", f"{name} is neither one value nor a list of {count}, one per picture")
        return [
            {name: value[place] if isinstance(value, list) else value for name, value in given.items()}
            for place in range(count)
        ]

    def _one(self, picture: object, cells: dict[str, Any]) -> Answer:
        try:
            if picture is None:
                raise Rejected("missing", f"the query has no {PICTURE!r}; give it a picture in base64")
            (scored,) = self._scorer.score([from_base64(picture, MAX_BYTES)], [cells])
        except Rejected as err:
            return self._rejected(err)
        except VisionError as err:
            return self._rejected(Rejected("unreadable", str(err)))
        except Exception as err:  # a client gets an answer; whoever runs the node gets the stack trace
            log.exception("a query was not answered")
            return self._rejected(Rejected("unreadable", type(err).__name__))
        if scored.picture.reason:
            return self._rejected(Rejected(scored.picture.reason, scored.picture.detail))
        row = {name: value for name, value in scored.row.items() if name != "images"}
        return row | {"prediction": json.loads(row["prediction"])}

    def _rejected(self, rejected: Rejected) -> Answer:
        return {**self._without_answer, "error": 1, "reason": rejected.reason, "detail": rejected.detail}
