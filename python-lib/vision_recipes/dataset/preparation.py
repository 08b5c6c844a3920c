"""Pictures that were read and the label table brought together: classes, near-duplicates, groups, split, columns."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace

import numpy as np

from vision_recipes.dataset import duplicates, splits
from vision_recipes.dataset.column_encoding import encode
from vision_recipes.dataset.label_table import LabelTable
from vision_recipes.dataset.labelled_images import LabelledImages, ReadPictures, class_weights
from vision_recipes.errors import LabelsError
from vision_recipes.training_settings import RetrainSettings
from vision_recipes.wording import counted

log = logging.getLogger("vision_recipes")


@dataclass(frozen=True)
class Prepared:
    """A dataset ready for training, with its near-duplicates by row.

    `remarks` are sentences, without full stop, on what people should know of the data.
    """

    images: LabelledImages
    near_duplicates: Sequence[duplicates.Pair]
    remarks: list[str]


def group_images(read: ReadPictures, table: LabelTable, seed: int) -> tuple[LabelledImages, list[duplicates.Pair]]:
    """Return the usable pictures with classes and groups, not split yet, and the pairs of near-duplicates.

    Near-duplicates, and pictures with the same cell in the group column, are in one group.
    """
    labels = [table.labels[picture.path] for picture in read.usable]
    classes = tuple(sorted(set(labels)))
    numbers = {label: number for number, label in enumerate(classes)}
    targets = np.array([numbers[label] for label in labels], np.int64)
    images = replace(
        LabelledImages.of_features(read.features, targets, classes),
        paths=[picture.path for picture in read.usable],
        digests=[picture.digest for picture in read.usable],
        pixels=read.pixels,
        several=read.several,
    )
    pairs = duplicates.find_duplicates(images.features, images.digests, seed)
    links = [(pair.one, pair.other) for pair in pairs]
    return replace(images, groups=splits.merge_groups(len(images), links, _same_cell(images, table))), pairs


def prepare(read: ReadPictures, table: LabelTable, settings: RetrainSettings) -> Prepared:
    """Return the dataset to train on, split and with encoded columns; raises LabelsError.

    The list of classes is fixed before the split.
    """
    images, pairs = group_images(read, table, settings.random_seed)
    remarks = _missing_classes(images.classes, table)
    images = _split(images, table, settings, remarks)
    remarks += splits.split_remarks(images.sides, images.targets, images.classes)
    remarks += duplicates.duplicate_remarks(pairs, images.paths, images.targets, images.sides)
    if read.unreadable:
        remarks.append(
            counted(
                len(read.unreadable),
                "labelled picture could not be read and was left out",
                "labelled pictures could not be read and were left out",
            )
        )
    train = images.rows(splits.TRAIN)
    if settings.extra_columns:
        from vision_recipes.dataset.extra_columns import learn

        trained = [images.paths[row] for row in train]
        rows = {path: table.extra[path] for path in trained if path in table.extra}
        images = replace(images, columns=learn(settings.extra_columns, rows, table.extra_source))
    weights = np.ones(len(images), np.float32)
    weights[train] = class_weights(images.targets[train], len(images.classes), settings.class_weights)
    images = replace(
        images,
        weights=weights,
        extra=np.stack([encode(images.columns, table.extra.get(path)) for path in images.paths]),
    )
    for remark in remarks:
        log.warning("data: %s", remark)
    _log_counts(images, len(read.unreadable))
    return Prepared(images, pairs, remarks)


def _same_cell(images: LabelledImages, table: LabelTable) -> list[tuple[int, int]]:
    return splits.linked_by([table.group.get(path) for path in images.paths])


def _split(images: LabelledImages, table: LabelTable, settings: RetrainSettings, remarks: list[str]) -> LabelledImages:
    """Return the images with their sides, and the groups that the split kept together."""
    cells = [str(table.split[path]) for path in images.paths] if table.split else ["train"] * len(images)
    if table.split:
        log.info("%s replaces train_ratio", table.split_source)
    if not table.split or (not settings.split_column and "validation" not in cells):
        images = _draw_validation(images, [cell == "train" for cell in cells], table, settings, remarks)
        if not table.split:
            return images
        remarks.append("no folder holds validation pictures, so some of the training pictures are held out instead")
        cells = [cell if cell == "test" else splits.SIDES[side] for cell, side in zip(cells, images.sides, strict=True)]
    return replace(images, sides=splits.read_split(cells, images.targets, images.classes, table.split_source))


def _draw_validation(
    images: LabelledImages, training: Sequence[bool], table: LabelTable, settings: RetrainSettings, remarks: list[str]
) -> LabelledImages:
    """Return the images with some of those for training held out for validation, drawn as if there were no feedback."""
    sides, groups = images.sides.copy(), images.groups
    rows, feedback = _without_feedback(images, np.flatnonzero(training), table)

    def draw(some: np.ndarray) -> np.ndarray:
        names, ratio, seed = images.classes, settings.train_ratio, settings.random_seed
        return splits.draw_split(images.targets[some], groups[some], names, ratio, seed)

    try:
        sides[rows] = draw(rows)
    except LabelsError:  # raised again below, unless near-duplicates were the reason
        groups = splits.merge_groups(len(images), _same_cell(images, table))
        sides[rows] = draw(rows)
        remarks.append(
            "so many pictures are near-duplicates that they could not be kept on one side of the split; "
            "the validation metrics may be too optimistic"
        )
    new = feedback[~np.isin(images.targets[feedback], images.targets[rows])]
    with suppress(LabelsError):  # too few pictures of the labels that only the feedback has
        sides[new] = draw(new)
    _keep_together(sides, groups, images.targets, feedback)
    if len(feedback):
        trained = int((sides[feedback] == splits.TRAIN).sum())
        others = "; the others are near-duplicates of validation pictures or have a label that only the feedback has"
        remarks.append(
            f"{counted(len(feedback), 'picture comes', 'pictures come')} from feedback, {trained} of them to train on"
            + (others if trained < len(feedback) else "")
        )
    return replace(images, groups=groups, sides=sides)


def _without_feedback(images: LabelledImages, rows: np.ndarray, table: LabelTable) -> tuple[np.ndarray, np.ndarray]:
    """Return the rows of the feedback apart from the others; none apart where the others alone cannot be split."""
    apart = np.array([images.paths[row] in table.feedback for row in rows], bool)
    others = rows[~apart]
    if not len(others) or np.bincount(images.targets[others]).max() < 2:
        return rows, rows[:0]
    return others, rows[apart]


def _keep_together(sides: np.ndarray, groups: np.ndarray, targets: np.ndarray, feedback: np.ndarray) -> None:
    """Move rows of the feedback to the validation pictures that they nearly repeat, but never a whole class."""
    held_out = np.isin(groups, groups[sides == splits.VALID])
    for row in feedback[held_out[feedback]]:
        if ((sides == splits.TRAIN) & (targets == targets[row])).sum() > 1:
            sides[row] = splits.VALID


def _missing_classes(classes: Sequence[str], table: LabelTable) -> list[str]:
    missing = Counter(table.labels.values())
    for label in classes:
        del missing[label]
    if len(classes) < 2:
        gone = f" (no picture of {', '.join(map(repr, list(missing)[:5]))} can be read)" if missing else ""
        raise LabelsError(
            f"All usable pictures have the label {classes[0]!r}{gone}; training needs at least two classes."
        )
    if not missing:
        return []
    return [
        f"{counted(len(missing), 'class is', 'classes are')} left out, because none of the pictures can be read: "
        + ", ".join(list(missing)[:12])
    ]


def _log_counts(images: LabelledImages, unreadable: int) -> None:
    counts = np.bincount(images.targets)
    log.info(
        "%s of %s (%d to %d each), %d unreadable; %d train, %d validation, %d test; %d features each, %.1f MB",
        counted(len(images), "picture"),
        counted(len(images.classes), "class", "classes"),
        counts.min(),
        counts.max(),
        unreadable,
        *(len(images.rows(side)) for side in (splits.TRAIN, splits.VALID, splits.TEST)),
        images.features.shape[1],
        images.features.nbytes / 1e6,
    )
