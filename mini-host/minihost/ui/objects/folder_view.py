"""What a page of a folder is asked to show, as its address says it: which pictures, which labels, what order."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import Any

from minihost.errors import HostError
from minihost.folders.paths import canonical
from minihost.ui.objects.addresses import address
from minihost.ui.objects.label_index import ORDERS, Wanted

NO_LABELS = "-"
"""The name of no dataset: pictures without labels are asked for."""


@dataclass(frozen=True)
class FolderView:
    """`name` is a text in the paths, `dataset` where labels come from, `only` errors or wrong, `after` a mark."""

    ref: str
    under: str = ""
    name: str = ""
    dataset: str = ""
    label: str = ""
    only: str = ""
    order: str = ""
    show: str = ""
    after: str = ""

    @property
    def is_narrowed(self) -> bool:
        """Whether labels decide which pictures are shown, or their order."""
        return bool(self.label or self.only or self.order)

    @property
    def wanted(self) -> Wanted:
        """Which pictures of the dataset are wanted."""
        return Wanted(self.under, self.name, self.label, self.only, self.order or "path")

    def at(self, page: str, **changes: Any) -> str:
        """Return the address of a page with this view and some changes; `after` is left out unless among them."""
        changed = replace(self, **{"after": "", **changes})
        return address(page, **{one.name: getattr(changed, one.name) for one in fields(changed)})

    def picks(self, path: str) -> bool:
        """Whether a path has the text that is looked for."""
        return not self.name or self.name.casefold() in path.casefold()


def view_of(query: dict[str, str]) -> FolderView:
    """Return what an address asks for; what it cannot mean is left out."""
    known = {one.name: query.get(one.name, "") for one in fields(FolderView)}
    try:
        known["under"] = canonical(known["under"]).rstrip("/")
    except HostError:
        known["under"] = ""
    known["only"] = known["only"] if known["only"] in ("errors", "wrong") else ""
    known["order"] = known["order"] if known["order"] in ORDERS and known["order"] != "path" else ""
    known["show"] = "files" if known["show"] == "files" else ""
    known["name"] = known["name"].strip()[:500]
    return FolderView(**known)
