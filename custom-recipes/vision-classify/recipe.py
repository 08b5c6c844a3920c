"""Classify pictures: a folder of pictures and a model to labels, and what is worth a second look."""

from dss_ports import input_folder, input_table, optional_output_table, output_folder, output_table, params
from vision_recipes.classify import classify
from vision_recipes.settings import ClassifySettings

found = classify(
    pictures=input_folder("image_folder"),
    model=input_folder("model_folder"),
    settings=ClassifySettings.from_params(params()),
    cache=output_folder("cache_folder"),
    extra=input_table("extra_dataset"),
    review=optional_output_table("review_dataset"),
)
output_table("scored_dataset").write(found.columns, found)
