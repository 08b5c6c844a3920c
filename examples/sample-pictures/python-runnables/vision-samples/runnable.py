"""Draw sample pictures into a folder, on this machine, to try image recipes offline."""

from dataiku.runnables import Runnable

from sample_pictures.filling import fill, summary
from sample_pictures.folder import folder_of_table, folder_to_fill
from sample_pictures.settings import Settings


class DrawSamples(Runnable):
    def __init__(self, project_key, config, plugin_config):
        self.project_key = project_key
        self.settings = Settings.from_params(config)

    def get_progress_target(self):
        return (100, "NONE")

    def run(self, progress_callback):
        folder = folder_to_fill(self.project_key, self.settings)
        table_folder = folder_of_table(self.project_key, self.settings)
        return summary(fill(folder, self.settings, progress_callback, table_folder))
