"""Try a model: visitors post pictures, see the labels and where the evidence lies, and correct what is wrong."""

from dss_ports.webapps import answered, optional_dataset, optional_folder, webapp_params
from vision_recipes.try_model import TryModel
from vision_recipes.webapp_settings import TryModelSettings

page = TryModel(
    model=optional_folder("model_folder"),
    settings=TryModelSettings.from_params(webapp_params()),
    feedback_folder=optional_folder("feedback_folder"),
    feedback_table=optional_dataset("feedback_dataset"),
)


@app.route("/<question>", methods=["POST"])  # noqa: F821 (the host puts `app` here)
def answer(question):
    return answered(page.questions, question)
