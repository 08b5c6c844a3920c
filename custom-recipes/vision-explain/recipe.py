"""Explain predictions: pictures and a model to heat maps and figures on them."""

from dss_ports import input_folder, input_table, output_folder, output_table, params
from vision_recipes.explain import OptionalInputs, explain
from vision_recipes.report_columns import EXPLAINED
from vision_recipes.settings import ExplainSettings

output_table("explained_dataset").write(
    EXPLAINED,
    explain(
        pictures=input_folder("image_folder"),
        model=input_folder("model_folder"),
        settings=ExplainSettings.from_params(params()),
        inputs=OptionalInputs(
            judged=input_table("judged_dataset"),
            extra=input_table("extra_dataset"),
            overlays=output_folder("heat_folder"),
        ),
    ),
)
