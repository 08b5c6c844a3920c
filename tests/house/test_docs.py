"""The pages under docs/ say what the code says."""

import re
import subprocess
import sys

import pytest
from conftest import ROOT

from minihost.plugins import discovery
from minihost.plugins.host_section import mistakes_of_command
from vision_recipes.pictures import REASONS


def test_parameter_tables_are_current():
    tool = ROOT / "tools" / "write_parameter_tables.py"
    done = subprocess.run([sys.executable, tool, "--check"], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_rules_of_check_are_current():
    tool = ROOT / "tools" / "write_check_rules.py"
    done = subprocess.run([sys.executable, tool, "--check"], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_reason_is_documented():
    page = (ROOT / "docs" / "errors.md").read_text(encoding="utf-8")
    assert [reason for reason in REASONS if f"`{reason}`" not in page] == []


def test_links_between_pages_lead_somewhere():
    dead = []
    for page in [
        ROOT / "README.md",
        ROOT / "CONTRIBUTING.md",
        *(ROOT / "docs").rglob("*.md"),
        *(ROOT / "examples").glob("*/README.md"),
    ]:
        for link in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8")):
            if "://" not in link and not (page.parent / link).exists():
                dead.append(f"{page.name}: {link}")
    assert dead == []


def test_nothing_is_installed_from_an_index_that_does_not_have_it():
    """Both distributions come from a checkout or a wheel; a package index has neither."""
    told = re.compile(r"pip install [^`\n)]*(?<![\w./-])(vision-recipes|dss-minihost)\b")
    places = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *ROOT.glob("docs/*.md"), *ROOT.glob("**/README.md")]
    places += [
        *ROOT.glob("python-lib/**/*.py"),
        *ROOT.glob("mini-host/minihost/**/*.py"),
        *ROOT.glob("resource/*.json"),
    ]
    assert [str(path) for path in places if told.search(path.read_text(encoding="utf-8"))] == []
    assert told.search("pip install 'vision-recipes[heic]'")


PAGES = [ROOT / "README.md", *sorted(ROOT.glob("docs/*.md")), *sorted(ROOT.glob("examples/*/README.md"))]


def commands(page):
    """The commands in the text of a page that run a component; those with `…` in them are no whole ones."""
    text = page.read_text(encoding="utf-8").replace("\\\n", " ")
    lines = [line for block in re.findall(r"```\w*\n(.*?)```", text, re.DOTALL) for line in block.splitlines()]
    lines += re.findall(r"(?<!`)`(minihost [^`]*)`(?!`)", text)
    whole = (re.sub(r"\s#.*", "", " ".join(line.split())) for line in lines)
    return [line for line in whole if re.match(r"minihost (run|webapp) ", line) and "…" not in line]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_commands_name_what_there_is(page):
    plugins = [discovery.load(ROOT), discovery.load(ROOT / "examples" / "sample-pictures")]
    for command in commands(page):
        command = command.replace(" --plugin examples/sample-pictures", "")
        assert [] in [list(mistakes_of_command(command, plugin, "")) for plugin in plugins], command


def test_commands_are_found_in_pages():
    assert len([command for page in PAGES for command in commands(page)]) > 10
