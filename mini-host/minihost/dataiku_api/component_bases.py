"""What components of plugins derive from that are neither recipes, macros nor web apps: custom datasets, exporters,
formats, file systems, clusters. The host does not run these; their authors can test them.

The names and signatures are those of doc.dataiku.com/dss/latest/plugins/reference and of the API reference below
developer.dataiku.com/latest/api-reference/python/plugin-components.
"""

from __future__ import annotations

import os
from typing import Any

from minihost.dataiku_api import session


class _Configured:
    """Has the parameters of the component and the settings of the plugin."""

    def __init__(self, config: dict[str, Any], plugin_config: dict[str, Any] | None = None) -> None:
        self.config = config
        self.plugin_config = plugin_config or {}


def _left_out(component: Any, method: str) -> NotImplementedError:
    return NotImplementedError(f"{type(component).__name__} has no method {method}.")


class Connector(_Configured):
    """What a custom dataset derives from (`dataiku.connector.Connector`)."""

    def get_connector_resource(self):
        """Return the path of the plugin's `resource` folder."""
        return os.path.join(session.current().job.plugin_root, "resource")

    def get_read_schema(self):
        """Return the schema as `{"columns": […]}`, or None where rows say it."""
        return None  # noqa: RET501 (said, because components compare it)

    def generate_rows(self, dataset_schema=None, dataset_partitioning=None, partition_id=None, records_limit=-1):
        """Yield rows as dicts; components say how."""
        raise _left_out(self, "generate_rows(dataset_schema, dataset_partitioning, partition_id, records_limit)")

    def get_writer(self, dataset_schema=None, dataset_partitioning=None, partition_id=None, write_mode="OVERWRITE"):
        """Return a `CustomDatasetWriter`; components that can be written say how."""
        raise _left_out(self, "get_writer(dataset_schema, dataset_partitioning, partition_id, write_mode)")

    def get_partitioning(self):
        """Return the partitioning; components that are partitioned say which."""
        raise _left_out(self, "get_partitioning()")

    def list_partitions(self, partitioning):
        """Return the partitions: none."""
        return []

    def partition_exists(self, partitioning, partition_id):
        """Tell whether a partition exists; components that are partitioned say so."""
        raise _left_out(self, "partition_exists(partitioning, partition_id)")

    def get_records_count(self, partitioning=None, partition_id=None):
        """Return the number of rows; components that know it say so."""
        raise _left_out(self, "get_records_count(partitioning, partition_id)")


class CustomDatasetWriter:
    """What writes to a custom dataset (`dataiku.connector.CustomDatasetWriter`)."""

    def write_row(self, row):
        """Write a row given as its values in the order of the schema; components say how."""
        raise _left_out(self, "write_row(row)")

    def close(self):
        """End the writing."""


class Exporter(_Configured):
    """What an exporter derives from (`dataiku.exporter.Exporter`)."""

    def open(self, schema):
        """Begin an export that the exporter itself takes to its place; components say how."""
        raise _left_out(self, "open(schema)")

    def open_to_file(self, schema, destination_file_path):
        """Begin an export to a file; components say how."""
        raise _left_out(self, "open_to_file(schema, destination_file_path)")

    def write_row(self, row):
        """Write a row given as its values in the order of the schema; components say how."""
        raise _left_out(self, "write_row(row)")

    def close(self):
        """End the export."""


class FSProvider:
    """What a file system provider derives from (`dataiku.fsprovider.FSProvider`)."""

    def __init__(self, root: str, config: dict[str, Any], plugin_config: dict[str, Any] | None = None) -> None:
        self.root = root
        self.config = config
        self.plugin_config = plugin_config or {}

    def close(self):
        """Clean up."""

    def stat(self, path):
        """Return `{"path", "size", "lastModified", "isDirectory"}`, None where nothing is; components say how."""
        raise _left_out(self, "stat(path)")

    def set_last_modified(self, path, last_modified):
        """Set when a file was changed; tell whether that was possible: it is not."""
        return False

    def browse(self, path):
        """Return what is at a path, with its children; components say how."""
        raise _left_out(self, "browse(path)")

    def enumerate(self, path, first_non_empty):
        """Return the files below a path; components say how."""
        raise _left_out(self, "enumerate(path, first_non_empty)")

    def delete_recursive(self, path):
        """Delete a file or folder and return how many were deleted; components say how."""
        raise _left_out(self, "delete_recursive(path)")

    def move(self, from_path, to_path):
        """Move a file or folder; components say how."""
        raise _left_out(self, "move(from_path, to_path)")

    def read(self, path, stream, limit):
        """Copy a file to a stream; components say how."""
        raise _left_out(self, "read(path, stream, limit)")

    def write(self, path, stream):
        """Copy a stream to a file; components say how."""
        raise _left_out(self, "write(path, stream)")


class Formatter(_Configured):
    """What a file format derives from (`dataiku.customformat.Formatter`)."""

    def get_output_formatter(self, stream, schema):
        """Return an `OutputFormatter`; formats that can be written say how."""
        raise _left_out(self, "get_output_formatter(stream, schema)")

    def get_format_extractor(self, stream, schema=None):
        """Return a `FormatExtractor`; formats that can be read say how."""
        raise _left_out(self, "get_format_extractor(stream, schema)")


class OutputFormatter:
    """What writes rows in a file format (`dataiku.customformat.OutputFormatter`)."""

    def __init__(self, stream: Any) -> None:
        self.stream = stream

    def write_header(self):
        """Write what stands before the rows."""

    def write_row(self, row):
        """Write a row given as its values in the order of the schema; formats say how."""
        raise _left_out(self, "write_row(row)")

    def write_footer(self):
        """Write what stands after the rows."""


class FormatExtractor:
    """What reads rows from a file format (`dataiku.customformat.FormatExtractor`)."""

    def __init__(self, stream: Any) -> None:
        self.stream = stream

    def read_schema(self):
        """Return the columns, None where the format does not say them."""
        return None  # noqa: RET501 (said, because components compare it)

    def read_row(self):
        """Return the next row as a dict, None after the last; formats say how."""
        raise _left_out(self, "read_row()")


class Cluster:
    """What a cluster derives from (`dataiku.cluster.Cluster`)."""

    def start(self):
        """Start it and return its settings; clusters say how."""
        raise _left_out(self, "start()")

    def stop(self, data):
        """Stop it; clusters say how."""
        raise _left_out(self, "stop(data)")
