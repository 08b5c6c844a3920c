"""Export a model for programs without this plugin."""

from dataiku.runnables import Runnable

from dss_ports import folder_to_fill, folder_to_read, percent, summary
from vision_recipes.export_model import export_model
from vision_recipes.settings import ExportSettings


class ExportModel(Runnable):
    def __init__(self, project_key, config, plugin_config):
        self.project_key = project_key
        self.settings = ExportSettings.from_params(config)

    def get_progress_target(self):
        return (100, "NONE")

    def run(self, progress_callback):
        settings = self.settings
        model = folder_to_read(self.project_key, settings.model_folder)
        output = folder_to_fill(self.project_key, settings.output_managed_folder, settings.output_new_folder_name)
        return summary(export_model(settings, model, output, percent(progress_callback)))
