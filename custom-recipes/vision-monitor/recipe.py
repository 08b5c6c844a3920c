"""Monitor: new pictures, or an endpoint's log, against the pictures of the training: one alarm, and a page."""

from dss_ports import input_folder, input_table, optional_output_table, output_folder, output_table, params
from vision_recipes.monitor import MonitorInputs, MonitorOutputs, monitor
from vision_recipes.monitor_settings import MonitorSettings
from vision_recipes.report_columns import MONITORED

rows = monitor(
    inputs=MonitorInputs(
        pictures=input_folder("image_folder"),
        embeddings=input_folder("embedding_log"),
        model=input_folder("model_folder"),
        reference=input_folder("reference_folder"),
        extra=input_table("extra_dataset"),
        cache=output_folder("cache_folder"),
    ),
    settings=MonitorSettings.from_params(params()),
    outputs=MonitorOutputs(moved=optional_output_table("moved_dataset"), report=output_folder("report_folder")),
)
output_table("metrics_dataset").write(MONITORED, rows)
