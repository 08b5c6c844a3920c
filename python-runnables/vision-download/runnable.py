"""Download a pre-trained model into a folder."""

from dataiku.runnables import Runnable

from dss_ports import folder_to_fill, percent, summary
from vision_recipes.download import download
from vision_recipes.settings import DownloadSettings


class DownloadModel(Runnable):
    def __init__(self, project_key, config, plugin_config):
        self.project_key = project_key
        self.settings = DownloadSettings.from_params(config)

    def get_progress_target(self):
        return (100, "NONE")

    def run(self, progress_callback):
        settings = self.settings
        folder = folder_to_fill(self.project_key, settings.output_managed_folder, settings.output_new_folder_name)
        return summary(download(settings, folder, percent(progress_callback)))
