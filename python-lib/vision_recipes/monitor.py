"""Monitor: from new pictures, or the log of an endpoint, to how much they differ from those of the training."""

from __future__ import annotations

import datetime
import logging
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from vision_recipes.listed_once import listed_once
from vision_recipes.model_folder import open_model
from vision_recipes.monitor_settings import MonitorSettings
from vision_recipes.monitoring.comparison import LOOKS, UNKNOWN_SHARE, Rules, compare
from vision_recipes.monitoring.moved import most_moved
from vision_recipes.monitoring.page import MonitoredRun, render_monitoring_page
from vision_recipes.monitoring.sources import MonitorInputs, find_new_pictures, find_references, require_fitting
from vision_recipes.monitoring.words import summary
from vision_recipes.report_columns import MOVED
from vision_recipes.reports.rendering import write_page
from vision_recipes.rows import UNKNOWN, UNSURE, rounded
from vision_recipes.stores import OutputTable, Store

log = logging.getLogger("vision_recipes")

__all__ = ["MonitorInputs", "MonitorOutputs", "monitor"]

Row = dict[str, Any]


@dataclass(frozen=True)
class MonitorOutputs:
    """What may be connected besides the metrics: a table of the pictures that moved most, a folder for the page."""

    moved: OutputTable | None = None
    report: Store | None = None


def monitor(
    inputs: MonitorInputs,
    settings: MonitorSettings,
    outputs: MonitorOutputs = MonitorOutputs(),  # noqa: B008 - frozen
) -> Iterator[Row]:
    """Return an iterator over the one row (report_columns.MONITORED) of the run; write the other outputs.

    Without a model, the default network is used. Raises SettingsError, ModelFolderError, PictureFolderError,
    EmbeddingLogError, DeviceError before anything is written.
    """
    inputs = replace(inputs, pictures=listed_once(inputs.pictures), reference=listed_once(inputs.reference))
    if inputs.model is None:
        from vision_recipes.default_model import open_default
    model = open_default() if inputs.model is None else open_model(inputs.model)
    require_fitting(inputs, model)
    references = find_references(inputs, model, settings)
    new = find_new_pictures(inputs, model, settings)
    rules = Rules(settings.alarm_level, settings.label_mix == "ignore", settings.random_seed)
    found = compare(references, new.sample, len(new.unreadable), model.config.n_classes, rules)
    most = max(settings.nb_moved, MonitoredRun.GALLERY)
    moved = most_moved(found.scores, new.sample, references.looks, most)
    run = MonitoredRun(model, settings, inputs, found, references, new, moved)
    log.info("%s", summary(found, references, new, model.label_keys))
    if outputs.moved is not None:
        outputs.moved.write(MOVED, moved_rows(run))
    if outputs.report is not None:
        write_page(outputs.report, render_monitoring_page(run))
    return iter([metrics_row(run)])


def metrics_row(run: MonitoredRun) -> Row:
    """Return the row (MONITORED) of a run."""
    found, new, expected = run.found, run.new.sample, run.references.predictions
    accuracy = found.accuracy
    return {
        "time": datetime.datetime.now(datetime.UTC).isoformat("T", "seconds"),
        "model": run.model.name,
        "source": run.source,
        "alarm": int(found.alarm),
        "reasons": ",".join(found.reasons),
        "summary": summary(found, run.references, run.new, run.model.label_keys),
        "p_value": _rounded(found.p_value),
        "separability": _rounded(found.separability),
        "pictures": len(new),
        "unreadable": len(run.new.unreadable),
        "reference_pictures": len(run.references.looks),
        "unknown_share": _rounded(new.share(UNKNOWN)),
        "unsure_share": _rounded(new.share(UNSURE)),
        "expected_unknown_share": _rounded(expected.share(UNKNOWN)),
        "expected_unsure_share": _rounded(expected.share(UNSURE)),
        "expected_flagged_share": _rounded(expected.flagged_share),
        "label_mix_change": _rounded(found.label_mix.moved) if found.label_mix else None,
        "expected_accuracy": _rounded(accuracy.accuracy) if accuracy else None,
        "expected_accuracy_low": _rounded(accuracy.low) if accuracy else None,
        "expected_accuracy_high": _rounded(accuracy.high) if accuracy else None,
        "validation_accuracy": _rounded(accuracy.validation) if accuracy else None,
        "repeated_share": _rounded(found.repeated[1]) if len(new) else None,
        "p_looks": found.p_values.get(LOOKS),
        "p_within_labels": found.within_labels,
        "p_unknown": _rounded(found.p_values.get(UNKNOWN_SHARE)),
        "p_label_mix": found.label_mix.p_value if found.label_mix else None,
    }


def moved_rows(run: MonitoredRun) -> Iterator[Row]:
    """Yield a row (MOVED) for each of the pictures that moved most, the highest score first."""
    new, looks, labels = run.new.sample, run.references.looks, run.model.label_keys
    for moved in run.moved[: run.settings.nb_moved]:
        label, name = new.labels[moved.row], new.names[moved.row]
        yield {
            "images": name if run.inputs.pictures else None,
            "time": None if run.inputs.pictures else name,
            "score": rounded(moved.score),
            "label": labels[label] if label >= 0 else None,
            "probability": rounded(new.probabilities[moved.row]) if label >= 0 else None,
            "verdict": str(new.verdicts[moved.row]),
            "nearest": looks.names[moved.nearest],
            "nearest_label": labels[looks.labels[moved.nearest]] if looks.labels[moved.nearest] >= 0 else None,
            "similarity": rounded(moved.similarity),
        }


def _rounded(value: float | None) -> float | None:
    return None if value is None else rounded(value)
