"""Items of lists and settings as `dataiku.api_client()` gives them, and how its calls are refused."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

from minihost.dataiku_api.missing_names import Telling, TellingType, missing


class Item(dict, metaclass=TellingType):
    """An item of a list: a dict whose keys are attributes too."""

    _dss_name = "ListItem"

    def __getattr__(self, name: str) -> Any:
        if name in self:
            return self[name]
        if name.startswith("_"):
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
        raise missing(self._dss_name, name, [*dir(type(self)), *self])


class RawSettings(Telling):
    """Settings as the platform keeps them; they last as long as the run."""

    _dss_name = "Settings"

    def __init__(self, raw: dict[str, Any], keep: Callable[[dict[str, Any]], None] = lambda raw: None) -> None:
        self.settings = raw
        self._keep = keep

    def get_raw(self):
        """Return the settings as a dict; what is changed in it counts from `save` on."""
        return self.settings

    def save(self):
        """Keep changes for as long as the run lasts."""
        self._keep(copy.deepcopy(self.settings))


class PluginSettings(RawSettings):
    """The settings of a plugin; the running one has some."""

    _dss_name = "DSSPluginSettings"


class ProjectSettings(RawSettings):
    """The settings of a project."""

    _dss_name = "DSSProjectSettings"


class TaggedSettings(RawSettings):
    """Settings of what has tags, descriptions and custom fields."""

    @property
    def custom_fields(self):
        """The custom fields, as flow.yaml declares them."""
        return self.settings["customFields"]

    @property
    def tags(self):
        """The tags."""
        return self.settings["tags"]

    @property
    def description(self):
        """The long description."""
        return self.settings.get("description", "")

    @property
    def short_description(self):
        """The short description."""
        return self.settings.get("shortDesc", "")

    @property
    def type(self):
        """The type: `Filesystem`."""
        return self.settings["type"]

    def get_raw_params(self):
        """Return the parameters of that type: path, connection …"""
        return self.settings["params"]


class DatasetSettings(TaggedSettings):
    """The settings of a dataset."""

    _dss_name = "DSSDatasetSettings"

    @property
    def schema_columns(self):
        """The columns, as a list of dicts."""
        return self.settings["schema"]["columns"]

    @property
    def is_feature_group(self):
        """Whether the dataset is a feature group: none is."""
        return False

    def add_raw_schema_column(self, column):
        """Add a column; it counts from `save` on."""
        self.schema_columns.append(column)


class FolderSettings(TaggedSettings):
    """The settings of a managed folder."""

    _dss_name = "DSSManagedFolderSettings"


def refusal(message: str) -> Exception:
    """The exception that components catch: that of a real client package where one is installed."""
    from dataikuapi.utils import DataikuException

    return DataikuException(message)
