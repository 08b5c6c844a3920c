"""Import a model made elsewhere into a model folder."""

from dataiku.runnables import Runnable

from dss_ports import folder_to_fill, folder_to_read, percent, summary
from vision_recipes.import_model import import_model
from vision_recipes.macro_settings import ImportSettings


class ImportModel(Runnable):
    def __init__(self, project_key, config, plugin_config):
        self.project_key = project_key
        self.settings = ImportSettings.from_params(config)

    def get_progress_target(self):
        return (100, "NONE")

    def run(self, progress_callback):
        settings = self.settings
        folder = folder_to_fill(self.project_key, settings.output_managed_folder, settings.output_new_folder_name)
        source = folder_to_read(self.project_key, settings.model_source_folder)
        samples = folder_to_read(self.project_key, settings.sample_folder)
        return summary(import_model(settings, folder, source, samples, percent(progress_callback)))
