"""Compare networks: pictures, labels and networks to a leaderboard and the winner's model."""

from dss_ports import input_folder, input_folders, input_table, output_folder, output_table, params
from vision_recipes.compare import CompareInputs, CompareOutputs, compare
from vision_recipes.compare_settings import CompareSettings
from vision_recipes.report_columns import COMPARED

rows = compare(
    inputs=CompareInputs(
        pictures=input_folder("image_folder"),
        models=input_folders("model_folders"),
        labels=input_table("label_dataset"),
    ),
    settings=CompareSettings.from_params(params()),
    outputs=CompareOutputs(
        model=output_folder("model_output"),
        report=output_folder("report_folder"),
        cache=output_folder("cache_folder"),
    ),
)
output_table("leaderboard_dataset").write(COMPARED, rows)
