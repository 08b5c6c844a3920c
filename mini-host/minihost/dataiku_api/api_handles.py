"""Datasets and folders as `dataiku.api_client()` shows them."""

from __future__ import annotations

import copy
from typing import Any

from minihost.dataiku_api import metrics, session
from minihost.dataiku_api.api_settings import DatasetSettings, FolderSettings, Item, refusal
from minihost.dataiku_api.dataset import Dataset
from minihost.dataiku_api.definitions import custom_fields, definition
from minihost.dataiku_api.file_answer import FileAnswer
from minihost.dataiku_api.folder import Folder
from minihost.dataiku_api.missing_names import Telling


class DatasetItem(Item):
    """An item of `list_datasets`: the definition of a dataset."""

    _dss_name = "DSSDatasetListItem"

    @property
    def id(self):
        """The dataset's id: its name."""
        return self["name"]

    @property
    def connection(self):
        """The connection that the dataset lies on."""
        return self["params"]["connection"]

    def to_dataset(self):
        """Return a handle on the dataset."""
        return DatasetHandle(self["projectKey"], self["name"])

    def get_settings(self):
        """Return the settings of the dataset."""
        return self.to_dataset().get_settings()


class DatasetHandle(Telling):
    """A dataset as the API sees it."""

    _dss_name = "DSSDataset"

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
        """Return the settings of the dataset; `save` keeps its schema and, for as long as the run lasts, its custom
        fields."""
        return DatasetSettings(self.get_definition(), self._keep)

    def _keep(self, raw: dict[str, Any]) -> None:
        before = self.get_definition()
        if raw["schema"]["columns"] != before["schema"]["columns"]:
            self.set_schema(raw["schema"])
        self._reference().options["customFields"] = raw["customFields"]

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
            raise refusal(f"Dataset {self.project_key}.{self.dataset_name} does not exist: {err}") from err


class FolderHandle(Telling):
    """A managed folder as the API sees it."""

    _dss_name = "DSSManagedFolder"

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
            raise refusal(f"Managed folder {self.project_key}.{self.odb_id} does not exist: {err}") from err
        return {
            "projectKey": self.project_key,
            "id": reference.name,
            "name": reference.name,
            "type": "Filesystem",
            "params": {"path": reference.path, "connection": "filesystem_folders"},
            "partitioning": _partitioning(reference),
            "tags": [],
            "customFields": custom_fields(reference),
        }

    def get_settings(self):
        """Return the settings of the folder."""
        return FolderSettings(self.get_definition())

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
        """Return a file as an answer of requests: `raw`, `content`, `iter_content` … Raises when it is missing."""
        return FileAnswer(self.get_as_core_folder().get_download_stream(path).detach(), 1 << 16)

    def put_file(self, path, f):
        """Write a file."""
        self.get_as_core_folder().upload_stream(path, f)
        return self.get_as_core_folder().get_path_details(path)

    def delete_file(self, path):
        """Delete a file."""
        self.get_as_core_folder().delete_path(path)


def _partitioning(reference: Any) -> dict[str, Any]:
    """How a folder is partitioned; the pattern says that a partition is the sub-folder of its identifier."""
    found = copy.deepcopy(reference.options.get("partitioning") or {"dimensions": []})
    names = [f"%{{{dimension['name']}}}" for dimension in found.get("dimensions", [])]
    return {**({"filePathPattern": f"/{'|'.join(names)}/.*"} if names else {}), **found}
