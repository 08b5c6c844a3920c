"""Extract picture features: a folder of pictures and a model to one vector each, with the columns of a table."""

from dss_ports import input_folder, input_table, output_folder, output_table, params
from vision_recipes.extract import extract
from vision_recipes.training_settings import ExtractSettings

found = extract(
    pictures=input_folder("image_folder"),
    model=input_folder("model_folder"),
    settings=ExtractSettings.from_params(params()),
    cache=output_folder("cache_folder"),
    extra=input_table("extra_dataset"),
)
output_table("feature_dataset").write(found.columns, found)
