"""The networks that are compared: from model folders and by names of the catalogue, or why one cannot take part."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from vision_recipes.errors import ModelFolderError, VisionError
from vision_recipes.model_folder import Model, catalogue, open_model
from vision_recipes.stores import Store

log = logging.getLogger("vision_recipes")


@dataclass(frozen=True, eq=False)
class Entrant:
    """A network, opened, or the reason why it cannot take part.

    `name` is what people call it, once among all entrants; `folder` the name of its folder, `catalogued` its name in
    the catalogue: one of the two is empty.
    """

    name: str
    folder: str = ""
    catalogued: str = ""
    model: Model | None = None
    reason: str = ""

    @property
    def opened(self) -> Model:
        """The model of an entrant that takes part."""
        assert self.model is not None
        return self.model

    @property
    def megabytes(self) -> float | None:
        """The size of the model folder's files."""
        if self.model is None:
            return None
        return sum(entry.bytes for entry in self.model.config.files.entries()) / 1e6


def find_entrants(
    folders: Sequence[Store], names: Sequence[str], open_catalogued: Callable[[str], Model]
) -> list[Entrant]:
    """Return the networks of the folders, then those of the catalogue; the default network when there is neither.

    `open_catalogued` opens a network of the catalogue, or raises why it is not at hand. One that was given twice takes
    part once. Raises SettingsError for a name that the catalogue lacks, and ModelFolderError when no network can take
    part.
    """
    rows = [catalogue.find(name) for name in names or ([] if folders else [catalogue.DEFAULT])]
    found = [_of_folder(folder) for folder in folders]
    found += [_of_catalogue(row.name, open_catalogued) for row in rows]
    found = _named_apart(_each_once(found))
    for entrant in found:
        if entrant.reason:
            log.warning("%s cannot take part: %s", entrant.name, entrant.reason)
    if not any(entrant.model for entrant in found):
        raise ModelFolderError(
            "No network can take part in the comparison: "
            + "; ".join(f"{entrant.name}: {entrant.reason}" for entrant in found)
        )
    return found


def _of_folder(folder: Store) -> Entrant:
    try:
        model = open_model(folder)
    except (VisionError, OSError) as err:
        return Entrant(folder.name, folder.name, reason=str(err))
    if model.extra_columns:
        columns = ", ".join(dict.fromkeys(column.name for column in model.extra_columns))
        reason = (
            f"it takes columns of a table beside a picture ({columns}), which are not compared; connect the model that "
            "it was retrained from"
        )
        return Entrant(model.name, folder.name, reason=reason)
    return Entrant(model.name, folder.name, model=model)


def _of_catalogue(name: str, open_catalogued: Callable[[str], Model]) -> Entrant:
    try:
        model = open_catalogued(name)
    except (VisionError, OSError) as err:
        return Entrant(name, catalogued=name, reason=str(err))
    return Entrant(name, catalogued=name, model=model)


def _each_once(entrants: Sequence[Entrant]) -> list[Entrant]:
    first: dict[str, Entrant] = {}
    kept = []
    for entrant in entrants:
        if entrant.model is not None:
            known = first.setdefault(entrant.model.folder_hash, entrant)
            if known is not entrant:
                log.warning("%s is the same network as %s and takes part once", _place(entrant), _place(known))
                continue
        kept.append(entrant)
    return kept


def _named_apart(entrants: Sequence[Entrant]) -> list[Entrant]:
    """Return the entrants with names of which there are no two: a number follows where the folder does not do."""
    count, used, named = Counter(entrant.name for entrant in entrants), Counter[str](), []
    for entrant in entrants:
        name = entrant.name
        if count[name] > 1:
            name = f"{name} ({entrant.folder or 'catalogue'})"
        used[name] += 1
        named.append(replace(entrant, name=name if used[name] == 1 else f"{name} {used[name]}"))
    return named


def _place(entrant: Entrant) -> str:
    return f"folder {entrant.folder!r}" if entrant.folder else f"{entrant.catalogued} of the catalogue"
