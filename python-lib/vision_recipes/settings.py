"""Parameters as frozen dataclasses, checked once before the run: the base of all settings, and those for using a model.

An absent value, None and "" are alike; the rest is cast and checked, and every mistake comes in one SettingsError.
Field names and defaults are those of the components' `params`; a test holds the two together.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Self

from vision_recipes.errors import SettingsError

MAX_SHARDS = 100_000
"""The most slices of a folder."""


def _checked(rule: Mapping[str, Any], given: Any) -> Any:
    value = rule["cast"](given)
    choices, low, high = rule.get("choices"), rule.get("low"), rule.get("high")
    if choices and value not in choices:
        raise ValueError(f"{given!r} is not one of {', '.join(choices)}")
    if low is not None and value < low:
        raise ValueError(f"{given!r} is below the minimum {low}")
    if high is not None and value > high:
        raise ValueError(f"{given!r} is above the maximum {high}")
    return value


def _to_whole(given: Any) -> int:
    number = _to_number(given)
    if number != int(number):
        raise ValueError(f"{given!r} is not a whole number")
    return int(number)


def _to_number(given: Any) -> float:
    try:
        if isinstance(given, bool):
            raise TypeError
        number = float(given)
    except (TypeError, ValueError, OverflowError) as err:
        raise ValueError(f"{given!r} is not a number") from err
    if not math.isfinite(number):
        raise ValueError(f"{given!r} is not a finite number")
    return number


def _to_text(given: Any) -> str:
    if isinstance(given, bool):
        return "true" if given else "false"
    if not isinstance(given, str | int | float):
        raise ValueError(f"{given!r} is not text")
    return str(given).strip()


def _to_flag(given: Any) -> bool:
    if isinstance(given, bool):
        return given
    if str(given).lower() in ("true", "false"):
        return str(given).lower() == "true"
    raise ValueError(f"{given!r} is not true or false")


def whole(default: int, low: int | None = None, high: int | None = None) -> Any:
    """Declare a whole number within inclusive bounds."""
    return field(default=default, metadata={"cast": _to_whole, "low": low, "high": high})


def number(default: float, low: float | None = None, high: float | None = None) -> Any:
    """Declare a finite number within inclusive bounds."""
    return field(default=default, metadata={"cast": _to_number, "low": low, "high": high})


def choice(default: str, *others: str) -> Any:
    """Declare one of a few words, the default first."""
    return field(default=default, metadata={"cast": _to_text, "choices": (default, *others)})


def text(default: str = "") -> Any:
    """Declare a text, stripped."""
    return field(default=default, metadata={"cast": _to_text})


def flag(default: bool) -> Any:
    """Declare true or false."""
    return field(default=default, metadata={"cast": _to_flag})


@dataclass(frozen=True)
class Settings:
    """The base of all settings: how parameters become checked fields."""

    @classmethod
    def from_params(cls, params: Mapping[str, Any]) -> Self:
        """Return the settings that the parameters describe; raises SettingsError with every mistake in them."""
        values: dict[str, Any] = {}
        mistakes: list[str] = []
        for spec in fields(cls):
            given = params.get(spec.name)
            if given is None or given == "":
                continue
            try:
                values[spec.name] = _checked(spec.metadata, given)
            except (ValueError, TypeError, SettingsError) as err:
                mistakes.append(f"{spec.name}: {err}")
        if not mistakes:
            settings = cls(**values)
            mistakes += settings.mistakes()
        if mistakes:
            raise SettingsError("; ".join(mistakes))
        return settings

    def mistakes(self) -> Iterator[str]:
        """Yield what is wrong between fields that are each right alone."""
        yield from ()


@dataclass(frozen=True)
class ComputeSettings(Settings):
    """Where and how networks run: the parameter set `vision-compute`.

    `use_gpu`: "auto" takes a GPU when the machine that runs the job has one, "true" insists on one, "false" never does.
    `gpu_list`: numbers of the GPUs to use, separated by commas; empty = all.
    `gpu_memory_limit`: in percent of a GPU's memory.
    """

    use_gpu: str = choice("auto", "true", "false")
    gpu_list: str = text()
    gpu_memory_mode: str = choice("growth", "limit", "all")
    gpu_memory_limit: float = number(100.0, 1.0, 100.0)
    precision: str = choice("auto", "float32", "bfloat16", "float16", "int8")
    engine: str = choice("auto", "openvino", "keras")


def _to_compute(given: Any) -> ComputeSettings:
    if isinstance(given, ComputeSettings):
        return given
    if not isinstance(given, Mapping):
        raise ValueError(f"{given!r} is not a preset of compute settings")
    return ComputeSettings.from_params(given)


def preset() -> Any:
    """Declare the parameter set `vision-compute`."""
    return field(default_factory=ComputeSettings, metadata={"cast": _to_compute})


@dataclass(frozen=True, kw_only=True)
class ShardSettings(Settings):
    """Which slice of the folder a run takes (see shards): number `shard`, from 1, of `shards`; 1 of 1 is all of it."""

    shard: int = whole(1, 1, MAX_SHARDS)
    shards: int = whole(1, 1, MAX_SHARDS)

    def mistakes(self) -> Iterator[str]:
        """Yield a slice that does not exist."""
        yield from super().mistakes()
        if self.shard > self.shards:
            yield (
                f"shard: there is no shard {self.shard} of {self.shards}. Give a number from 1 to {self.shards}, or "
                "set shards to how many there are"
            )


@dataclass(frozen=True)
class ClassifySettings(ShardSettings):
    """Pictures and a model to labels: how many, how sure. `batch_size` 0 lets the engine choose."""

    max_nb_labels: int = whole(5, 1)
    min_threshold: float = number(0.0, 0.0, 1.0)
    batch_size: int = whole(0, 0, 4096)
    compute: ComputeSettings = preset()


@dataclass(frozen=True)
class ExplainSettings(ShardSettings):
    """Pictures and a model to saliency maps: of which pictures (`nb_pictures` 0 = all), for which label."""

    which: str = choice("all", "errors")
    nb_pictures: int = whole(100, 0)
    label: str = text()
    deletion_test: bool = flag(True)
    random_seed: int = whole(1337, 0, 2**31 - 1)
    compute: ComputeSettings = preset()
