"""Evaluate predictions: scored pictures and true labels to metrics."""

from dss_ports import input_table, output_table, params
from vision_recipes.evaluate import evaluate
from vision_recipes.rows import METRICS
from vision_recipes.settings import EvaluateSettings

output_table("metrics_dataset").write(
    METRICS,
    evaluate(
        predictions=input_table("scored_dataset"),
        labels=input_table("label_dataset"),
        settings=EvaluateSettings.from_params(params()),
    ),
)
