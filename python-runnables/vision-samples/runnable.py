"""Draw sample pictures into a folder, on this machine, to try everything offline."""

from dataiku.runnables import Runnable

from dss_ports import folder_to_fill, percent, summary
from vision_recipes.draw_samples import draw_samples
from vision_recipes.settings import SamplesSettings


class DrawSamples(Runnable):
    def __init__(self, project_key, config, plugin_config):
        self.project_key = project_key
        self.settings = SamplesSettings.from_params(config)

    def get_progress_target(self):
        return (100, "NONE")

    def run(self, progress_callback):
        wanted = self.settings
        folder = folder_to_fill(self.project_key, wanted.output_managed_folder, wanted.output_new_folder_name)
        return summary(draw_samples(wanted, folder, percent(progress_callback)))
