"""Similar pictures: pictures or their features to the nearest neighbours of each, and to groups of copies."""

from dss_ports import input_folder, input_table, optional_output_table, output_folder, params
from vision_recipes.similar import PictureSource, SimilarInputs, SimilarOutputs, similar
from vision_recipes.similar_settings import SimilarSettings

similar(
    inputs=SimilarInputs(
        pictures=PictureSource(input_table("feature_dataset"), input_folder("image_folder")),
        other=PictureSource(input_table("other_feature_dataset"), input_folder("other_image_folder")),
        model=input_folder("model_folder"),
        cache=output_folder("cache_folder"),
    ),
    settings=SimilarSettings.from_params(params()),
    outputs=SimilarOutputs(
        neighbours=optional_output_table("neighbour_dataset"),
        groups=optional_output_table("group_dataset"),
        report=output_folder("report_folder"),
    ),
)
