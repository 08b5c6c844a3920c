"""Names are the field's standard terms: the private words of an earlier version stay out of code and prose."""

import ast
import re

import pytest
from conftest import ROOT

PRIVATE = {
    *("lesson", "lessons", "teach", "taught", "teaching", "shot", "shots", "film", "album", "scene", "checkup"),
    *("doubt", "doubts", "doubted", "oddness", "odd", "luck", "sow", "slope", "slopes", "shares", "rounds", "stepping"),
    *("tails", "wanted", "told", "heats", "grandchild", "endings", "legacy", "honest", "honesty", "strangers"),
}
"""Parts of identifiers of the core."""

PRIVATE_OF_THE_HOST = {"told", "grandchild"}


CORE = [
    path for top in ("python-lib", "custom-recipes", "python-runnables") for path in sorted((ROOT / top).rglob("*.py"))
]
HOST = sorted((ROOT / "mini-host" / "minihost").rglob("*.py"))
PROSE = [
    *sorted((ROOT / "docs").glob("*.md")),
    *(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "plugin.json")),
    *sorted(ROOT.glob("custom-recipes/*/recipe.json")),
    *sorted(ROOT.glob("python-runnables/*/runnable.json")),
    *sorted(ROOT.glob("resource/report/*.html")),
]
PHRASES = re.compile(
    r"\b(honest probabilit|verdict machinery|by luck|varied cop(y|ies)|heat maps?|doubted labels?|lessons?|taught|"
    r"strangers?|the oddest|likeness of|film|album)\b",
    re.IGNORECASE,
)


def identifiers(path):
    """Yield each name that a file defines or uses, with its line; strings and comments are not names."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        for name in (
            getattr(node, "name", None),
            getattr(node, "id", None),
            getattr(node, "attr", None),
            getattr(node, "arg", None),
        ):
            if isinstance(name, str):
                yield name, getattr(node, "lineno", 0)


def words(name):
    return {word.lower() for word in re.findall(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])", name)}


@pytest.mark.parametrize("path", [*CORE, *HOST], ids=lambda p: str(p.relative_to(ROOT)))
def test_identifiers_are_standard_terms(path):
    private = PRIVATE_OF_THE_HOST if path in HOST else PRIVATE
    found = {f"{name} (line {line})" for name, line in identifiers(path) if words(name) & private}
    found |= {path.stem} if words(path.stem) & private else set()
    assert sorted(found) == []


@pytest.mark.parametrize("path", PROSE, ids=lambda p: str(p.relative_to(ROOT)))
def test_prose_has_no_private_words(path):
    text = path.read_text(encoding="utf-8")
    assert [match.group() for match in PHRASES.finditer(text)] == []


def test_the_reader_of_identifiers_finds_private_words():
    assert words("DoubtedLabels") & PRIVATE and words("_heats_of") & PRIVATE
    assert not words("known_hosts") & PRIVATE
