"""The retrained model and its reports, put into the output folder."""

from __future__ import annotations

from dataclasses import asdict

import numpy as np

from vision_recipes.dataset.labelled_images import LabelledImages
from vision_recipes.dataset.splits import TRAIN
from vision_recipes.errors import OutputError
from vision_recipes.model_folder.heads import About, save_with_head, spec_with_head
from vision_recipes.stores import Store
from vision_recipes.training import run_reports
from vision_recipes.training.features import FeatureSource
from vision_recipes.training.run_reports import Run

_PROBE = "/vision-recipes.probe"
_EXAMPLES = 6


def require_writable(output: Store) -> None:
    """Raise OutputError unless a file can be written into the folder and deleted again: before hours of work."""
    try:
        output.write(_PROBE, b"written to see whether this folder can be written\n")
        output.delete(_PROBE)
    except OSError as err:
        raise OutputError(f"Folder {output.name!r} cannot be written: {err}. Check its rights and free space.") from err


def save(output: Store, source: FeatureSource, run: Run) -> None:
    """Write the model folder, config.json last, and delete reports of an earlier training that this one lacks."""
    images, base, trained = run.images, source.base, run.trained
    reports = run_reports.write_reports(run)
    if run.settings.data_augmentation:
        reports[run_reports.EXAMPLES] = _augmentation_examples(run)
    about = About(
        name=output.name.rstrip("/\\").replace("\\", "/").rpartition("/")[2] or base.name,
        trained_on=f"{len(images.rows(TRAIN))} pictures of {source.pictures.name}, from {base.name}",
        notes=run_reports.describe(run),
    )
    if trained.network is None:
        save_with_head(output, base, trained.head, about, reports)
    else:
        from vision_recipes.model_folder.saving import save_model

        save_model(output, trained.network, spec_with_head(base, trained.head, about), reports)
    for name in run_reports.EVERY:
        if name not in reports:
            output.delete("/" + name)
    if not run.settings.tensorboard:
        for path in [path for path in output.paths() if path.startswith("/tensorboard_logs/")]:
            output.delete(path)


def describe_base(source: FeatureSource) -> dict[str, object]:
    """Return what run.json records of the network that the training started from."""
    base = source.base
    return {"name": base.name, "hash": base.folder_hash, "input": asdict(base.preprocessing)}


def _augmentation_examples(run: Run) -> bytes:
    """Return the page of augmented examples: a training picture of each of the first few classes."""
    from vision_recipes.training.augmentation import AugmentationPlan
    from vision_recipes.training.augmentation_page import examples_page

    settings = run.settings
    plan = AugmentationPlan.from_pairs(settings.model_custom_params_data_augmentation)
    shown = _first_of_each_class(run.images.subset(TRAIN))
    return examples_page(shown, plan, settings.random_seed, settings.n_augmentation)


def _first_of_each_class(images: LabelledImages) -> LabelledImages:
    _classes, first = np.unique(images.targets, return_index=True)
    return images.take(first[:_EXAMPLES])
