"""Checked labels read back from a table that anybody may have edited."""

import json
import math
from dataclasses import dataclass, field

import pytest

from vision_recipes.errors import PredictionsError
from vision_recipes.report_columns import CHECKED
from vision_recipes.reports.label_issues import CheckedLabel, read_checked_labels


@dataclass
class Rows:
    cells: list = field(default_factory=list)
    columns: list = field(default_factory=lambda: [column.name for column in CHECKED])
    name: str = "checked"

    def rows(self):
        yield from self.cells


def row(path, suspicion, issue="wrong_label", neighbours="[]"):
    return {
        "images": path,
        "label": "egg",
        "suggested_label": "stone",
        "suspicion": suspicion,
        "issue": issue,
        "neighbours": neighbours,
    }


def test_rows_come_back_with_the_highest_suspicion_first():
    neighbours = json.dumps([{"path": "/b.jpg", "label": "stone", "likeness": 0.9}, {"label": "no path"}, 3])
    found = read_checked_labels(Rows([row("/a.jpg", "0.25", ""), row("/c.jpg", 0.75, neighbours=neighbours)]))
    assert found == [
        CheckedLabel("/c.jpg", "egg", "stone", 0.75, "wrong_label", ("/b.jpg",)),
        CheckedLabel("/a.jpg", "egg", "stone", 0.25, ""),
    ]


@pytest.mark.parametrize(
    ("cell", "suspicion"),
    [("", 0), (None, 0), ("high", 0), (math.nan, 0), ("inf", 0), ("-3", 0), ("7", 1), (10**400, 0)],
)
def test_odd_suspicions_stay_between_0_and_1(cell, suspicion):
    (found,) = read_checked_labels(Rows([row("/a.jpg", cell), row("", 1.0)]))
    assert found.suspicion == suspicion


@pytest.mark.parametrize("cell", ["", None, "{", "[" * 100_000, "3", '{"path": "/b"}', [{"path": 3}]])
def test_odd_neighbours_are_none(cell):
    (found,) = read_checked_labels(Rows([row("/a.jpg", 1, neighbours=cell)]))
    assert found.neighbours == ()


def test_another_table_is_refused():
    with pytest.raises(PredictionsError, match=r"Dataset checked is not what vision-check-labels writes: it lacks la"):
        read_checked_labels(Rows(columns=["images"]))
