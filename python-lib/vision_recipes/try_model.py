"""The web app in which people try a model: pictures that they post are classified, explained and corrected."""

from __future__ import annotations

import base64
import json
import logging
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from vision_recipes import rows
from vision_recipes.dataset.column_encoding import is_known, says_missing
from vision_recipes.errors import LabelsError, PictureFolderError, SettingsError
from vision_recipes.images.webp import encode_webp
from vision_recipes.model_folder import Model
from vision_recipes.pictures import REASONS
from vision_recipes.reports.live_saliency import LiveSaliency
from vision_recipes.serving.current_model import CurrentModel
from vision_recipes.serving.feedback_folder import LONGEST, Correction, FeedbackFolder, cleaned_label
from vision_recipes.serving.scorer import Scored, Scorer
from vision_recipes.serving.serving_limits import PICTURE
from vision_recipes.settings import ClassifySettings
from vision_recipes.stores import EditableTable, Store
from vision_recipes.webapp_settings import TryModelSettings

log = logging.getLogger("vision_recipes")

LARGEST = 19_000_000
"""Bytes of a picture: hosts take a body of 20 MB, and the form around the picture needs some."""
LABELS, NEIGHBOURS = 5, 5
_LONGEST_CELL = 1000

VERDICTS = {
    rows.KNOWN: "Sure: like the training pictures.",
    rows.UNSURE: "Unsure: have a look yourself.",
    rows.UNKNOWN: "Unlike everything the model was trained on: do not rely on this answer.",
}

Answer = dict[str, Any]
Fields = Mapping[str, str]


class TryModel:
    """What the page asks: `questions` maps a name to a function of the picture's bytes and the form's other fields.

    They return plain data for JSON, raise VisionError for what a visitor or the page's owner can mend, and may be
    called by several threads.
    """

    def __init__(
        self,
        model: Store | None,
        settings: TryModelSettings,
        feedback_folder: Store | None = None,
        feedback_table: EditableTable | None = None,
    ) -> None:
        """Open the model, the default network without one; raises ModelFolderError, DeviceError, SettingsError."""
        if feedback_table is not None and feedback_folder is None:
            raise SettingsError("feedback_dataset: choose a feedback_folder as well; it takes the pictures themselves.")
        self._settings = settings
        self._feedback = None if feedback_folder is None else FeedbackFolder(feedback_folder, feedback_table)
        self._current = _fixed() if model is None else CurrentModel(model, _Opened).get
        self.questions: dict[str, Callable[[bytes, Fields], Answer]] = {
            "facts": self._facts,
            "classify": self._classify,
            "saliency": self._saliency,
            "correct": self._correct,
        }

    def _facts(self, _content: bytes, _fields: Fields) -> Answer:
        opened = self._current()
        return {
            "title": self._settings.title,
            "message": self._settings.message,
            "model": opened.model.name,
            "version": opened.model.folder_hash,
            "labels": list(opened.model.label_keys),
            "columns": _columns(opened.model),
            "largest": LARGEST,
            "longest_label": LONGEST,
            "saliency": self._settings.saliency_maps,
            "feedback": self._collected(),
        }

    def _classify(self, content: bytes, fields: Fields) -> Answer:
        opened = self._current()
        cells = _cells(fields)
        scored = opened.scored(content, cells)
        answer: Answer = {"version": opened.model.folder_hash, "error": _words(scored), "labels": []}
        if answer["error"]:
            return answer
        assert scored.picture.pixels is not None
        prediction = json.loads(scored.row["prediction"])
        verdict = scored.row.get("verdict")
        return answer | {
            "labels": [{"label": label, "probability": share} for label, share in prediction.items()],
            "verdict": verdict,
            "verdict_words": VERDICTS.get(str(verdict), ""),
            "similar": opened.similar(scored),
            "ignored": opened.ignored(cells),
            "seen": _data("webp", encode_webp(scored.picture.pixels)),
        }

    def _saliency(self, content: bytes, fields: Fields) -> Answer:
        """Answer without a map while the network is loaded: the page asks again."""
        opened = self._current()
        if not self._settings.saliency_maps:
            raise SettingsError("saliency_maps is switched off in the settings of this web app.")
        keys, label = opened.model.label_keys, fields.get("label", "")
        if label and label not in keys:
            raise LabelsError(f"The model has no label {label!r}. Load the page again: it may be another model by now.")
        if not opened.saliency.is_ready():
            return {"ready": False}
        drawn = opened.saliency.draw(content, keys.index(label) if label else None, _cells(fields))
        return {"ready": True, "source": _data("jpeg", drawn.jpeg), "label": keys[drawn.label], "words": drawn.words}

    def _correct(self, content: bytes, fields: Fields) -> Answer:
        if self._feedback is None:
            raise SettingsError("No feedback_folder is chosen in the settings of this web app, so nothing is kept.")
        opened = self._current()
        known = [*opened.model.label_keys, *self._feedback.counts()]
        label = cleaned_label(fields.get("label", ""), known)
        scored = opened.scored(content, _cells(fields))
        if reason := _words(scored):
            raise PictureFolderError(f"Only pictures that can be read are kept. This one cannot: {reason}.")
        path = self._feedback.keep(content, Correction(label, scored.row["label"], scored.row["probability"]))
        log.info("a picture was kept as %r", path)
        return {"label": label, "feedback": self._collected()}

    def _collected(self) -> Answer | None:
        """Return what was kept so far; None when nothing is to be kept."""
        if self._feedback is None:
            return None
        table = self._feedback.table
        return {
            "folder": self._feedback.name,
            "dataset": None if table is None else table.name,
            "counts": [{"label": label, "count": n} for label, n in self._feedback.counts().most_common()],
        }


class _Opened:
    """A model with all that answers for it."""

    def __init__(self, model: Model) -> None:
        self.model = model
        settings = ClassifySettings(max_nb_labels=LABELS)
        limits = replace(PICTURE, file_bytes=LARGEST)
        self._scorer = Scorer(model, settings, features=model.reference_pictures is not None, limits=limits)
        self.saliency = LiveSaliency(model, limits)

    def scored(self, content: bytes, cells: Mapping[str, Any]) -> Scored:
        return self._scorer.score([content], [cells])[0]

    def similar(self, scored: Scored) -> list[Answer]:
        """Return the most similar training pictures; none where the model keeps none."""
        kept = self.model.reference_pictures
        if kept is None or scored.features is None:
            return []
        return [
            {
                "label": self.model.label_keys[int(kept.labels[one.number])],
                "similarity": rows.rounded(one.similarity),
                "source": _data("webp", kept.thumbnails[one.number]),
            }
            for one in kept.nearest(scored.features, NEIGHBOURS)
        ]

    def ignored(self, cells: Mapping[str, Any]) -> list[str]:
        """Return the names of columns whose cell is filled but says nothing to the model."""
        columns = [column for column in self.model.extra_columns if not says_missing(cells.get(column.name))]
        known = {column.name for column in columns if is_known(column, cells[column.name])}
        return [name for name in dict.fromkeys(column.name for column in columns) if name not in known]


def _fixed() -> Callable[[], _Opened]:
    from vision_recipes.default_model import open_default

    opened = _Opened(open_default())
    return lambda: opened


def _columns(model: Model) -> list[Answer]:
    """Return the table columns that a network takes: name, `number` or `category`, and the categories."""
    found: dict[str, Answer] = {}
    for column in model.extra_columns:
        one = found.setdefault(column.name, {"name": column.name, "kind": column.kind, "categories": []})
        one["kind"] = "number" if "number" in (one["kind"], column.kind) else "category"
        one["categories"] = list(column.categories) or one["categories"]
    return list(found.values())


def _cells(fields: Fields) -> dict[str, str]:
    """Return the cells of the table columns from the field `columns`, JSON; raises SettingsError."""
    try:
        cells = json.loads(fields.get("columns") or "{}")
    except (ValueError, RecursionError) as err:
        raise SettingsError(f"columns: not JSON ({err}). Load the page again.") from err
    texts = isinstance(cells, dict) and all(isinstance(cell, str) for cell in cells.values())
    if not texts or any(len(cell) > _LONGEST_CELL for cell in cells.values()):
        raise SettingsError(f"columns: an object of texts with at most {_LONGEST_CELL} characters is expected.")
    return cells


def _words(scored: Scored) -> str:
    """Return why a picture has no answer, empty when it has one."""
    reason = scored.row["reason"]
    return REASONS[reason] if reason else ""


def _data(kind: str, content: bytes) -> str:
    return f"data:image/{kind};base64,{base64.b64encode(content).decode()}" if content else ""
