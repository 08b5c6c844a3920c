"""Score features: vectors and columns of a table, and a model of such, to labels or numbers."""

from dss_ports import input_folder, input_table, output_table, params
from vision_recipes.feature_model_settings import ScoreFeaturesSettings
from vision_recipes.score_features import score_features

found = score_features(
    table=input_table("feature_dataset"),
    model=input_folder("feature_model_folder"),
    settings=ScoreFeaturesSettings.from_params(params()),
)
output_table("scored_dataset").write(found.columns, found)
