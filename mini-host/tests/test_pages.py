"""What docs/mini-host.md shows works."""

import re

import pytest
from checkout import ROOT

from minihost import cli
from minihost.cli import run
from minihost.projects import flow

PAGE = (ROOT / "docs" / "mini-host.md").read_text(encoding="utf-8")


def test_the_flow_of_the_page(tmp_path):
    (text,) = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
    (tmp_path / "flow.yaml").write_text(text)
    read = flow.read(tmp_path / "flow.yaml")
    assert [step.component for step in read.steps] == ["vision-classify"]
    assert read.datasets["scored"]["path"] == "results/scored.csv"


@pytest.mark.parametrize("name", cli.COMMANDS)
def test_every_command_is_on_the_page(name):
    assert f"`minihost {name}" in PAGE


def test_every_option_of_run_is_on_the_page():
    options = [max(option.opts, key=len) for option in run.command.params if option.opts[0].startswith("-")]
    shown = {"--input": "-i", "--output": "-o", "--param": "-p", "--quiet": "-q"}
    missing = [option for option in options if f"`{shown.get(option, option)}" not in PAGE]
    assert missing == []
