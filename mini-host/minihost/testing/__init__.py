"""A pytest plugin for authors of plugins: the fixture `minihost_project` makes a project and runs components in it.

def test_copies(minihost_project):
    project = minihost_project(plugin="..", datasets={"people": [{"name": "Ada", "age": 36}]})
    done = project.run("copy", inputs={"input": "people"}, outputs={"output": "copied"})
    assert done.rows("copied") == [{"name": "Ada", "age": 36}]
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Generator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from minihost.testing.failure_reports import LOGS, pytest_runtest_makereport

if TYPE_CHECKING:
    from minihost.testing.project import ProjectUnderTest

__all__ = [
    "minihost_project",
    "pytest_addoption",
    "pytest_configure",
    "pytest_make_collect_report",
    "pytest_runtest_makereport",
]


def pytest_addoption(parser: pytest.Parser) -> None:
    """Declare the setting by which tests can import python-lib where that imports `dataiku`."""
    parser.addini("minihost_dataiku", "make `import dataiku` work in tests", type="bool", default=False)


def pytest_configure(config: pytest.Config) -> None:
    """Make `import dataiku` work where that is set; a real package is left alone."""
    if config.getini("minihost_dataiku"):
        from minihost.dataiku_api import modules

        with contextlib.suppress(modules.RealPackageFound):
            modules.make_importable()


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """Where a test file imports `dataiku` and nothing provides it, say what does."""
    report = yield
    if report.failed and "No module named 'dataiku'" in str(report.longrepr):
        text = "`import dataiku` works in tests with these lines under [pytest] in pytest.ini:"
        report.sections.append(("minihost", f"{text}\npythonpath = python-lib\nminihost_dataiku = true"))
    return report


@pytest.fixture
def minihost_project(tmp_path: Path, request: pytest.FixtureRequest) -> Callable[..., ProjectUnderTest]:
    """Return a maker of projects.

    It takes `plugin` (a folder or zip; by default the plugin that the test lies in), `datasets` (name -> frame, rows,
    columns or file), `folders` (name -> files, or a folder) and `variables`.
    """
    from minihost.errors import JobError
    from minihost.plugins.manifests import PLUGIN_FILE
    from minihost.testing.project import ProjectUnderTest

    above = (folder for folder in request.path.parents if (folder / PLUGIN_FILE).is_file())
    tested = next(above, request.config.rootpath)
    logs = request.node.stash.setdefault(LOGS, [])

    def make(
        plugin: Path | str | None = None,
        datasets: Mapping[str, Any] | None = None,
        folders: Mapping[str, Mapping[str, bytes | str] | Path] | None = None,
        variables: Mapping[str, Any] | None = None,
    ) -> ProjectUnderTest:
        place = tmp_path / "minihost_project"
        place.mkdir(exist_ok=True)
        if plugin is not None and not Path(plugin).exists():
            raise JobError([f"There is no plugin at {plugin}: no such folder or zip (looked for in {Path.cwd()})."])
        made = ProjectUnderTest(place, [tested if plugin is None else plugin], variables or {})
        made.logs = logs
        for name, content in (datasets or {}).items():
            made.add_dataset(name, content)
        for name, files in (folders or {}).items():
            made.add_folder(name, files)
        return made

    return make
