"""The parameters of the monitor recipe; see settings."""

from __future__ import annotations

from dataclasses import dataclass

from vision_recipes.settings import ComputeSettings, Settings, choice, number, preset, whole


@dataclass(frozen=True)
class MonitorSettings(Settings):
    """New pictures against those of the training: how many, and when there is an alarm.

    `alarm_level` is the fraction of runs on pictures that have not changed that may end in an alarm. `label_mix`
    "ignore" compares pictures with the same predicted label only.
    """

    nb_pictures: int = whole(10_000, 1, 100_000)
    alarm_level: float = number(0.01, 0.005, 0.2)
    label_mix: str = choice("watch", "ignore")
    nb_moved: int = whole(100, 0, 10_000)
    random_seed: int = whole(1337, 0, 2**31 - 1)
    batch_size: int = whole(0, 0, 4096)
    compute: ComputeSettings = preset()
