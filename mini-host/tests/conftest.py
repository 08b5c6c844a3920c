"""`dss` makes `import dataiku` work in the test's own process; `project` makes projects with one recipe to run."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import sql_databases
from component_plugins import write_components
from one_recipe import COPY, IN, OUT, ROWS

from minihost.dataiku_api import modules, session
from minihost.datasets import table
from minihost.job import Job, Reference

os.fsync = lambda descriptor: None  # what tests write need not outlive a power cut, and thousands of waits add up


@dataclass
class Dss:
    dataiku: Any
    root: Path
    job: Job
    session: session.Session

    def table(self, name):
        reference = next(one for one in self.session.everything("DATASET") if one.name == name)
        return table(Path(reference.path), reference.options)

    def rows(self, name):
        return list(self.table(name).text_rows())


@pytest.fixture
def dss(tmp_path):
    """Return a maker of sessions: `inputs`, `outputs`, `others` are name -> None, rows (columns, rows) or files (a dict).

    A name that ends in `/` is a folder. Outputs are written in place, so that a test sees them at once.
    """

    def make(inputs=None, outputs=None, others=None, kind="recipe", **more):
        modules.uninstall()
        sides = [_references(tmp_path, side or {}) for side in (inputs, outputs, others)]
        facts = {"config": {}, "plugin_config": {}, **more}
        job = Job(
            plugin_id="sample", plugin_root=str(tmp_path / "plugin"), component_id="component", kind=kind, runner="",
            project_key="PROJ", project_dir=str(tmp_path), work_dir=str(tmp_path), inputs=sides[0], outputs=sides[1],
            others=sides[2], **facts,
        )  # fmt: skip
        now = session.Session(job)
        modules.install(now)
        import dataiku

        return Dss(dataiku, tmp_path, job, now)

    yield make
    modules.uninstall()


@pytest.fixture(scope="session")
def postgresql_server():
    """The URL of a PostgreSQL server; skips where its binaries cannot be had."""
    with sql_databases.server() as url:
        yield url


@pytest.fixture
def postgresql(postgresql_server):
    """A schema of the test's own in a PostgreSQL database."""
    with sql_databases.schema(postgresql_server) as name:
        yield sql_databases.Database("postgresql", postgresql_server, name)


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.network)])
def database(request, tmp_path):
    """A database of each kind that is supported."""
    if request.param == "postgresql":
        return request.getfixturevalue("postgresql")
    pytest.importorskip("sqlalchemy", reason="SQL tables need the extra sql")
    return sql_databases.Database("sqlite", f"sqlite:///{tmp_path}/data.db")


@pytest.fixture
def project(tmp_path, minihost_project):
    """Return a maker of projects with one recipe `do` of this code, a dataset `rows`, and what else is given."""

    def make(code=COPY, *, inputs=IN, outputs=OUT, files=None, macro=None, params=(), folders=None, **more):
        recipes = {"do": ({"inputRoles": inputs, "outputRoles": outputs, "params": list(params)}, code)}
        macros = {"act": macro} if macro else None
        plugin = write_components(tmp_path / "plugin", recipes, macros, files, **more)
        return minihost_project(plugin=plugin, datasets={"rows": ROWS}, folders=folders)

    return make


def _references(root, named):
    found = []
    for name, content in named.items():
        options = {}
        if isinstance(content, tuple) and len(content) == 3:
            *content, options = content
        if name.endswith("/"):
            name = name[:-1]
            path = root / name
            path.mkdir(exist_ok=True)
            files = content[0] if isinstance(content, list) else content
            for inside, data in (files or {}).items():
                (path / inside.strip("/")).parent.mkdir(parents=True, exist_ok=True)
                (path / inside.strip("/")).write_bytes(data)
            found.append(Reference(f"{name}_role", "MANAGED_FOLDER", name, "PROJ", str(path), options))
            continue
        path = root / f"{name}.{options.get('format', 'csv')}"
        if content and content[0]:
            columns, rows = content
            columns = [{"name": key, "type": kind} for key, kind in columns.items()]
            with table(path, options).writer(columns) as writer:
                writer.write(rows)
        found.append(Reference(f"{name}_role", "DATASET", name, "PROJ", str(path), options))
    return found
