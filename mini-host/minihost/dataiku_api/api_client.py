"""`dataiku.api_client()`: the API of DSS over the one local project."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

from minihost.dataiku_api import session
from minihost.dataiku_api.api_project import Project
from minihost.dataiku_api.api_settings import Item, PluginSettings, refusal
from minihost.dataiku_api.missing_names import Telling
from minihost.dataiku_api.user_name import login


class Client(Telling):
    """The instance: one project, one user, the plugins of the job, no code environments."""

    _dss_name = "DSSClient"

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
        return [{"projectKey": key, "name": key, "shortDesc": "", "tags": [], "ownerLogin": login()}]

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
        """Return the plugins of the host, with their versions."""
        return [_listed(plugin, root) for plugin, root in sorted(session.current().job.plugins.items())]

    def get_plugin(self, plugin_id):
        """Return a handle on a plugin."""
        return PluginHandle(plugin_id)

    def get_auth_info(self, with_secrets=False):
        """Return who runs the job."""
        info = {"authIdentifier": login(), "groups": [], "associatedDSSUser": login(), "via": []}
        return {**info, "secrets": []} if with_secrets else info

    def get_auth_info_from_browser_headers(self, headers_dict, with_secrets=False):
        """Return who sent a request to a web app: whoever runs it, as its link is for them alone."""
        return self.get_auth_info(with_secrets)

    def list_users(self, as_objects=False, include_settings=False):
        """Return the users: one."""
        facts = {"displayName": login(), "email": "", "groups": [], "enabled": True, "sourceType": "LOCAL"}
        return [Item({"login": login(), **facts, "userProfile": "DESIGNER"})]

    def list_connections(self, as_type="dictitems"):
        """Return the connections that datasets and folders of the project lie on, by name or as a list."""
        root = session.current().job.project_dir
        found = {
            name: Item({"name": name, "type": "Filesystem", "params": {"root": root}})
            for name in ("filesystem_managed", "filesystem_folders")
        }
        return found if as_type == "dictitems" else list(found.values())

    def get_instance_info(self):
        """Return what this instance is."""
        facts = {"nodeId": "minihost", "nodeName": "minihost", "nodeType": "DESIGN", "dssVersion": "14.0.0"}
        return InstanceInfo({**facts, "dataDirPath": str(session.current().job.platform_home)})


class InstanceInfo(Telling):
    """Facts about the instance."""

    _dss_name = "DSSInstanceInfo"

    def __init__(self, raw: dict[str, Any]) -> None:
        self.raw = raw
        self.node_id, self.node_name, self.node_type = raw["nodeId"], raw["nodeName"], raw["nodeType"]


class PluginHandle(Telling):
    """One plugin: its id and its settings."""

    _dss_name = "DSSPlugin"

    def __init__(self, plugin_id: str) -> None:
        self.plugin_id = plugin_id

    def get_settings(self):
        """Return the settings of the plugin."""
        job = session.current().job
        return PluginSettings({"config": copy.deepcopy(job.plugin_config) if self.plugin_id == job.plugin_id else {}})


def _listed(plugin_id: str, root: str) -> dict[str, Any]:
    """A plugin as the platform lists it; with its id alone where its folder is not there any more."""
    from minihost.lenient_json import LenientJsonError, read_object

    try:
        found = read_object(Path(root, "plugin.json")).value
    except LenientJsonError:
        found = {}
    facts = {"version": str(found.get("version", "")), "isDev": False, "meta": found.get("meta") or {}}
    return Item({"id": plugin_id, **facts})
