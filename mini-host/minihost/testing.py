"""A pytest plugin for authors of plugins: the fixture `minihost_project` makes a project and runs components in it.

def test_copies(minihost_project):
    project = minihost_project(plugin="..", datasets={"people": [{"name": "Ada", "age": 36}]})
    done = project.run("copy", inputs={"input": "people"}, outputs={"output": "copied"})
    assert done.rows("copied") == [{"name": "Ada", "age": 36}]
"""

from __future__ import annotations

import contextlib
import datetime as dt
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from minihost.datasets import cells, frames, table
from minihost.errors import JobError
from minihost.folders.local import LocalFolder
from minihost.parameters.resolving import Given
from minihost.plugins import Search, discovery
from minihost.projects import project
from minihost.projects.flow import Flow
from minihost.projects.planning import Plan, Request, plan
from minihost.runs.running import Options, job_folder, run

Rows = Iterable[Mapping[str, Any]]


class Done:
    """What a run left behind: the `answer` of a macro, the `log`, and the project's datasets and folders."""

    def __init__(self, made_by: ProjectUnderTest, folder: Path, answer: dict[str, Any] | None) -> None:
        self.project, self.folder, self.answer = made_by, folder, answer

    @property
    def log(self) -> str:
        """Everything that the component printed."""
        return (self.folder / "log").read_text(encoding="utf-8")

    def rows(self, name: str) -> list[dict[str, Any]]:
        """Return the rows of a dataset, cells typed by its schema."""
        return self.project.rows(name)

    def frame(self, name: str) -> Any:
        """Return a dataset as a data frame, as `get_dataframe` gives it."""
        return self.project.frame(name)

    def schema(self, name: str) -> list[dict[str, Any]]:
        """Return the columns of a dataset."""
        return self.project.table(name).columns()

    def files(self, name: str) -> dict[str, bytes]:
        """Return the files of a folder: path with its leading slash -> content."""
        return self.project.files(name)


class ProjectUnderTest:
    """A project in a temporary folder, made of what the test gives it."""

    def __init__(self, root: Path, plugins: Iterable[Path | str], variables: Mapping[str, Any]) -> None:
        self.root = root
        self.plugins = [Path(place).resolve() for place in plugins]
        self.project = project.Project(root, "TEST", Flow(variables=dict(variables)))

    def add_dataset(self, name: str, content: Any, types: Mapping[str, str] | None = None, **options: Any) -> Path:
        """Add a dataset from a data frame, rows or columns (a dict of lists); `format="parquet"` is an option."""
        path = self.root / "datasets" / f"{name}.{options.get('format', 'csv')}"
        path.parent.mkdir(exist_ok=True)
        self.project.flow.datasets[name] = {**options, "path": str(path)}
        if hasattr(content, "iloc"):
            columns = frames.columns_of(content)
        else:
            content = _rows(content)
            columns = [{"name": key, "type": _type_of([row.get(key) for row in content])} for key in _keys(content)]
        columns = [{**column, "type": (types or {}).get(column["name"], column["type"])} for column in columns]
        with table(path, options).writer(columns) as writer:
            if hasattr(content, "iloc"):
                writer.write_frame(content)
            else:
                writer.write([row.get(column["name"]) for column in columns] for row in content)
        return path

    def add_folder(self, name: str, files: Mapping[str, bytes | str] | None = None, **options: Any) -> Path:
        """Add a folder from its files: path -> content."""
        path = self.root / "folders" / name
        path.mkdir(parents=True, exist_ok=True)
        self.project.flow.folders[name] = {**options, "path": str(path)}
        for inside, content in (files or {}).items():
            with LocalFolder(path).writing(inside) as stream:
                stream.write(content.encode() if isinstance(content, str) else content)
        return path

    def plan(self, component: str, *, inputs: Any = (), outputs: Any = (), params: Any = (), **more: Any) -> Plan:
        """Return the plan of a run without running it; raises `JobError` with every mistake."""
        catalogue = discovery.find(Search(tuple(self.plugins), only_places=True))
        found = catalogue.component(component, ("recipe", "macro"))
        folders = {role.name for role in found.outputs if role.accepts_folder and not role.accepts_dataset}
        for role, ref in _pairs(outputs):
            declared = {*self.project.flow.datasets, *self.project.flow.folders}
            if ref not in declared and not project.is_path(ref):
                kind = self.project.flow.folders if role in folders else self.project.flow.datasets
                kind[ref] = {
                    "path": f"{'folders' if role in folders else 'datasets'}/{ref}{'' if role in folders else '.csv'}"
                }
        request = Request(component, _pairs(inputs), _pairs(outputs), Given(dict(params)), ask_choices=False, **more)
        return plan(request, catalogue, self.project)

    def run(
        self,
        component: str,
        *,
        inputs: Mapping[str, Any] | None = None,
        outputs: Mapping[str, Any] | None = None,
        params: Mapping[str, Any] | None = None,
        in_process: bool = False,
        **more: Any,
    ) -> Done:
        """Run a component and return what it left; raises `ComponentFailed` with the reason when it fails.

        `inputs` and `outputs` are role -> name (or list of names); outputs that have no name yet get one. `in_process`
        runs in the test's own process (breakpoints work, nothing is isolated). `timeout`, `streams_only`, `partition`
        and the plugin's `settings` may be given too.
        """
        options = Options(timeout=more.pop("timeout", None), quiet=True, in_process=in_process)
        settings = Given(dict(more.pop("settings", {})))
        planned = self.plan(
            component, inputs=inputs or {}, outputs=outputs or {}, params=params or {}, settings=settings, **more
        )
        result = run(planned.job, options)
        return Done(self, result.folder, result.answer)

    @contextlib.contextmanager
    def webapp(self, name: str, params: Mapping[str, Any] | None = None, **more: Any) -> Iterator[Any]:
        """Load a web app's backend into the test's process and give its client: `client.get("/route").json`."""
        from werkzeug.test import Client

        from minihost.runs import inprocess
        from minihost.webapps.serving import load_backend

        settings = Given(dict(more.pop("settings", {})))
        catalogue = discovery.find(Search(tuple(self.plugins), only_places=True))
        asked = Request(
            name, params=Given(dict(params or {})), settings=settings, kinds=("webapp",), ask_choices=False, **more
        )
        job = plan(asked, catalogue, self.project).job
        job_folder(job)
        with inprocess.session_of(job):
            backend = load_backend(job)
            if backend is None:
                raise JobError([f"{name} has no backend."])
            client = getattr(backend, "test_client", None)
            yield client() if client is not None else Client(backend)

    def table(self, name: str) -> Any:
        """Return the table that keeps a dataset."""
        found = self.project.find("DATASET", name)
        return table(Path(found.path), found.options)

    def rows(self, name: str) -> list[dict[str, Any]]:
        """Return the rows of a dataset, cells typed by its schema."""
        columns = self.table(name).columns()
        return [
            {column["name"]: cells.from_text(cell, column["type"]) for column, cell in zip(columns, row, strict=True)}
            for row in self.table(name).text_rows()
        ]

    def frame(self, name: str) -> Any:
        """Return a dataset as a data frame."""
        data = self.table(name)
        return frames.with_dates(frames.read(data.pandas_source(), data.columns(), {}), data.columns())

    def folder(self, name: str) -> Path:
        """Return where a folder lies."""
        return Path(self.project.find("MANAGED_FOLDER", name).path)

    def files(self, name: str) -> dict[str, bytes]:
        """Return the files of a folder: path with its leading slash -> content."""
        folder = LocalFolder(self.folder(name))
        found = {}
        for path in folder.paths():
            with folder.open(path) as stream:
                found[path] = stream.read()
        return found


@pytest.fixture
def minihost_project(tmp_path: Path, request: pytest.FixtureRequest) -> Callable[..., ProjectUnderTest]:
    """Return a maker of projects.

    It takes `plugin` (a folder or zip; the tested checkout by default), `datasets` (name -> frame, rows or columns),
    `folders` (name -> files) and `variables`.
    """
    root = request.config.rootpath

    def make(
        plugin: Path | str | None = None,
        datasets: Mapping[str, Any] | None = None,
        folders: Mapping[str, Mapping[str, bytes | str]] | None = None,
        variables: Mapping[str, Any] | None = None,
    ) -> ProjectUnderTest:
        place = tmp_path / "minihost_project"
        place.mkdir(exist_ok=True)
        made = ProjectUnderTest(place, [root if plugin is None else plugin], variables or {})
        for name, content in (datasets or {}).items():
            made.add_dataset(name, content)
        for name, files in (folders or {}).items():
            made.add_folder(name, files)
        return made

    return make


def _pairs(roles: Any) -> tuple[tuple[str, str], ...]:
    items = dict(roles).items()
    return tuple((role, ref) for role, refs in items for ref in ([refs] if isinstance(refs, str) else refs))


def _rows(content: Any) -> list[Mapping[str, Any]]:
    if isinstance(content, Mapping):
        names = list(content)
        return [dict(zip(names, row, strict=True)) for row in zip(*content.values(), strict=True)]
    return list(content)


def _keys(rows: list[Mapping[str, Any]]) -> list[str]:
    return list(dict.fromkeys(key for row in rows for key in row))


def _type_of(values: list[Any]) -> str:
    """The storage type that holds all values of a column; text where they differ."""
    kinds: tuple[tuple[Any, str], ...] = ((bool, "boolean"), (int, "bigint"), (float, "double"), (dt.date, "date"))
    kinds += ((list, "array"), (dict, "object"))
    found = {
        next((name for kind, name in kinds if isinstance(value, kind)), "string")
        for value in values
        if value is not None
    }
    if found == {"bigint", "double"}:
        return "double"
    return found.pop() if len(found) == 1 else "string"
