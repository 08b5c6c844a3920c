"""`dataiku.api_client()`: the API of DSS over the one local project."""

from __future__ import annotations

import copy
import getpass
from typing import Any

from minihost.dataiku_api import session
from minihost.dataiku_api.api_handles import DatasetHandle, FolderHandle, Item, RawSettings, refusal


class Client:
    """The instance: one project, the plugins of the job, no code environments."""

    def get_project(self, project_key):
        """Return a handle on a project; raises when it is not the one of this job."""
        key = session.current().job.project_key
        if project_key != key:
            raise refusal(f"Project {project_key!r} does not exist here; the only one is {key!r}.")
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
        """Return the recipes of the flow, and the one that runs where it is not among them."""
        job = session.current().job
        found = copy.deepcopy(job.recipes)
        if job.kind == "recipe":
            running = _recipe(job)
            same = ("type", "inputs", "outputs")
            if not any(all(one[key] == running[key] for key in same) for one in found):
                found.append(running)
        return [Item(recipe) for recipe in found]

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
            {
                "projectKey": self.project_key,
                "settings": {},
                "metrics": {},
                "bundleContainerSettings": {},
                "exposedObjects": {"objects": []},
            }
        )


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


def _login() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "user"
