"""Retrain a network: pictures, labels and a model to your own model."""

from dss_ports import input_folder, input_table, output_folder, params
from vision_recipes.retrain import retrain
from vision_recipes.training_settings import RetrainSettings

retrain(
    pictures=input_folder("image_folder"),
    model=input_folder("model_folder"),
    output=output_folder("model_output"),
    settings=RetrainSettings.from_params(params()),
    labels=input_table("label_dataset"),
    extra=input_table("extra_dataset"),
    cache=output_folder("cache_folder"),
    feedback=input_folder("feedback_folder"),
    corrections=input_table("feedback_dataset"),
    leaderboard=input_table("leaderboard_dataset"),
)
