"""Write a model as an endpoint for the API node of DSS."""

from dataiku.runnables import Runnable

from dss_ports import folder_to_fill, folder_to_read, percent, summary
from vision_recipes.macro_settings import EndpointSettings
from vision_recipes.write_endpoint import write_endpoint


class WriteEndpoint(Runnable):
    def __init__(self, project_key, config, plugin_config):
        self.project_key = project_key
        self.settings = EndpointSettings.from_params(config)

    def get_progress_target(self):
        return (100, "NONE")

    def run(self, progress_callback):
        settings = self.settings
        model = folder_to_read(self.project_key, settings.model_folder)
        output = folder_to_fill(self.project_key, settings.output_managed_folder, settings.output_new_folder_name)
        return summary(write_endpoint(settings, model, output, percent(progress_callback)))
