"""The flows of the examples: what they ask of their steps is what these take, and the wheel carries them."""

from __future__ import annotations

import configparser
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner
from conftest import ROOT

from minihost.cli.status import command

FLOWS = sorted(path.parent.name for path in (ROOT / "examples").glob("*/flow.yaml"))


@pytest.mark.parametrize("name", FLOWS)
def test_the_steps_of_an_example_are_planned(name: str, tmp_path: Path) -> None:
    project = tmp_path / "examples" / name
    project.mkdir(parents=True)
    text = (ROOT / "examples" / name / "flow.yaml").read_text(encoding="utf-8")
    (project / "flow.yaml").write_text(text.replace("../sample-pictures", str(ROOT / "examples" / "sample-pictures")))
    done = CliRunner().invoke(command, ["--project", str(project), "--plugin", str(ROOT)])
    assert done.exit_code == 0, done.output
    assert done.output.count("missing") == text.count("- recipe: ") + text.count("- macro: ")
    shutil.rmtree(project)


def test_the_wheel_carries_every_example() -> None:
    setup = configparser.ConfigParser()
    setup.read(ROOT / "setup.cfg", encoding="utf-8")
    carried = setup["options.data_files"]
    for name in FLOWS:
        assert carried[f"share/minihost/plugins/vision-recipes/examples/{name}"] == f"examples/{name}/flow.yaml"
