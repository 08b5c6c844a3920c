"""Every finding of `minihost check` has a rule with a reason and a fix, and is shown with both."""

import json
import re

import pytest
from checkout import HOST, ROOT
from plugin_folders import MACRO, META, RECIPE, write, write_plugin

from minihost.cli import main
from minihost.cli.check import SHOWN
from minihost.plugins import checking, discovery
from minihost.rules import LEVELS, NOTE, RULES

SOURCES = [path.read_text(encoding="utf-8") for path in (HOST / "minihost").rglob("*.py") if path.name != "rules.py"]


@pytest.mark.parametrize("name", RULES)
def test_every_rule_is_used_and_says_why_and_what_to_do(name):
    rule = RULES[name]
    assert any(f'"{name}"' in text for text in SOURCES)
    assert rule.level in LEVELS
    assert rule.why.endswith(".")
    assert rule.fix.endswith(".") or rule.fix.endswith("]")
    assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)+", name)


def test_rules_stand_in_the_order_of_the_page():
    page = (ROOT / "docs" / "check-rules.md").read_text(encoding="utf-8")
    assert re.findall(r"^\| `([a-z0-9-]+)` \|", page, re.MULTILINE) == list(RULES)


def broken(tmp_path, times):
    roles = [{"name": f"r{number}", "arity": "ONE"} for number in range(times)]
    return write_plugin(tmp_path, recipes=[("r", {**RECIPE, "inputRoles": roles, "meta": {"label": "R"}})])


def test_a_finding_is_followed_by_its_rule_and_a_fix(tmp_path, capsys):
    assert main(["check", str(broken(tmp_path, 2))]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert lines[:4] == [
        "error: custom-recipes/r/recipe.json: role 'r0': arity 'ONE' is neither UNARY nor NARY",
        "error: custom-recipes/r/recipe.json: role 'r1': arity 'ONE' is neither UNARY nor NARY",
        f"    rule: {RULES['role-arity'].why} (role-arity)",
        f"    fix:  {RULES['role-arity'].fix}",
    ]
    assert lines[-1] == "sample 1.0.0: 1 component, 2 errors, 2 warnings"


def test_many_findings_of_one_rule_are_cut(tmp_path, capsys):
    root = broken(tmp_path, SHOWN + 5)
    assert main(["check", str(root)]) == 1
    out = capsys.readouterr().out
    assert out.count("neither UNARY nor NARY") == SHOWN
    assert "    … 5 more of this rule; add --all to list them\n" in out
    assert f"{SHOWN + 5} errors" in out
    assert main(["check", "--all", str(root)]) == 1
    assert capsys.readouterr().out.count("neither UNARY nor NARY") == SHOWN + 5


def test_one_more_than_are_shown_is_not_cut(tmp_path, capsys):
    assert main(["check", str(broken(tmp_path, SHOWN + 1))]) == 1
    assert "more of this rule" not in capsys.readouterr().out


def test_json_has_every_finding_with_rule_and_fix(tmp_path, capsys):
    assert main(["check", "--json", str(broken(tmp_path, 20))]) == 1
    found = json.loads(capsys.readouterr().out)
    assert len(found) == 22
    assert found[0] == {
        "level": "error",
        "rule": "role-arity",
        "where": "custom-recipes/r/recipe.json",
        "text": "role 'r0': arity 'ONE' is neither UNARY nor NARY",
        "why": RULES["role-arity"].why,
        "fix": RULES["role-arity"].fix,
    }


def test_comments_of_one_file_are_one_finding(tmp_path, capsys):
    root = write_plugin(tmp_path, recipes=["r"])
    write(root / "plugin.json", "// one\n// two\n// three\n" + (root / "plugin.json").read_text())
    assert main(["check", str(root)]) == 0
    out = capsys.readouterr().out
    assert "warning: plugin.json: not strict JSON: line 1: // comment, and 2 places more\n" in out


def test_what_works_here_has_no_errors(tmp_path):
    """Defaults that do not fit, flags that are not given, an unknown type, an old version: unusual, but they run."""
    params = [
        {"name": "a", "type": "SELECT", "selectChoices": [{"value": 1, "label": "1"}], "defaultValue": "1"},
        {"name": "b", "type": "COLUMN", "columnRole": "input_dataset", "defaultValue": False},
        {"name": "c", "type": "MULTISELECT", "selectChoices": [{"value": "x", "label": "x"}], "defaultValue": ["y"]},
        {"name": "d-e", "type": "OF_TOMORROW", "default": 1, "required": True},
        {"name": "f", "type": "INT", "defaultValue": "many", "visibilityCondition": 3},
        {"type": "SEPARATOR", "name": None},
    ]
    recipe = {"kind": "PYTHON", "inputRoles": [{"name": "input_dataset"}], "params": params}
    macro = {**MACRO, "resultType": "PAGE", "impersonate": None}
    root = write_plugin(tmp_path, recipes=[("r r", recipe)], macros=[("m", macro)])
    write(root / "plugin.json", {"id": "sample", "version": "7", "meta": META["label"]})
    found = checking.check(discovery.load(root))
    assert {finding.level for finding in found} == {"warning"}


def test_a_plugin_of_other_kinds_only_is_a_note(tmp_path):
    root = write_plugin(tmp_path)
    assert [str(finding) for finding in checking.check(discovery.load(root))] == [
        "note: plugin.json: the plugin has no recipe, macro or web app"
    ]
    assert RULES["not-run-here"].level == NOTE


def test_a_component_that_is_left_out_is_an_error(tmp_path):
    root = write_plugin(tmp_path, recipes=["r", "naïve"])
    (found,) = checking.check(discovery.load(root))
    assert (found.rule, found.where) == ("component-name", "custom-recipes/naïve")
