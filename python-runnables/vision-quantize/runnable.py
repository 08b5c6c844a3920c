"""Make a model compute in int8."""

from dataiku.runnables import Runnable

from dss_ports import folder_to_fill, folder_to_read, percent, summary, table_to_read
from vision_recipes.macro_settings import QuantizeSettings
from vision_recipes.quantize_model import quantize_model


class QuantizeModel(Runnable):
    def __init__(self, project_key, config, plugin_config):
        self.key = project_key
        self.settings = QuantizeSettings.from_params(config)

    def get_progress_target(self):
        return (100, "NONE")

    def run(self, progress_callback):
        settings = self.settings
        read = (folder_to_read(self.key, chosen) for chosen in (settings.model_folder, settings.image_folder))
        output = folder_to_fill(self.key, settings.output_managed_folder, settings.output_new_folder_name)
        labels = table_to_read(self.key, settings.label_dataset)
        return summary(quantize_model(settings, (*read, output), labels, percent(progress_callback)))
