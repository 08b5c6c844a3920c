"""What docs/test-your-plugin.md and docs/outputs.md show works."""

import re
import subprocess
import sys

import pytest
import yaml
from checkout import ROOT

from minihost.cli import main
from minihost.plugins import checking, discovery, skeletons

PAGE = (ROOT / "docs" / "test-your-plugin.md").read_text(encoding="utf-8")
FILES = dict(re.findall(r"^`([\w./-]+)`\n\n```\w+\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE))
WORKFLOW = ".github/workflows/tests.yml"


@pytest.fixture
def of_page(tmp_path):
    """The files that the page shows, as a plugin."""
    for path, text in FILES.items():
        (tmp_path / "shout" / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "shout" / path).write_text(text)
    return tmp_path / "shout"


def test_the_plugin_of_the_page_is_free_of_findings_and_passes_its_tests(of_page):
    assert [str(finding) for finding in checking.check(discovery.load(of_page))] == []
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"]
    done = subprocess.run(command, cwd=of_page, capture_output=True, text=True)
    assert "4 passed" in done.stdout, done.stdout


def test_the_page_shows_what_the_command_writes(tmp_path):
    assert "minihost new plugin shout\npytest shout" in PAGE
    written = {
        path.relative_to(tmp_path / "shout").as_posix(): path for path in skeletons.new_plugin("shout", tmp_path)
    }
    assert {path: written[path].read_text(encoding="utf-8") for path in FILES} == FILES
    assert written.keys() - FILES == {"README.md", ".gitignore", "python-lib/shout/__init__.py"}


def test_the_commands_of_the_page_work(tmp_path, monkeypatch, capfd):
    monkeypatch.chdir(tmp_path)
    first, *others = re.findall(r"^minihost (new .*)$", PAGE, re.MULTILINE)
    assert main(first.split()) == 0
    monkeypatch.chdir(tmp_path / "shout")
    assert [main(command.split()) for command in others] == [0] * 4
    assert main(["check", "--strict"]) == 0
    capfd.readouterr()
    for component in discovery.load(tmp_path / "shout").components:
        assert main(["show", component.id]) == 0
        assert "--plugin" not in capfd.readouterr().out


def test_the_workflow_is_yaml_and_installs_only_the_host():
    workflow = yaml.safe_load(FILES[WORKFLOW])
    steps = workflow["jobs"]["test"]["steps"]
    assert [line for step in steps for line in step.get("run", "").splitlines() if "install" in line] == [
        'python -m pip install "$MINIHOST"'
    ]
    assert workflow[True] == {"push": None, "pull_request": None}


def test_the_page_of_outputs_names_what_there_is():
    page = (ROOT / "docs" / "outputs.md").read_text(encoding="utf-8")
    from minihost.folders.overlay import FILES as STAGED
    from minihost.folders.paths import OWN
    from minihost.outputs import stages
    from minihost.runs import processes, running

    assert f"`{OWN}stage.NAME/{STAGED}`" in page
    assert str(stages.place_of(ROOT / "nowhere" / "net")).endswith(f"{OWN}stage.net")
    assert f"the last {running.KEPT_JOBS} jobs are kept" in page
    assert "memory" in processes.described(-9)
