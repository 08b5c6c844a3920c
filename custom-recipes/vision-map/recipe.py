"""Map: feature vectors, or pictures and a model, to a plane with clusters, and a page to explore it."""

from dss_ports import input_folder, input_table, output_folder, output_table, params
from vision_recipes.map_pictures import MapInputs, map_pictures
from vision_recipes.map_settings import MapSettings

map_pictures(
    inputs=MapInputs(
        features=input_table("feature_dataset"),
        pictures=input_folder("image_folder"),
        model=input_folder("model_folder"),
        labels=input_table("label_dataset"),
        scored=input_table("scored_dataset"),
        cache=output_folder("cache_folder"),
    ),
    settings=MapSettings.from_params(params()),
    output=output_table("map_dataset"),
    report=output_folder("report_folder"),
)
