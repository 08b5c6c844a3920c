"""Evaluate predictions: scored pictures and true labels to metrics and a report."""

from dss_ports import input_folder, input_table, optional_output_table, output_folder, output_table, params
from vision_recipes.evaluate import OptionalInputs, OptionalOutputs, evaluate
from vision_recipes.report_columns import METRICS
from vision_recipes.settings import EvaluateSettings

rows = evaluate(
    predictions=input_table("scored_dataset"),
    labels=input_table("label_dataset"),
    settings=EvaluateSettings.from_params(params()),
    inputs=OptionalInputs(
        pictures=input_folder("image_folder"),
        model=input_folder("model_folder"),
        other=input_table("other_dataset"),
        checked=input_table("checked_dataset"),
        checked_pictures=input_folder("checked_folder"),
    ),
    outputs=OptionalOutputs(pictures=optional_output_table("pictures_dataset"), report=output_folder("report_folder")),
)
output_table("metrics_dataset").write(METRICS, rows)
