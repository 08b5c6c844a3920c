"""The page of a training: one self-contained HTML file."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from vision_recipes.feature_models.leaderboard import WORDS, Training, figure
from vision_recipes.feature_models.plots import Bar, bars, draw_predicted
from vision_recipes.reports.rendering import render

_CLASSES, _INPUTS = 20, 30


@dataclass(frozen=True)
class Confusion:
    """Counts (classes, classes) of rows not seen, true classes down, of the most frequent classes."""

    names: tuple[str, ...]
    counts: np.ndarray
    others: int

    def fraction(self, truth: int, predicted: int) -> float:
        """Return which part of a true class was predicted so."""
        return float(self.counts[truth, predicted] / max(1, self.counts[truth].sum()))


def render_page(training: Training) -> bytes:
    """Return the page as UTF-8."""
    best = training.found.best
    classes = training.data.target.classes
    return render(
        "feature_models.html",
        {
            "training": training,
            "data": training.data,
            "best": best,
            "value": training.written(training.value(best)),
            "ends": [training.written(end) for end in training.ends(best)],
            "expected": training.written(training.expected),
            "forms": WORDS,
            "by_form": _by_form(training),
            "leaderboard": _leaderboard(training),
            "candidates": len(training.found.judged),
            "importance": _importance(training),
            "unused": [one.name for one in training.importances if not one.used],
            "confusion": _confusion(training) if classes else None,
            "scatter": None if classes else draw_predicted(_truth(training), np.asarray(training.found.held_out)),
            "figures": [] if classes else _figures(training),
        },
    )


def _by_form(training: Training) -> list[tuple[str, str, str, str, str]]:
    """Return the best model of each form of inputs: form, model, value, its interval, how far behind."""
    found = []
    for form, judged in training.best_of_forms.items():
        low, high = training.ends(judged)
        behind, least, most = training.behind(judged)
        lag = (
            "the best"
            if judged is training.found.best
            else (f"{_step(training, behind)} behind ({_step(training, least)} to {_step(training, most)})")
        )
        interval = f"{training.written(low)} to {training.written(high)}"
        found.append((WORDS[form], training.name(judged), training.written(training.value(judged)), interval, lag))
    return found


def _step(training: Training, difference: float) -> str:
    return f"{100 * difference:.1f} points" if training.metric.higher else training.written(difference)


def _leaderboard(training: Training) -> list[Bar]:
    rows = training.best_of_each
    named = [
        (f"{training.name(judged)}, {judged.candidate.form}", judged.candidate.described, training.value(judged))
        for judged in rows
    ]
    return bars(named, [training.ends(judged) for judged in rows], training.written)


def _importance(training: Training) -> list[Bar]:
    used = [one for one in training.importances if one.used][:_INPUTS]
    named = [(one.name, one.kind, one.loss) for one in used]
    return bars(named, [(one.low, one.high) for one in used], lambda loss: _step(training, loss))


def _truth(training: Training) -> np.ndarray:
    return training.data.target.values[training.places]


def _confusion(training: Training) -> Confusion:
    classes, truth = training.data.target.classes, _truth(training)
    predicted = np.asarray(training.found.held_out).argmax(axis=1)
    shown = np.sort(np.argsort(-np.bincount(truth, minlength=len(classes)), kind="stable")[:_CLASSES])
    counts = np.bincount(truth * len(classes) + predicted, minlength=len(classes) ** 2).reshape(len(classes), -1)
    return Confusion(tuple(classes[i] for i in shown), counts[np.ix_(shown, shown)], len(classes) - len(shown))


def _figures(training: Training) -> list[tuple[str, str]]:
    """Return what else people ask of predicted numbers: name and value."""
    truth, predicted = _truth(training), np.asarray(training.found.held_out)
    unit = float(np.abs(truth).max())
    truth, predicted = truth / unit, predicted / unit
    errors = np.abs(predicted - truth)
    variance = float(((truth - truth.mean()) ** 2).mean())
    figures = [
        ("R² (1 is perfect, 0 no better than the mean)", f"{1 - float((errors**2).mean()) / variance:.3f}"),
        ("mean absolute error", figure(float(errors.mean()) * unit)),
        ("median absolute error", figure(float(np.median(errors)) * unit)),
        ("root mean squared error", figure(float(np.sqrt((errors**2).mean())) * unit)),
    ]
    figures = [(name, shown) for name, shown in figures if name != training.metric.name]
    if (truth != 0).all():
        figures.append(("median relative error", f"{100 * float(np.median(errors / np.abs(truth))):.1f} %"))
    return figures
