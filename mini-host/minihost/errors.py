"""What the host answers when something is wrong: one family, explained already, never with a stack trace."""

from __future__ import annotations

from pathlib import Path


def counted(number: int, noun: str) -> str:
    """Return `1 row` or `3 rows`: a count for a message."""
    return f"{number} {noun}" + ("" if number == 1 else "s")


class HostError(Exception):
    """Something the user can fix; `exit_code` is what the command ends with, `log` the log of the run that failed."""

    exit_code = 2
    log: Path | None = None


class JobError(HostError):
    """The job was wrong: every mistake at once, nothing started (exit code 2)."""

    def __init__(self, mistakes: list[str]) -> None:
        super().__init__("\n".join(mistakes))
        self.mistakes = mistakes


class ComponentFailed(HostError):
    """The component was run and failed (exit code 1); the message is the reason."""

    exit_code = 1


class Interrupted(HostError):
    """The user interrupted the run (exit code 130)."""

    exit_code = 130


class DataError(HostError):
    """A dataset or folder cannot be read or written as asked; raised inside a component, its message alone is shown."""

    exit_code = 1
    for_user = True


class UnfitDataError(DataError):
    """A schema that was declared is not one for the data that is there already."""
