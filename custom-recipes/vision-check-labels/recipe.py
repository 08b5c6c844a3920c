"""Check labels: pictures, labels and a model to the labels that are doubtful."""

from dss_ports import input_folder, input_table, output_folder, output_table, params
from vision_recipes.check_labels import check_labels
from vision_recipes.report_columns import CHECKED
from vision_recipes.settings import CheckLabelsSettings

output_table("checked_dataset").write(
    CHECKED,
    check_labels(
        pictures=input_folder("image_folder"),
        model=input_folder("model_folder"),
        settings=CheckLabelsSettings.from_params(params()),
        labels=input_table("label_dataset"),
        cache=output_folder("cache_folder"),
    ),
)
