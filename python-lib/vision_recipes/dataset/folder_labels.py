"""Labels from the names of folders: which level of the folders holds them, and which one a split."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from vision_recipes.dataset.path_prefixes import SPLITS
from vision_recipes.dataset.path_spelling import bare, is_picture_name
from vision_recipes.errors import listed
from vision_recipes.images.reading import hidden

_SHOWN = 5


@dataclass
class FolderLabels:
    """The label of each picture in a folder of its own, and the side of the split where folders give one.

    `sides` holds "train", "validation" or "test" by path, for all labelled pictures or for none. `remarks` are
    sentences, without full stop, on how the folders were read.
    """

    of: dict[str, str] = field(default_factory=dict)
    sides: dict[str, str] = field(default_factory=dict)
    remarks: list[str] = field(default_factory=list)


def folder_labels(paths: Sequence[str]) -> FolderLabels:
    """Return the labels that the folders of pictures give; hidden files and folders have none.

    The label is the name of the last folder. Where that is the same for all pictures, it is the name of the nearest
    folder above that varies. Folders called train, val, test and the like, next to each other and with all pictures
    below them, are a split and never labels.
    """
    every = {path: bare(path).split("/")[:-1] for path in paths if not hidden(path)}
    every = {path: folders for path, folders in every.items() if folders}
    pictures = [folders for path, folders in every.items() if is_picture_name(path)] or list(every.values())
    level = _split_level(pictures)
    return _below_no_split(every, pictures) if level is None else _with_split(every, pictures, level)


def _split_level(pictures: Sequence[Sequence[str]]) -> int | None:
    """Return how many folders are above the folders of a split, None where there is no split."""
    for level in range(max(map(len, pictures), default=0)):
        deep = [folders for folders in pictures if len(folders) > level]
        sides = {SPLITS.get(folders[level].lower(), "") for folders in deep}
        if "" in sides or "train" not in sides or len(sides) < 2:
            continue
        root = deep[0][:level] if len({tuple(folders[:level]) for folders in deep}) == 1 else []
        if all(folders == root[: len(folders)] for folders in pictures if len(folders) <= level):
            return level
    return None


def _below_no_split(every: Mapping[str, Sequence[str]], pictures: Sequence[Sequence[str]]) -> FolderLabels:
    shallowest = min(map(len, pictures), default=0)
    place = next((n for n in range(1, shallowest + 1) if len({folders[-n] for folders in pictures}) > 1), 1)
    found = FolderLabels({path: folders[-place] for path, folders in every.items() if len(folders) >= place})
    if place > 1:
        common = "/".join(pictures[0][1 - place :])
        found.remarks.append(f"all pictures are in folders {common!r}, so the folders above them are the labels")
    found.remarks += _level_remarks(pictures, place)
    return found


def _level_remarks(pictures: Sequence[Sequence[str]], place: int) -> Iterator[str]:
    """Yield a remark where the folders above the labels look like a split, or as if they were the labels."""
    labels_below: dict[str, set[str]] = {}
    for folders in pictures:
        if len(folders) > place:
            labels_below.setdefault(folders[-place - 1], set()).add(folders[-place])
    above, labels = sorted(labels_below), sorted(set().union(*labels_below.values()))
    if len(above) < 2:
        return
    if any(name.lower() in SPLITS for name in above):
        yield (
            f"the folders {listed(map(repr, above), _SHOWN)} above the labels are no split, since not all of them have "
            "such a name; rename them to train, val and test to use them as one"
        )
    elif len(labels) > 1 and all(names == set(labels) for names in labels_below.values()):
        yield (
            f"the labels are the last folders, {listed(map(repr, labels), _SHOWN)}, though those above them, "
            f"{listed(map(repr, above), _SHOWN)}, vary as well; if those are the labels, put the pictures of each into "
            "one folder"
        )


def _varies_within_a_side(pictures: Sequence[Sequence[str]], level: int, place: int) -> bool:
    """Return whether the folders at a place have different names below one folder of the split at `level`."""
    names: dict[str, set[str]] = {}
    for folders in pictures:
        names.setdefault(folders[level], set()).add(folders[place])
    return any(len(found) > 1 for found in names.values())


def _with_split(every: Mapping[str, Sequence[str]], pictures: Sequence[Sequence[str]], level: int) -> FolderLabels:
    below = [folders for folders in pictures if len(folders) > level + 1]
    shallowest = min(map(len, below), default=0)
    inside = range(level + 1, shallowest)
    varying = [n for n in inside if _varies_within_a_side(below, level, n)]
    varying += [n for n in inside if len({folders[n] for folders in below}) > 1]
    place = next(iter(varying), level + 1)
    if not below and level:
        place = level - 1
    found = FolderLabels()
    for path, folders in every.items():
        side = SPLITS.get(folders[level].lower()) if len(folders) > level else None
        if side is not None and len(folders) > place:
            found.of[path], found.sides[path] = folders[place], side
    names = sorted({folders[level] for folders in pictures if len(folders) > level})
    counts = Counter(found.sides.values())
    shown = ", ".join(f"{counts[side]} {side}" for side in dict.fromkeys(SPLITS.values()) if counts[side])
    found.remarks.append(
        f"the folders {listed(names, _SHOWN)} name a split and are not labels ({shown or 'no'} pictures)"
    )
    return found
