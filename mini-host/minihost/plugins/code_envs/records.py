"""What an environment was built with, kept in it: `environment.json`, written last, says that it is complete."""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass
from pathlib import Path

FILE = "environment.json"


@dataclass(frozen=True)
class ImportFailure:
    """A requirement that was installed and cannot be imported: the last line of the error, and what would help.

    `is_outside` says that the environment is as it should be and the machine lacks something, such as a library.
    """

    requirement: str
    error: str
    help: str = ""
    is_outside: bool = False

    def __str__(self) -> str:
        return f"{self.requirement} cannot be imported: {self.error}" + (f" {self.help}" if self.help else "")


@dataclass(frozen=True)
class Record:
    """How an environment came about, as sentences: what was relaxed, left out and capped, and what does not work."""

    python: str = ""
    is_relaxed: bool = False
    relaxed: tuple[str, ...] = ()
    capped: tuple[str, ...] = ()
    failures: tuple[ImportFailure, ...] = ()

    @property
    def is_sound(self) -> bool:
        """Whether every requirement can be imported here, or would be if the machine had a library that is missing.

        Who asks to relax the requirements accepts that some of them do not work.
        """
        return self.is_relaxed or all(one.is_outside for one in self.failures)

    def changes(self) -> list[str]:
        """What is not as the plugin asked for it, one sentence each."""
        return [*(f"relaxed: {one}" for one in self.relaxed), *(f"capped: {one}" for one in self.capped)]

    def warnings(self) -> list[str]:
        """What does not work, one sentence each."""
        return [f"warning: {one}" for one in self.failures]

    def write(self, place: Path) -> None:
        """Keep the record in its environment, by one rename; raises OSError."""
        part = place / (FILE + ".part")
        part.write_text(json.dumps(dataclasses.asdict(self), indent=2) + "\n", encoding="utf-8")
        part.replace(place / FILE)


def read(place: Path) -> Record | None:
    """Return the record of a complete environment, None where there is none or its Python is gone."""
    if not (place / "bin" / "python").exists():
        return None
    try:
        facts = json.loads((place / FILE).read_text(encoding="utf-8"))
        failures = tuple(ImportFailure(**one) for one in facts.pop("failures"))
        facts |= {name: tuple(facts[name]) for name in ("relaxed", "capped")}
        return Record(**facts, failures=failures)
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None
