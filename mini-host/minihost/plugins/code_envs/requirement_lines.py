"""The lines of a requirements file: comments, options, and requirements with their names and versions."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from packaging.requirements import Requirement


@dataclass(frozen=True)
class Line:
    """One line that pip is given: as written, or as it was relaxed."""

    text: str

    @property
    def name(self) -> str:
        """The name of the requirement in its usual spelling; empty for options and for addresses without a name."""
        return plain(self.text)

    @property
    def requirement(self) -> Requirement | None:
        """The requirement, None where the line is an option, an address or not in the standard form."""
        from packaging.requirements import InvalidRequirement, Requirement

        try:
            found = Requirement(re.split(r"\s+#|\s+--", self.text)[0])
        except InvalidRequirement:
            return None
        return None if found.url else found

    @property
    def is_pinned(self) -> bool:
        """Whether the requirement refuses newer versions."""
        found = self.requirement
        return found is not None and any(one.operator in ("==", "===", "<", "<=", "~=") for one in found.specifier)

    def applies(self, python: str) -> bool:
        """Whether the environment marker, if there is one, holds on a Python such as `3.11`."""
        found = self.requirement
        if found is None or found.marker is None:
            return True
        return found.marker.evaluate({"python_version": python, "python_full_version": f"{python}.0"})

    def with_versions(self, versions: str) -> Line:
        """Return the requirement with other versions (`>=1.2`; empty for any), its extras kept, its marker dropped."""
        found = self.requirement
        assert found is not None
        extras = f"[{','.join(sorted(found.extras))}]" if found.extras else ""
        return replace(self, text=f"{found.name}{extras}{versions}")


def lines_of(text: str) -> Iterator[Line]:
    """Yield the lines of a requirements file that say something; continued lines are joined."""
    for line in text.replace("\\\r\n", " ").replace("\\\n", " ").splitlines():
        said = re.sub(r"(^|\s+)#.*$", "", line).strip()
        if said:
            yield Line(said)


def plain(requirement: str) -> str:
    """The name of a requirement in its usual spelling; empty for comments, options and addresses without a name."""
    text = requirement.strip()
    if "://" in text.partition(" ")[0]:
        egg = re.search(r"#(?:.*&)?egg=([A-Za-z0-9._-]+)", text)
        return re.sub(r"[-_.]+", "-", egg[1]).lower() if egg else ""
    found = re.match(r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?", text)
    return re.sub(r"[-_.]+", "-", found[0]).lower() if found else ""
