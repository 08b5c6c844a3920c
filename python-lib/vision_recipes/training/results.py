"""The taught network and its reports put into the output folder."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace

from vision_recipes.dataset.splits import TRAIN
from vision_recipes.errors import OutputError
from vision_recipes.images.reading import read
from vision_recipes.model_folder.heads import About, save_with_head, spec_with_head
from vision_recipes.pictures import Picture
from vision_recipes.stores import Store
from vision_recipes.training import run_reports
from vision_recipes.training.augmentation import Plan
from vision_recipes.training.augmentation_page import examples_page
from vision_recipes.training.lessons import Lesson
from vision_recipes.training.teaching import Taught

_PROBE = "/vision-recipes.probe"
_EXAMPLES = 6


def require_writable(output: Store) -> None:
    """Raise OutputError unless a file can be written into the folder and deleted again: before hours of work."""
    try:
        output.write(_PROBE, b"written to see whether this folder can be written\n")
        output.delete(_PROBE)
    except OSError as err:
        raise OutputError(f"Folder {output.name!r} cannot be written: {err}. Check its rights and free space.") from err


def save(output: Store, lesson: Lesson, taught: Taught) -> None:
    """Write the model folder, config.json last; what reports an earlier training left and this one has not, go."""
    source, story = lesson.source, _story(lesson, taught)
    written = run_reports.write_reports(story)
    if source.settings.data_augmentation:
        written[run_reports.EXAMPLES] = _examples(lesson)
    about = About(
        name=output.name.rstrip("/\\").replace("\\", "/").rpartition("/")[2] or source.base.name,
        trained_on=f"{len(lesson.rows(TRAIN))} pictures of {source.pictures.name}, from {source.base.name}",
        notes=run_reports.tell(story),
    )
    if taught.network is None:
        save_with_head(output, source.base, taught.head, about, written)
    else:
        from vision_recipes.model_folder.saving import save_model

        save_model(output, taught.network, spec_with_head(source.base, taught.head, about), written)
    for name in run_reports.EVERY:
        if name not in written:
            output.delete("/" + name)
    if not source.settings.tensorboard:
        for path in [path for path in output.paths() if path.startswith("/tensorboard_logs/")]:
            output.delete(path)


def _story(lesson: Lesson, taught: Taught) -> run_reports.Story:
    source = lesson.source
    return run_reports.Story(
        settings=source.settings,
        labels=lesson.labels,
        pictures=lesson.pictures,
        sides=lesson.sides,
        rejected=lesson.rejected,
        remarks=list(lesson.remarks),
        alike=lesson.alike,
        how=taught.how,
        epochs=taught.epochs,
        judged=taught.judged,
        more_metrics=taught.metrics,
        facts={
            "base_model": {
                "name": source.base.name,
                "hash": source.base.folder_hash,
                "input": json.loads(json.dumps(vars(source.base.preprocessing))),
            }
        },
    )


def _examples(lesson: Lesson) -> bytes:
    """Return the page of augmented examples: a training picture of each of the first few classes."""
    settings, source = lesson.source.settings, lesson.source
    rows = lesson.rows(TRAIN)
    chosen = {int(lesson.targets[row]): int(row) for row in reversed(rows)}
    shown = [lesson.pictures[chosen[number]] for number in sorted(chosen)[:_EXAMPLES]]
    plan = Plan.from_pairs(settings.model_custom_params_data_augmentation)

    def labelled() -> Iterator[Picture]:
        paths = [picture.path for picture in shown]
        for before, now in zip(shown, read(source.pictures, paths, source.base.preprocessing), strict=True):
            yield replace(now, label=before.label)

    return examples_page(list(labelled()), plan, settings.random_seed, settings.n_augmentation)
