"""Builds what can only be built beside packages that it does not name: its setup.py imports numpy or Cython."""

from __future__ import annotations

import re

from minihost.plugins.code_envs.pip_calls import PipFailure
from minihost.plugins.code_envs.requirement_lines import plain

TOOLS = ("setuptools<81", "wheel", "numpy", "cython<3")
"""What setup.py files use without saying so; those that do were written for Cython 0."""
LACKS = re.compile(r"No module named '(numpy|Cython)\b|(?i:numpy|cython)\)? is (not installed|required)")


def tools_for(failure: PipFailure, lines: list[str]) -> list[str]:
    """Return what to install before a package is built that failed for want of it, in the versions of these lines.

    Empty where the failure is another.
    """
    if not failure.built or not LACKS.search("\n".join(failure.lines)):
        return []
    asked = {plain(line): line for line in lines}
    return [asked.get(plain(tool), tool) for tool in TOOLS]
