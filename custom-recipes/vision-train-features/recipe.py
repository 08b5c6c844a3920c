"""Train on features: vectors and columns of a table to the best of several models."""

from dss_ports import input_table, optional_output_table, output_folder, params
from vision_recipes.feature_model_settings import TrainFeaturesSettings
from vision_recipes.train_features import TrainFeaturesOutputs, train_features

train_features(
    table=input_table("feature_dataset"),
    settings=TrainFeaturesSettings.from_params(params()),
    outputs=TrainFeaturesOutputs(
        model=output_folder("feature_model_folder"),
        leaderboard=optional_output_table("leaderboard_dataset"),
        importance=optional_output_table("importance_dataset"),
        report=output_folder("report_folder"),
    ),
)
