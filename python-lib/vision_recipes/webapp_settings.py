"""The settings of web apps; names of folders and datasets are opened by the host."""

from __future__ import annotations

from dataclasses import dataclass

from vision_recipes.settings import Settings, flag, text


@dataclass(frozen=True)
class TryModelSettings(Settings):
    """The page in which people try a model: what it says on top, and whether saliency maps are offered."""

    model_folder: str = text()
    feedback_folder: str = text()
    feedback_dataset: str = text()
    title: str = text()
    message: str = text()
    saliency_maps: bool = flag(True)
