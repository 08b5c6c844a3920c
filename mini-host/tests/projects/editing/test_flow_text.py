"""The text of a flow.yaml after an edit: what was meant, and every other line byte for byte."""

import copy
import os
from pathlib import Path

import pytest
from checkout import ROOT
from hypothesis import given, settings
from hypothesis import strategies as st

from minihost.projects.editing.facts import Kept, same
from minihost.projects.editing.flow_text import updated
from minihost.projects.yaml_file import mapping_in

EGG = (ROOT / "examples" / "egg-or-not" / "flow.yaml").read_text(encoding="utf-8")
HARD = [
    "no",
    "1e3",
    "2026-01-01",
    "~",
    "a: b",
    "# x",
    "& *a",
    "!t",
    "| >",
    "'\"",
    "% @ `",
    " left",
    "right ",
    "ü 漢 🥚",
    "-",
]
HARD += [
    "null",
    "0x1F",
    "1_000",
    "=",
    "<<",
    "?",
    "- a",
    "{a}",
    "[b], c",
    "x" * 150,
    "a\tb",
    "\\n",
    "on",
    ".inf",
    "1:20",
]


def said(text):
    return mapping_in(text.encode(), Path("flow.yaml"))


def changed(text, change):
    """The text after a change of what it says, once it is sure that it says just that."""
    old = said(text)
    new = copy.deepcopy(old)
    if new.get("steps"):
        new["steps"] = [Kept(step, place) for place, step in enumerate(new["steps"])]
    change(new)
    result = updated(text, old, new)
    assert same(said(result), new)
    return result


def test_a_comment_goes_with_its_step_and_a_heading_stays():
    text = "steps:\n  # Part one\n\n  # a's\n  - macro: a # end\n    # a's too\n\n  # b's\n  - macro: b\nvariables: {a: 1}\n"
    assert changed(text, lambda new: new["steps"].pop(0)) == (
        "steps:\n  # Part one\n\n  # b's\n  - macro: b\nvariables: {a: 1}\n"
    )
    assert changed(text, lambda new: new["steps"].pop(1)) == text.replace("\n  # b's\n  - macro: b\n", "")
    assert changed(text, lambda new: new.update(steps=[])) == "steps: []\n  # Part one\n\nvariables: {a: 1}\n"


def test_a_new_step_is_written_as_the_others_are():
    step = {"recipe": "x", "inputs": {"a": "b", "c": ["d", "e"]}, "params": {"sql": "select\n  1\nfrom x"}}
    after = changed(EGG, lambda new: new["steps"].insert(4, step))
    wanted = """
  - recipe: x
    inputs: {a: b, c: [d, e]}
    params:
      sql: |-
        select
          1
        from x
"""
    head, _, tail = EGG.partition("\n  - recipe: vision-classify")
    assert after == head + wanted + "\n  - recipe: vision-classify" + tail
    compact = "steps:\n- recipe: a\n  inputs:\n    r: x\n- recipe: b"
    assert changed(compact, lambda new: new["steps"].append({"recipe": "c", "inputs": {"r": "y"}})) == (
        compact + "\n- recipe: c\n  inputs:\n    r: y"
    )


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("", "folders:\n  a: b\n\nsteps:\n  - macro: x\n"),
        ("# My flow\n", "# My flow\nfolders:\n  a: b\n\nsteps:\n  - macro: x\n"),
        ("steps:\nfolders:\n", "steps:\n  - macro: x\nfolders:\n  a: b\n"),
        ("steps: [] # none\n", "folders:\n  a: b\n\nsteps:\n  - macro: x # none\n"),
        ('{"project": "P"}', '{"project": "P", folders: {a: b}, steps: [{macro: x}]}'),
        ("project: P\r\n", "project: P\r\n\r\nfolders:\r\n  a: b\r\n\r\nsteps:\r\n  - macro: x\r\n"),
    ],
)
def test_sections_that_are_missing_or_empty(text, wanted):
    assert changed(text, lambda new: new.update(folders={"a": "b"}, steps=[{"macro": "x"}])) == wanted


@pytest.mark.parametrize("hard", HARD)
def test_any_name_comes_back_as_the_same_text(hard):
    def change(new):
        new["folders"] = {hard if name == "cache" else name: value for name, value in new["folders"].items()}
        new["steps"][2]["outputs"]["cache_folder"] = hard
        new["steps"].append({"name": hard, "recipe": hard, "inputs": {hard: [hard, hard]}, "params": {hard: hard}})

    lines = changed(EGG, change).splitlines()
    assert len(hard) > 99 or sum(one != other for one, other in zip(EGG.splitlines(), lines, strict=False)) == 2


def test_a_changed_value_keeps_its_quotes_and_its_line():
    text = "steps:\n  - macro: a\n    params: {x: \"one\", y: 'it''s'}   # both\n"
    after = changed(text, lambda new: new["steps"][0]["params"].update(x="two", y="three"))
    assert after == "steps:\n  - macro: a\n    params: {x: \"two\", y: 'three'}   # both\n"


def test_anchors_stay_where_an_edit_does_not_need_them_otherwise():
    text = "variables: {b: &b {n: 1}}\nsteps:\n  - {macro: x, params: *b}\n  - macro: y\n    params: *b\n"
    after = changed(text, lambda new: new["steps"][1].update(params={"n": 2}))
    assert after == text.replace("y\n    params: *b", "y\n    params: {n: 2}")


WORD = st.sampled_from([*HARD, "plain", "folder_1", "data/x.csv"])
VALUE = st.recursive(st.one_of(WORD, st.booleans(), st.integers(-9, 9), st.just(1.5)), lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORD, inner, max_size=3), max_leaves=6)  # fmt: skip
STEP = st.fixed_dictionaries(
    {"recipe": WORD}, optional={"inputs": st.dictionaries(WORD, WORD, min_size=1, max_size=3), "params": st.dictionaries(WORD, VALUE, max_size=3)}
)  # fmt: skip
COMMENT = st.sampled_from(["", "# a comment\n", "\n", "\n# heading\n\n", "#\ttab\n"])


@st.composite
def flows(draw):
    """A text with steps in one of several styles, comments and line ends."""
    import yaml

    eol, dash, flat = draw(st.sampled_from(["\n", "\r\n"])), draw(st.sampled_from(["", "  "])), draw(st.booleans())
    text = "# top\nfolders: {a: x, b: y}   # both\nsteps:\n"
    for step in draw(st.lists(STEP, min_size=1, max_size=4)):
        body = yaml.safe_dump(step, default_flow_style=None if flat else False, allow_unicode=True, sort_keys=False)
        lines = body.replace("\n", f"\n{dash}  ").rstrip()
        text += draw(COMMENT).replace("#", f"{dash}#") + f"{dash}- {lines}\n"
    return text.removesuffix("\n").replace("\n", eol) + draw(st.sampled_from(["", eol, f"{eol}# end{eol}"]))


@settings(max_examples=60, deadline=None)
@given(text=flows(), data=st.data())
def test_edits_change_their_own_lines_alone(text, data):
    old = said(text)
    place = data.draw(st.integers(0, len(old["steps"]) - 1))
    kind, new_step = data.draw(st.sampled_from(["insert", "remove", "set"])), data.draw(STEP)

    def change(new):
        if kind == "insert":
            new["steps"].insert(place, new_step)
        elif kind == "remove":
            new["steps"].pop(place)
        else:
            new["steps"][place]["params"] = {**(old["steps"][place].get("params") or {}), "new": new_step["recipe"]}

    after = changed(text, change)
    start = len(os.path.commonprefix([text, after]))
    end = len(os.path.commonprefix([text[start:][::-1], after[start:][::-1]]))
    is_emptied = kind == "remove" and len(old["steps"]) == 1
    untouched = 0 if is_emptied else {"insert": len(text), "remove": len(after), "set": 0}[kind]
    assert start + end >= untouched
    assert start >= len("# top\nfolders: {a: x, b: y}   # both")
    headings = [line for line in text.splitlines() if line.lstrip().startswith("# heading")]
    assert [line for line in after.splitlines() if line.lstrip().startswith("# heading")] == headings
