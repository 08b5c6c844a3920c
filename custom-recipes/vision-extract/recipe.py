"""Extract picture features: a folder of pictures and a model to one vector each."""

from dss_ports import input_folder, output_folder, output_table, params
from vision_recipes.extract import extract
from vision_recipes.rows import EXTRACTED
from vision_recipes.settings import ExtractSettings

output_table("feature_dataset").write(
    EXTRACTED,
    extract(
        pictures=input_folder("image_folder"),
        model=input_folder("model_folder"),
        settings=ExtractSettings.from_params(params()),
        cache=output_folder("cache_folder"),
    ),
)
