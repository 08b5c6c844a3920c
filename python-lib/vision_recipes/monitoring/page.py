"""The page of a run: one self-contained HTML file, of bounded size whatever the number of pictures."""

from __future__ import annotations

import base64
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

from vision_recipes.model_folder import Model
from vision_recipes.monitor_settings import MonitorSettings
from vision_recipes.monitoring import words
from vision_recipes.monitoring.comparison import Comparison, References
from vision_recipes.monitoring.moved import Moved
from vision_recipes.monitoring.scoring import ScoredPictures
from vision_recipes.monitoring.sources import MonitorInputs
from vision_recipes.pictures import REASONS
from vision_recipes.reports.rendering import render
from vision_recipes.reports.thumbnails import Thumbnail, make_thumbnails
from vision_recipes.rows import KNOWN, UNKNOWN, UNSURE

_LABELS, _FILES = 12, 40
_KEPT_SIDE = 96


@dataclass(frozen=True)
class MonitoredRun:
    """All that a run read and found; `moved` are the pictures that moved most, GALLERY of them at least."""

    GALLERY: ClassVar[int] = 12

    model: Model
    settings: MonitorSettings
    inputs: MonitorInputs
    found: Comparison
    references: References
    new: ScoredPictures
    moved: Sequence[Moved]

    @property
    def source(self) -> str:
        """The name of the folder that the new pictures, or their features, come from."""
        store = self.inputs.pictures or self.inputs.embeddings
        return store.name if store else ""


def render_monitoring_page(run: MonitoredRun) -> bytes:
    """Return the page as UTF-8."""
    found, new = run.found, run.new.sample
    gallery = run.moved[: run.GALLERY]
    names, old = new.names, run.references.looks.names
    return render(
        "monitoring.html",
        {
            "title": words.headline(found),
            "run": run,
            "found": found,
            "new": new,
            "reasons": list(words.reasons(found, run.references, run.new, run.model.label_keys)),
            "trust": words.trust(found),
            "next_steps": list(words.next_steps(found, from_folder=run.inputs.pictures is not None)),
            "gallery": [(moved, names[moved.row], old[moved.nearest]) for moved in gallery],
            "labels": run.model.label_keys,
            "thumbs": make_thumbnails(run.inputs.pictures, [names[moved.row] for moved in gallery]),
            "old_thumbs": _reference_thumbnails(run, [old[moved.nearest] for moved in gallery]),
            "mix": _mix(run),
            "verdicts": _verdicts(run),
            "unreadable": [
                (reason, REASONS.get(reason, ""), count)
                for reason, count in Counter(run.new.unreadable.values()).most_common()
            ],
            "unreadable_files": list(run.new.unreadable)[:_FILES],
        },
    )


def _reference_thumbnails(run: MonitoredRun, paths: Sequence[str]) -> Mapping[str, Thumbnail]:
    """Return the thumbnails of reference pictures: made from their folder, or those that the model keeps."""
    if run.inputs.reference is not None:
        return make_thumbnails(run.inputs.reference, paths)
    kept = run.model.reference_pictures
    if kept is None:
        return {}
    contents = dict(zip(kept.paths, kept.thumbnails, strict=True))
    encoded = {path: base64.b64encode(contents[path]).decode() for path in paths if contents.get(path)}
    return {
        path: Thumbnail(f"data:image/webp;base64,{content}", _KEPT_SIDE, _KEPT_SIDE)
        for path, content in encoded.items()
    }


def _mix(run: MonitoredRun) -> list[tuple[str, float, float]]:
    """Return labels with their fraction before and now, the largest change first."""
    if run.found.label_mix is None:
        return []
    changes = run.found.label_mix.changes()[:_LABELS]
    return [(run.model.label_keys[number], before, now) for number, before, now in changes]


def _verdicts(run: MonitoredRun) -> list[tuple[str, float | None, float | None]]:
    """Return each verdict with its fraction among the reference pictures and now; empty without a detector."""
    expected, new = run.references.predictions, run.new.sample
    if not new.has_verdicts:
        return []
    return [(verdict, expected.share(verdict), new.share(verdict)) for verdict in (KNOWN, UNSURE, UNKNOWN)]
