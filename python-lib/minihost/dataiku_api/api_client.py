"""`dataiku.api_client()`: the API of DSS over the one local project."""

from __future__ import annotations

import copy
import getpass
from typing import Any

from minihost.dataiku_api import metrics, session
from minihost.dataiku_api.dataset import Dataset, definition
from minihost.dataiku_api.folder import Folder


class Client:
    """The instance: one project, the plugins of the job, no code environments."""

    def get_project(self, project_key):
        """Return a handle on a project; raises when it is not the one of this job."""
        key = session.current().job.project_key
        if project_key != key:
            raise _refusal(f"Project {project_key!r} does not exist here; the only one is {key!r}.")
        return Project(key)

    def get_default_project(self):
        """Return the project of this job."""
        return Project(session.current().job.project_key)

    def list_projects(self, include_location=False):
        """Return the projects: one."""
        key = session.current().job.project_key
        return [{"projectKey": key, "name": key, "shortDesc": "", "tags": [], "ownerLogin": _login()}]

    def list_project_keys(self):
        """Return the keys of the projects: one."""
        return [session.current().job.project_key]

    def list_code_envs(self, as_objects=False):
        """Return the code environments: none, the run has its own Python."""
        return []

    def list_messaging_channels(self, as_type="listitems", channel_type=None, channel_family=None):
        """Return the messaging channels: none."""
        return []

    def list_plugins(self):
        """Return the plugins of the host."""
        return [{"id": plugin} for plugin in sorted(session.current().job.plugins)]

    def get_plugin(self, plugin_id):
        """Return a handle on a plugin."""
        return PluginHandle(plugin_id)

    def get_auth_info(self, with_secrets=False):
        """Return who runs the job."""
        info = {"authIdentifier": _login(), "groups": [], "associatedDSSUser": _login(), "via": []}
        return {**info, "secrets": []} if with_secrets else info

    def get_instance_info(self):
        """Return what this instance is."""
        return InstanceInfo(
            {"nodeId": "minihost", "nodeName": "minihost", "nodeType": "DESIGN", "dssVersion": "14.0.0"}
        )


class InstanceInfo:
    """Facts about the instance."""

    def __init__(self, raw: dict[str, Any]) -> None:
        self.raw = raw
        self.node_id, self.node_name, self.node_type = raw["nodeId"], raw["nodeName"], raw["nodeType"]


class PluginHandle:
    """One plugin: its id and its settings."""

    def __init__(self, plugin_id: str) -> None:
        self.plugin_id = plugin_id

    def get_settings(self):
        """Return the settings of the plugin."""
        job = session.current().job
        return RawSettings({"config": copy.deepcopy(job.plugin_config) if self.plugin_id == job.plugin_id else {}})


class RawSettings:
    """Settings as the platform keeps them; they last as long as the run."""

    def __init__(self, raw: dict[str, Any]) -> None:
        self.settings = raw

    def get_raw(self):
        """Return the settings as a dict."""
        return self.settings

    def save(self):
        """Keep changes for as long as the run lasts."""


class Item(dict):
    """An item of a list: a dict whose keys are attributes too."""

    def __getattr__(self, name: str) -> Any:
        try:
            return self[name]
        except KeyError:
            raise AttributeError(name) from None


class Project:
    """The local project."""

    def __init__(self, project_key: str) -> None:
        self.project_key = project_key

    def get_summary(self):
        """Return the project in short."""
        return {"projectKey": self.project_key, "name": self.project_key, "tags": [], "shortDesc": ""}

    def list_datasets(self, as_type="listitems", include_shared=False):
        """Return the datasets: their definitions, or handles for `as_type="objects"`."""
        names = [reference.name for reference in session.current().everything(session.DATASET)]
        if as_type == "objects":
            return [self.get_dataset(name) for name in names]
        return [Item(self.get_dataset(name).get_definition()) for name in names]

    def get_dataset(self, dataset_name):
        """Return a handle on a dataset; it need not exist."""
        return DatasetHandle(self.project_key, dataset_name)

    def list_managed_folders(self):
        """Return the managed folders: their definitions."""
        found = session.current().everything(session.FOLDER)
        return [Item(FolderHandle(self.project_key, reference.name).get_definition()) for reference in found]

    def get_managed_folder(self, odb_id):
        """Return a handle on a managed folder, by its id."""
        return FolderHandle(self.project_key, odb_id)

    def create_managed_folder(self, name, folder_type=None, connection_name="filesystem_folders"):
        """Make a managed folder and return a handle on it; raises when there is one of that name."""
        reference = session.current().create(session.FOLDER, name)
        return FolderHandle(self.project_key, reference.name)

    def list_recipes(self, as_type="listitems"):
        """Return the recipes: the one that runs, if it is one."""
        job = session.current().job
        return [Item(_recipe(job))] if job.kind == "recipe" else []

    def get_variables(self):
        """Return the variables: `{"standard": …, "local": …}`."""
        return copy.deepcopy(session.current().variables)

    def set_variables(self, obj):
        """Replace the variables, for as long as the run lasts."""
        if not isinstance(obj, dict) or "standard" not in obj or "local" not in obj:
            raise ValueError("Variables are a dict with the keys 'standard' and 'local'.")
        session.current().variables = copy.deepcopy(obj)

    def update_variables(self, variables, type="standard"):
        """Change some variables, for as long as the run lasts."""
        session.current().variables[type].update(copy.deepcopy(variables))

    def get_metadata(self):
        """Return the notes kept with the project."""
        return {
            "label": self.project_key,
            "tags": [],
            "shortDesc": "",
            "checklists": {"checklists": []},
            "customFields": {},
        }

    def get_settings(self):
        """Return the settings of the project."""
        return RawSettings(
            {"projectKey": self.project_key, "settings": {}, "metrics": {}, "bundleContainerSettings": {}}
        )


class DatasetHandle:
    """A dataset as the API sees it."""

    def __init__(self, project_key: str, name: str) -> None:
        self.project_key = project_key
        self.dataset_name = self.name = name.rpartition(".")[2]

    @property
    def id(self):
        """The dataset's id: its name."""
        return self.dataset_name

    def exists(self):
        """Tell whether the project has such a dataset."""
        return any(reference.name == self.dataset_name for reference in session.current().everything(session.DATASET))

    def get_as_core_dataset(self):
        """Return the dataset as a `dataiku.Dataset`."""
        return Dataset(f"{self.project_key}.{self.dataset_name}", ignore_flow=True)

    def get_definition(self):
        """Return the definition: type, params, schema, partitioning …"""
        reference = self._reference()
        return definition(reference, Dataset(reference.full_name, ignore_flow=True)._reading().columns())

    def get_settings(self):
        """Return the settings of the dataset."""
        return RawSettings(self.get_definition())

    def get_schema(self):
        """Return the schema as `{"columns": […]}`."""
        return {"columns": self.get_definition()["schema"]["columns"], "userModified": False}

    def set_schema(self, schema):
        """Replace the schema, given as `{"columns": […]}`."""
        self.get_as_core_dataset().write_schema(schema["columns"])

    def get_metadata(self):
        """Return the notes kept with the dataset."""
        return self.get_as_core_dataset().read_metadata()

    def set_metadata(self, metadata):
        """Keep notes with the dataset, for as long as the run lasts."""
        self.get_as_core_dataset().write_metadata(metadata)

    def list_partitions(self):
        """Return the partitions."""
        return self.get_as_core_dataset().list_partitions(raise_if_empty=False)

    def iter_rows(self, partitions=None):
        """Yield the rows as lists."""
        for row in self.get_as_core_dataset().iter_tuples():
            yield list(row)

    def compute_metrics(self, partition="", metric_ids=None, probes=None):
        """Compute metrics; the number of rows and the number of columns are known."""
        reference = self._reference()
        data = Dataset(reference.full_name, ignore_flow=True)._reading()
        found = metrics.compute(data, metric_ids)
        old = [
            one
            for one in reference.options.get("metrics", [])
            if one["metricId"] not in {new["metricId"] for new in found}
        ]
        reference.options["metrics"] = [*old, *found]
        return {"result": {"computed": found}}

    def get_last_metric_values(self, partition=""):
        """Return the metrics computed so far in this run."""
        return metrics.ComputedMetrics(self._reference().options.get("metrics", []))

    def clear(self, partitions=None):
        """Delete the rows and keep the schema."""
        dataset = self.get_as_core_dataset()
        dataset.write_schema(dataset.read_schema(raise_if_empty=False))
        with dataset.get_writer():
            pass

    def _reference(self) -> Any:
        try:
            return session.current().find(self.dataset_name, session.DATASET, ignore_flow=True)
        except Exception as err:
            raise _refusal(f"Dataset {self.project_key}.{self.dataset_name} does not exist: {err}") from err


class FolderHandle:
    """A managed folder as the API sees it."""

    def __init__(self, project_key: str, lookup: str) -> None:
        self.project_key = project_key
        self.odb_id = lookup.rpartition(".")[2]

    @property
    def id(self):
        """The folder's id."""
        return self.odb_id

    @property
    def name(self):
        """The folder's name."""
        return self.odb_id

    def get_as_core_folder(self):
        """Return the folder as a `dataiku.Folder`."""
        return Folder(f"{self.project_key}.{self.odb_id}", ignore_flow=True)

    def get_definition(self):
        """Return the definition: id, name, type, params, partitioning."""
        try:
            reference = session.current().find(self.odb_id, session.FOLDER, ignore_flow=True)
        except Exception as err:
            raise _refusal(f"Managed folder {self.project_key}.{self.odb_id} does not exist: {err}") from err
        return {
            "projectKey": self.project_key,
            "id": reference.name,
            "name": reference.name,
            "type": "Filesystem",
            "params": {"path": reference.path, "connection": "filesystem_folders"},
            "partitioning": copy.deepcopy(reference.options.get("partitioning") or {"dimensions": []}),
            "tags": [],
        }

    def get_settings(self):
        """Return the settings of the folder."""
        return RawSettings(self.get_definition())

    def list_contents(self):
        """Return the files as `{"items": [{"path", "size", "lastModified"}]}`."""
        folder = self.get_as_core_folder()
        details = (folder.get_path_details(path) for path in folder.list_paths_in_partition())
        return {
            "items": [
                {"path": one["fullPath"], "size": one["size"], "lastModified": one["lastModified"]} for one in details
            ]
        }

    def get_file(self, path):
        """Return a file as a stream."""
        return self.get_as_core_folder().get_download_stream(path)

    def put_file(self, path, f):
        """Write a file."""
        self.get_as_core_folder().upload_stream(path, f)
        return self.get_as_core_folder().get_path_details(path)

    def delete_file(self, path):
        """Delete a file."""
        self.get_as_core_folder().delete_path(path)


def _recipe(job: Any) -> dict[str, Any]:
    roles: dict[str, dict[str, Any]] = {"inputs": {}, "outputs": {}}
    for side, references in (("inputs", job.inputs), ("outputs", job.outputs)):
        for reference in references:
            items = roles[side].setdefault(reference.role, {"items": []})["items"]
            items.append(
                {"ref": reference.name, "deps": []}
                if side == "inputs"
                else {"ref": reference.name, "appendMode": False}
            )
    return {
        "projectKey": job.project_key,
        "name": job.component_id,
        "type": f"CustomCode_{job.component_id}",
        **roles,
        "params": {},
    }


def _refusal(message: str) -> Exception:
    """The exception that components catch: that of a real client package where one is installed."""
    from dataikuapi.utils import DataikuException

    return DataikuException(message)


def _login() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "user"
