"""Classify pictures: a folder of pictures and a model to labels."""

from dss_ports import input_folder, input_table, output_folder, output_table, params
from vision_recipes.classify import classify
from vision_recipes.rows import CLASSIFIED
from vision_recipes.settings import ClassifySettings

output_table("scored_dataset").write(
    CLASSIFIED,
    classify(
        pictures=input_folder("image_folder"),
        model=input_folder("model_folder"),
        settings=ClassifySettings.from_params(params()),
        cache=output_folder("cache_folder"),
        extra=input_table("extra_dataset"),
    ),
)
