"""The retrained model and its reports, put into the output folder."""

from __future__ import annotations

from vision_recipes.dataset.splits import TRAIN
from vision_recipes.errors import OutputError
from vision_recipes.model_folder.heads import About, save_with_head, spec_with_head
from vision_recipes.stores import Store
from vision_recipes.training import run_reports
from vision_recipes.training.outcome import describe
from vision_recipes.training.run_reports import Run

_PROBE = "/vision-recipes.probe"


def require_writable(output: Store) -> None:
    """Raise OutputError unless a file can be written into the folder and deleted again: before hours of work."""
    try:
        output.write(_PROBE, b"written to see whether this folder can be written\n")
        output.delete(_PROBE)
    except OSError as err:
        raise OutputError(f"Folder {output.name!r} cannot be written: {err}. Check its rights and free space.") from err


def save(output: Store, run: Run) -> None:
    """Write the model folder, config.json last, and delete reports of an earlier training that this one lacks."""
    images, base, trained = run.images, run.source.base, run.trained
    reports = run_reports.write_reports(run)
    if run.settings.data_augmentation:
        from vision_recipes.training.augmentation_page import examples_page

        reports[run_reports.EXAMPLES] = examples_page(images.subset(TRAIN), run.settings)
    pictures = _last_part(run.source.pictures.name)
    about = About(
        name=_last_part(output.name) or base.name,
        trained_on=f"{len(images.rows(TRAIN)):,} pictures in folder “{pictures}”, starting from {base.name}",
        notes=describe(run),
        reference_pictures=trained.reference,
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


def _last_part(name: str) -> str:
    """Return a folder's own name, without those that it lies in."""
    return name.rstrip("/\\").replace("\\", "/").rpartition("/")[2]
