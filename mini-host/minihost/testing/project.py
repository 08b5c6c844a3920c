"""The project that a test makes: its datasets and folders, runs of components in it, and what they left."""

from __future__ import annotations

import contextlib
import tempfile
import warnings
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from minihost.datasets import cells, frames, table
from minihost.datasets.remote import fetched
from minihost.errors import HostError, JobError
from minihost.folders import is_remote, open_folder
from minihost.folders.local import LocalFolder
from minihost.job import Reference
from minihost.parameters.resolving import Given
from minihost.plugins import Search, discovery
from minihost.projects import project
from minihost.projects.flow import Flow
from minihost.projects.planning import Plan, Request, plan
from minihost.runs.job_folders import job_folder
from minihost.runs.progress import Silent
from minihost.runs.running import Options, run
from minihost.suggestions import did_you_mean, one_of
from minihost.testing import content as contents


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
        self.logs: list[tuple[str, Path]] = []
        """The component and the log of each run so far."""

    def add_dataset(self, name: str, content: Any, types: Mapping[str, str] | None = None, **options: Any) -> Path:
        """Add a dataset from a data frame, rows, columns (a dict of lists), or a `Path` of a file, which is copied.

        `format="parquet"` is an option, and so is what flow.yaml has for a dataset.
        """
        if isinstance(content, Path):
            path = contents.copied(content, self.root / "datasets", name)
            self.project.flow.datasets[name] = {**options, "path": str(path)}
            return path
        path = self.root / "datasets" / f"{name}.{options.get('format', 'csv')}"
        if contents.is_frame(content):
            columns = frames.columns_of(content)
        else:
            content = contents.rows(name, content)
            columns = contents.columns(content)
        path.parent.mkdir(exist_ok=True)
        self.project.flow.datasets[name] = {**options, "path": str(path)}
        columns = contents.typed(name, columns, types or {})
        with table(path, options).writer(columns) as writer:
            if contents.is_frame(content):
                writer.write_frame(content)
            else:
                writer.write([row.get(column["name"]) for column in columns] for row in content)
        return path

    def add_folder(self, name: str, files: Mapping[str, bytes | str] | Path | None = None, **options: Any) -> Path:
        """Add a folder from its files, path -> content, or from the `Path` of one, which is copied."""
        path = self.root / "folders" / name
        if isinstance(files, Path):
            contents.copied(files, path.parent, name)
            files = {}
        written = contents.files(name, files or {})
        path.mkdir(parents=True, exist_ok=True)
        self.project.flow.folders[name] = {**options, "path": str(path)}
        for inside, content in written.items():
            with LocalFolder(path).writing(inside) as stream:
                stream.write(content)
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
        settings: Mapping[str, Any] | None = None,
        in_process: bool = False,
        timeout: float | None = None,
        streams_only: bool = False,
        partition: str = "",
    ) -> Done:
        """Run a component and return what it left; raises `ComponentFailed` with the reason when it fails.

        `inputs` and `outputs` are role -> name (or list of names); outputs that have no name yet get one. `settings`
        are those of the plugin, `timeout` is in seconds. `in_process` runs in the test's own process: breakpoints work,
        nothing is isolated, and there is no timeout.
        """
        if in_process and timeout is not None:
            raise JobError(["A run with in_process=True cannot be stopped after a timeout: leave out one of the two."])
        planned = self.plan(
            component,
            inputs=inputs or {},
            outputs=outputs or {},
            params=params or {},
            settings=Given(dict(settings or {})),
            streams_only=streams_only,
            partition=partition,
        )
        for warning in planned.warnings:
            warnings.warn(warning, stacklevel=2)
        name = planned.component.full_id
        try:
            result = run(planned.job, Options(timeout=timeout, in_process=in_process, reporter=Silent()))
        except HostError as err:
            self.logs += [(name, err.log)] if err.log else []
            raise
        self.logs.append((name, result.log))
        return Done(self, result.folder, result.answer)

    @contextlib.contextmanager
    def webapp(
        self,
        name: str,
        params: Mapping[str, Any] | None = None,
        *,
        settings: Mapping[str, Any] | None = None,
        streams_only: bool = False,
    ) -> Iterator[Any]:
        """Load a web app's backend into the test's process and give its client: `client.get("/route").json`."""
        from werkzeug.test import Client

        from minihost.runs import inprocess
        from minihost.webapps.serving import load_backend

        catalogue = discovery.find(Search(tuple(self.plugins), only_places=True))
        asked = Request(
            name,
            params=Given(dict(params or {})),
            settings=Given(dict(settings or {})),
            kinds=("webapp",),
            ask_choices=False,
            streams_only=streams_only,
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
        found = self._find("DATASET", name)
        if is_remote(found.path):
            return fetched(found, Path(tempfile.mkdtemp(dir=self.root)))
        return table(found.path, found.options)

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
        return Path(self._find("MANAGED_FOLDER", name).path)

    def files(self, name: str) -> dict[str, bytes]:
        """Return the files of a folder: path with its leading slash -> content."""
        folder = open_folder(self._find("MANAGED_FOLDER", name))
        found = {}
        for path in folder.paths():
            with folder.open(path) as stream:
                found[path] = stream.read()
        return found

    def _find(self, kind: str, name: str) -> Reference:
        """Return what a name or path means; raises `JobError` for a name that there is not.

        A macro that is given a new name in a parameter makes its folder in the project's own.
        """
        names = self.project.names(kind)
        if name not in names and not project.is_path(name) and not (self.project.dir / name).exists():
            what = "dataset" if kind == "DATASET" else "folder"
            raise JobError([f"There is no {what} {name!r}.{did_you_mean(name, names)} Known: {one_of(names)}."])
        return self.project.find(kind, name)


def _pairs(roles: Any) -> tuple[tuple[str, str], ...]:
    items = dict(roles).items()
    return tuple((role, ref) for role, refs in items for ref in ([refs] if isinstance(refs, str) else refs))
