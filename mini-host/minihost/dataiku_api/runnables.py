"""`dataiku.runnables`: what a macro is made of, and tables as its result."""

from __future__ import annotations

from minihost.dataiku_api.missing_names import Telling

__all__ = ["ResultTable", "Runnable"]


class NoRun(NotImplementedError):
    """A macro does not say what it does."""

    for_user = True


class Runnable:
    """What every macro derives from; the host makes one with (project_key, config, plugin_config) and runs it."""

    def __init__(self, project_key, config, plugin_config):
        self.project_key = project_key
        self.config = config
        self.plugin_config = plugin_config

    def get_progress_target(self):
        """Return None, or the end of the progress as (number, unit)."""
        return None  # noqa: RET501 (said, because macros compare it)

    def run(self, progress_callback):
        """Do the work and return the result; macros say how."""
        raise NoRun(f"The macro {type(self).__name__} has no method run(self, progress_callback).")


class ResultTable(Telling):
    """A table as the result of a macro."""

    _dss_name = "ResultTable"

    def __init__(self):
        self.name = None
        self.columns = []
        self.records = []

    def set_name(self, name):
        """Set the title of the table."""
        self.name = name

    def add_column(self, id, label, type="STRING"):
        """Add a column; `type` is STRING or STRING_LIST."""
        self.columns.append({"id": id, "label": label, "type": type})

    def add_record(self, record):
        """Add a row: one cell for each column."""
        self.records.append(record)

    def to_json(self):
        """Return the table as the host keeps it: name, columns, records."""
        return {"name": self.name, "columns": self.columns, "records": self.records}
