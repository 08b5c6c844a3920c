"""`dataiku.ComputedMetrics`: the values that metrics of a dataset had when they were computed."""

from __future__ import annotations

from typing import Any

from minihost.dataiku_api.missing_names import Telling


class ComputedMetrics(Telling):
    """The metrics of one dataset; `raw` is a list of `{"metricId", "value", "dataType"}`."""

    _dss_name = "ComputedMetrics"

    def __init__(self, raw: Any) -> None:
        self.raw = {"metrics": list(raw)}

    def get_all_ids(self):
        """Return the ids of the metrics that were computed."""
        return [data["metricId"] for data in self.raw["metrics"]]

    def get_metric_by_id(self, metric_id):
        """Return one metric, None when it was not computed."""
        return next((data for data in self.raw["metrics"] if data["metricId"] == metric_id), None)

    def get_global_data(self, metric_id):
        """Return a metric's value for the whole dataset, as data for `get_value_from_data`."""
        return self._data(metric_id)

    def get_partition_data(self, metric_id, partition):
        """Return a metric's value for one partition."""
        return self._data(metric_id)

    def get_first_partition_data(self, metric_id):
        """Return a metric's value for the first partition."""
        return self._data(metric_id)

    def get_global_value(self, metric_id):
        """Return a metric's value for the whole dataset, as a number where it is one."""
        return self.get_value_from_data(self._data(metric_id))

    def get_partition_value(self, metric_id, partition):
        """Return a metric's value for one partition, as a number where it is one."""
        return self.get_value_from_data(self._data(metric_id))

    def _data(self, metric_id: str) -> Any:
        found = self.get_metric_by_id(metric_id)
        if found is None:
            raise Exception(
                f"Metric {metric_id!r} was not computed. Computed: {', '.join(self.get_all_ids()) or 'none'}."
            )
        return found

    @staticmethod
    def get_value_from_data(data):
        """Return the value in a metric's data, as a number where it is one."""
        value, kind = data.get("value"), data.get("dataType", "STRING")
        if kind in ("BIGINT", "INT"):
            return int(value)
        return float(value) if kind in ("DOUBLE", "FLOAT") else value


def compute(data: Any, metric_ids: Any) -> list[dict[str, Any]]:
    """Compute the number of records and of columns of a table; ids of other metrics are left out."""
    values = {
        "records:COUNT_RECORDS": lambda: sum(1 for _ in data.text_rows()),
        "basic:COUNT_COLUMNS": lambda: len(data.columns()),
    }
    wanted = [metric for metric in (metric_ids or values) if metric in values]
    return [{"metricId": metric, "value": str(values[metric]()), "dataType": "BIGINT"} for metric in wanted]
