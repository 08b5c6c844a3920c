"""What a check found: a rule, a place and what is there."""

from __future__ import annotations

from dataclasses import dataclass

from minihost.rules import ERROR, NOTE, RULES, WARNING, Rule

__all__ = ["ERROR", "NOTE", "WARNING", "Finding"]


@dataclass(frozen=True)
class Finding:
    """One breach of a rule, or a note about what this host does not run."""

    rule: str
    where: str
    text: str

    @property
    def broken(self) -> Rule:
        """The rule itself."""
        return RULES[self.rule]

    @property
    def level(self) -> str:
        """`error`, `warning` or `note`."""
        return self.broken.level

    def __str__(self) -> str:
        return f"{self.level}: {self.where}: {self.text}"
