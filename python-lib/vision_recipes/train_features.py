"""The recipe from feature vectors and columns of a table to a model: several are compared, the best is saved."""

from __future__ import annotations

import logging
import math
from dataclasses import dataclass

import numpy as np

from vision_recipes.errors import SettingsError
from vision_recipes.feature_model_settings import METRICS, MODELS, TrainFeaturesSettings
from vision_recipes.feature_models.card import write_card
from vision_recipes.feature_models.feature_model import FeatureModelConfig, VectorConfig, arrays_of
from vision_recipes.feature_models.feature_model_folder import save_feature_model
from vision_recipes.feature_models.importance import permutation_importance
from vision_recipes.feature_models.inputs import COLUMNS, STACKED, FittedInputs
from vision_recipes.feature_models.leaderboard import Training, importance_rows, leaderboard_rows
from vision_recipes.feature_models.page import render_page
from vision_recipes.feature_models.search import MOST_ROWS, Judge, Search, fit_predictor, search
from vision_recipes.feature_models.training_table import TrainingTable, read_training_table
from vision_recipes.local_folders import work_folder
from vision_recipes.model_folder.commit import PLUGIN, installed_versions
from vision_recipes.model_folder.config import FileEntry
from vision_recipes.report_columns import FEATURE_LEADERBOARD, IMPORTANCE
from vision_recipes.reports.rendering import write_page
from vision_recipes.stores import OutputTable, Store, Table
from vision_recipes.training.blas_threads import blas_threads
from vision_recipes.wording import counted

log = logging.getLogger("vision_recipes")

_INTERVAL, _FEWEST_FOR_INTERVAL = 0.9, 20
_NORMS = 5000


@dataclass(frozen=True)
class TrainFeaturesOutputs:
    """Where results go: the folder of the model, and what may be connected besides."""

    model: Store
    leaderboard: OutputTable | None = None
    importance: OutputTable | None = None
    report: Store | None = None


def train_features(table: Table, settings: TrainFeaturesSettings, outputs: TrainFeaturesOutputs) -> None:
    """Train models on a dataset of feature vectors, and write the best one and what is known of it.

    Raises SettingsError, FeatureTableError, LabelsError before anything is written.
    """
    with work_folder("vision-features-") as workdir:
        data = read_training_table(table, settings, workdir)
        rows, length = data.rows.vectors.shape
        with blas_threads(min(rows, MOST_ROWS) * length * min(rows, length)):
            training = _compare(data, settings)
            config, arrays = _fit(training)
        save_feature_model(outputs.model, config, arrays, write_card(training))
        log.info("%s", training.summary)
        if outputs.leaderboard is not None:
            outputs.leaderboard.write(FEATURE_LEADERBOARD, leaderboard_rows(training))
        if outputs.importance is not None:
            outputs.importance.write(IMPORTANCE, importance_rows(training))
        if outputs.report is not None:
            write_page(outputs.report, render_page(training))


def _compare(data: TrainingTable, settings: TrainFeaturesSettings) -> Training:
    """Return what came of trying the models."""
    metric = _metric(settings, data)
    places = _searched(data, settings.random_seed)
    judge = Judge(data.rows.take(places), metric, data.scale, data.target.values[places])
    found = search(judge, settings.models or MODELS, 60 * settings.search_minutes)
    importances = permutation_importance(judge, found, data.choice.used)
    return Training(data, settings, metric, places, len(judge.folds), found, importances)


def _metric(settings: TrainFeaturesSettings, data: TrainingTable) -> str:
    fitting = METRICS[data.target.task]
    if settings.metric != "auto" and settings.metric not in fitting:
        raise SettingsError(
            f"metric: {settings.metric} does not fit {data.target.task} ({data.column!r}: {data.target.reason}). "
            f"Choose {', '.join(fitting)}, or auto; or set task."
        )
    return fitting[0] if settings.metric == "auto" else settings.metric


def _searched(data: TrainingTable, seed: int) -> np.ndarray:
    """Return the places of the rows that take part in the search: whole groups, drawn by the seed, the last in part."""
    groups = data.rows.groups
    if len(groups) <= MOST_ROWS:
        return np.arange(len(groups))
    order = np.random.default_rng(seed).permutation(int(groups.max()) + 1)[groups]
    places = np.sort(np.argsort(order, kind="stable")[:MOST_ROWS])
    log.info("%s of %s take part in the search; the chosen model is fitted on all", f"{MOST_ROWS:,}", len(groups))
    return places


def _fit(training: Training) -> tuple[FeatureModelConfig, dict[str, np.ndarray]]:
    """Return the chosen model, fitted on all rows."""
    data, best = training.data, training.found.best
    candidate = best.candidate
    weight = candidate.settings.get("weight", 1.0)
    fitted = FittedInputs(data.rows)
    inputs = fitted.inputs(candidate.form, weight, candidate.components)
    predictor = fit_predictor(candidate.kind, candidate.settings, inputs, data.rows.values, training.task)
    arrays = arrays_of(predictor)
    if candidate.form != COLUMNS:
        arrays["basis_mean"] = fitted.basis.mean
        arrays["basis_components"] = fitted.basis.components
        if candidate.form != STACKED:
            arrays["basis_components"] = fitted.basis.components[:, : candidate.components]
    if candidate.form == STACKED:
        arrays["score_coef"], arrays["score_intercept"] = fitted.score.coef, fitted.score.intercept
    norms = np.linalg.norm(data.rows.vectors[data.rows.rows[:_NORMS]].astype(np.float64), axis=1)
    config = FeatureModelConfig(
        task=data.target.task,
        target=data.column,
        kind=predictor.kind,
        form=candidate.form,
        settings={name: float(value) for name, value in candidate.settings.items()},
        vector=VectorConfig(data.vector_column, data.rows.vectors.shape[1], float(norms.mean()), float(norms.std())),
        columns=tuple(data.choice.used) if candidate.form != "vector" else (),
        weight=weight / math.sqrt(max(1, len(data.choice.used))),
        classes=data.target.classes,
        values=data.scale,
        factor=best.factor,
        half_width=_half_width(training.found, data, training.places),
        combine_column=training.settings.combine_column,
        arrays={name: values.shape for name, values in arrays.items()},
        model=FileEntry("model.npz", "0" * 64, 1),
        trained_on=f"{counted(len(data.rows.rows), 'row')} of {data.name}",
        versions=installed_versions((PLUGIN, "scikit-learn", "numpy")),
    )
    return config, arrays


def _half_width(found: Search, data: TrainingTable, places: np.ndarray) -> float | None:
    """Return half of the 90 % interval of a value, in deviations, from its errors on rows held out (conformal)."""
    if data.scale is None or len(places) < _FEWEST_FOR_INTERVAL:
        return None
    errors = np.sort(np.abs(data.scale.to_model(np.asarray(found.held_out)) - data.rows.values[places]))
    return float(errors[min(len(errors), math.ceil((len(errors) + 1) * _INTERVAL)) - 1])


__all__ = ["TrainFeaturesOutputs", "train_features"]
