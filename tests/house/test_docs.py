"""The pages under docs/ say what the code says."""

import re
import subprocess
import sys

from conftest import ROOT

from vision_recipes.pictures import REASONS


def test_parameter_tables_are_current():
    tool = ROOT / "tools" / "write_parameter_tables.py"
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
