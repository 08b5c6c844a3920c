"""Where new pictures and references come from, by what is connected; what does not fit is said before any work."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from vision_recipes.dataset.extra_columns import encode_table
from vision_recipes.dataset.splits import VALID
from vision_recipes.errors import EmbeddingLogError, ModelFolderError, SettingsError
from vision_recipes.model_folder import Model
from vision_recipes.monitor_settings import MonitorSettings
from vision_recipes.monitoring.comparison import MAX_TESTED, References
from vision_recipes.monitoring.kept_pictures import kept_references, kept_sample
from vision_recipes.monitoring.sample import Sample
from vision_recipes.monitoring.scoring import ScoredPictures, compared_width, score_folder
from vision_recipes.pictures import Picture
from vision_recipes.reports.training_record import read_training_record
from vision_recipes.serving.embedding_log import read_embedding_log
from vision_recipes.stores import Store, Table


@dataclass(frozen=True)
class MonitorInputs:
    """The new pictures, or the log of those that an endpoint answered, and what may be connected besides.

    `reference` are pictures to compare with, instead of those that the model keeps; `extra` is the table of a model
    trained with columns, for the pictures of both folders.
    """

    pictures: Store | None = None
    embeddings: Store | None = None
    model: Store | None = None
    reference: Store | None = None
    extra: Table | None = None
    cache: Store | None = None


def require_fitting(inputs: MonitorInputs, model: Model) -> None:
    """Raise SettingsError or ModelFolderError when inputs are missing or do not go together."""
    if (inputs.pictures is None) == (inputs.embeddings is None):
        both = "neither is" if inputs.pictures is None else "both are"
        raise SettingsError(
            f"image_folder, embedding_log: {both} connected. Connect one of them: a folder of new pictures, or the log "
            "that vision-serve writes."
        )
    if inputs.reference is None and model.reference_pictures is None:
        raise ModelFolderError(
            f"Model {model.name!r} keeps nothing of the pictures that it was made from, so there is nothing to compare "
            "new ones with. Connect a reference_folder with pictures like those, or retrain the model with "
            "keep_pictures 'thumbnails' or 'features'."
        )


def find_references(inputs: MonitorInputs, model: Model, settings: MonitorSettings) -> References:
    """Return what new pictures are compared with: the reference folder, else what the model keeps."""
    kept = model.reference_pictures
    if inputs.reference is None:
        assert inputs.model is not None and kept is not None
        training = read_training_record(inputs.model)
        parameters = training.parameters
        frozen = parameters.get("layer_to_retrain") == "last" and parameters.get("initial_weights") != "random"
        sizes = np.array([training.class_sizes[label] for label in model.labels], np.int64)
        found = kept_references(model, kept, sizes, settings.random_seed, frozen=frozen)
        if not len(found.looks):
            raise ModelFolderError(
                f"Model {model.name!r} keeps no validation picture that new ones could be compared with. Connect a "
                "reference_folder with pictures like those."
            )
        return found
    extra = _encoder(inputs, inputs.reference, model)
    scored = score_folder(inputs.reference, model, settings, MAX_TESTED, extra, inputs.cache).sample
    if not len(scored):
        raise SettingsError(
            f"reference_folder: no picture of {inputs.reference.name!r} could be read. Connect a folder with pictures "
            "like those that the model was made from."
        )
    nothing = scored.take(np.arange(0))
    answers = nothing if kept is None else kept_sample(model, kept).take(kept.rows(VALID))
    return References(scored, scored, answers)


def find_new_pictures(inputs: MonitorInputs, model: Model, settings: MonitorSettings) -> ScoredPictures:
    """Return the new pictures: of the folder a random part when there are many, of the log the newest."""
    if inputs.pictures is not None:
        extra = _encoder(inputs, inputs.pictures, model)
        return score_folder(inputs.pictures, model, settings, settings.nb_pictures, extra, inputs.cache)
    assert inputs.embeddings is not None
    found = read_embedding_log(inputs.embeddings, model.folder_hash, compared_width(model), settings.nb_pictures)
    numbers = {label: number for number, label in enumerate(model.label_keys)}
    foreign = sorted(set(found.labels) - set(numbers))
    if foreign:
        raise EmbeddingLogError(
            f"embedding_log: {inputs.embeddings.name!r} has labels that model {model.name!r} does not have: "
            f"{', '.join(foreign[:3])}. Connect the model folder that vision-serve answers from."
        )
    sample = Sample(
        tuple(datetime.datetime.fromtimestamp(time, datetime.UTC).isoformat("T", "seconds") for time in found.times),
        found.features,
        np.array([numbers[label] for label in found.labels], np.int64),
        found.probabilities,
        np.array(found.verdicts, np.str_),
        np.full(len(found), np.nan),
    )
    return ScoredPictures(sample, {}, len(found))


def _encoder(inputs: MonitorInputs, folder: Store, model: Model) -> Callable[[Picture], np.ndarray] | None:
    return encode_table(model.extra_columns, folder.paths(), inputs.extra, model.name) if model.extra_columns else None
