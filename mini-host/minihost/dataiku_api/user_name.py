"""Who runs the host."""

from __future__ import annotations

import getpass


def login() -> str:
    """Return the name of the user who runs this process."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "user"
