"""The parameters of the recipes that take labels: retrain, evaluate, check-labels and extract; see settings."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from vision_recipes.settings import ComputeSettings, Settings, ShardSettings, choice, flag, number, preset, text, whole


def _to_names(given: Any) -> tuple[str, ...]:
    if isinstance(given, str):
        given = [name.strip() for name in given.split(",")]
    if not isinstance(given, list | tuple):
        raise ValueError(f"{given!r} is not a list of names")
    return tuple(str(name) for name in given if str(name).strip())


def _to_pairs(given: Any) -> tuple[tuple[str, str], ...]:
    if isinstance(given, Mapping):
        given = [{"from": name, "to": value} for name, value in given.items()]
    if not isinstance(given, list | tuple) or not all(isinstance(pair, Mapping) and "from" in pair for pair in given):
        raise ValueError(f"{given!r} is not a list of name and value pairs")
    return tuple((str(pair["from"]).strip(), str(pair.get("to", "")).strip()) for pair in given)


def _to_column(given: Any) -> str:
    if isinstance(given, bool) or not isinstance(given, str | int | float):
        raise ValueError(f"{given!r} is not the name of a column")
    return str(given) if str(given).strip() else ""


def column() -> Any:
    """Declare the name of a column, as it is: a header may have blanks at its ends."""
    return field(default="", metadata={"cast": _to_column})


def names() -> Any:
    """Declare a list of names."""
    return field(default=(), metadata={"cast": _to_names})


def pairs() -> Any:
    """Declare a list of name and value pairs."""
    return field(default=(), metadata={"cast": _to_pairs})


@dataclass(frozen=True)
class LabelSettings(Settings):
    """Where the labels of pictures come from, and the table columns read beside them; an empty name means none.

    `label_source` "auto" is a dataset if one is connected, else file names if there is a pattern, else folder names.
    Without names, the columns of paths and labels are found in the dataset where they are obvious.
    """

    label_source: str = choice("auto", "dataset", "folder_names", "file_names")
    label_pattern: str = text()
    col_filename: str = column()
    col_label: str = column()

    # parameters that not every recipe has
    col_decision = split_column = group_column = ""
    extra_columns = tuple[str, ...]()

    def mistakes(self) -> Iterator[str]:
        """Yield label settings that do not fit the chosen source of labels."""
        yield from super().mistakes()
        if self.label_source == "file_names" and not self.label_pattern:
            yield "label_pattern: labels come from file names, so give a pattern such as {label}_pic_{number}.jpg"


@dataclass(frozen=True)
class RetrainSettings(LabelSettings, ShardSettings):
    """Pictures, labels and a model to your own model.

    `image_width`, `image_height` 0 = the network's own; `batch_size` 0 = chosen; `nb_steps_per_epoch` and
    `nb_validation_steps` 0 = exactly one pass over the data. `model_optimizer` "auto" fits the last layer by logistic
    regression and fine-tunes with adamw; `head_features` "auto" takes the features of several layers where
    cross-validation on the training pictures finds them better; `last_layer` "auto" does so with a kernel machine,
    which tells apart labels that stand for pictures of several kinds; `initial_weights` "random" trains all layers,
    whatever `layer_to_retrain` says; `class_weights` "auto" weights each class by the inverse of its frequency;
    `keep_pictures` says what the model keeps of some of its pictures.
    """

    col_decision: str = column()
    train_ratio: float = number(0.8, 0.05, 0.95)
    split_column: str = column()
    group_column: str = column()
    random_seed: int = whole(1337, 0, 2**31 - 1)
    model_pooling: str = choice("avg", "max", "none")
    head_features: str = choice("auto", "last", "several")
    last_layer: str = choice("linear", "auto", "kernel")
    image_width: int = whole(0, 0, 4096)
    image_height: int = whole(0, 0, 4096)
    image_resize: str = choice("model", "auto", "squash", "crop", "pad")
    layer_to_retrain: str = choice("last", "n_last", "all")
    layer_to_retrain_n: int = whole(2, 1)
    initial_weights: str = choice("pretrained", "random")
    model_dropout: float = number(0.0, 0.0, 0.95)
    model_l1: float = number(0.0, 0.0)
    model_l2: float = number(0.0, 0.0)
    label_smoothing: float = number(0.0, 0.0, 0.5)
    model_optimizer: str = choice("auto", "adam", "adamw", "adagrad", "sgd", "rmsprop")
    model_learning_rate: float = number(0.001, 0.0)
    learning_rate_schedule: str = choice("constant", "cosine", "plateau")
    model_custom_params_opti: tuple[tuple[str, str], ...] = pairs()
    batch_size: int = whole(0, 0, 4096)
    nb_epochs: int = whole(10, 1, 10_000)
    nb_steps_per_epoch: int = whole(0, 0)
    nb_validation_steps: int = whole(0, 0)
    early_stopping_patience: int = whole(5, 0)
    class_weights: str = choice("none", "auto")
    data_augmentation: bool = flag(False)
    n_augmentation: int = whole(2, 1, 100)
    model_custom_params_data_augmentation: tuple[tuple[str, str], ...] = pairs()
    extra_columns: tuple[str, ...] = names()
    verdict_precision: float = number(0.0, 0.0, 1.0)
    tensorboard: bool = flag(True)
    keep_pictures: str = choice("thumbnails", "features", "nothing")
    compute: ComputeSettings = preset()

    def mistakes(self) -> Iterator[str]:
        """Yield label settings that do not fit the chosen source of labels, and half of a picture size."""
        yield from super().mistakes()
        if bool(self.image_width) != bool(self.image_height):
            yield (
                f"image_width is {self.image_width} and image_height is {self.image_height}: "
                "give both, or leave both 0 for the network's own size"
            )
        if self.head_features == "several" and self.model_pooling == "none":
            yield "head_features is 'several', which pools the outputs of layers: set model_pooling to avg or max"
        if self.last_layer == "kernel":
            yield from self._kernel_mistakes()

    def _kernel_mistakes(self) -> Iterator[str]:
        kernel = "last_layer is 'kernel', "
        if self.initial_weights == "random":
            yield f"{kernel}which compares the features of pretrained weights: set initial_weights to pretrained"
        if self.layer_to_retrain == "last" and self.model_optimizer != "auto":
            yield f"{kernel}which a solver fits: set model_optimizer to auto, not {self.model_optimizer!r}"
        for name, value in (("model_l1", self.model_l1), ("model_dropout", self.model_dropout)):
            if value:
                yield f"{kernel}which takes no {name}: set it to 0, not {value:g}, or set last_layer to linear"


@dataclass(frozen=True)
class EvaluateSettings(LabelSettings):
    """Where the truth for the scored pictures comes from, and the columns that part the pictures into slices."""

    slice_columns: tuple[str, ...] = names()


@dataclass(frozen=True)
class CheckLabelsSettings(LabelSettings, ShardSettings):
    """Pictures, labels and a model to likely label errors. `on_wrong_label` fills the column of decisions."""

    group_column: str = column()
    nb_neighbours: int = whole(5, 1, 50)
    on_wrong_label: str = choice("ask", "relabel", "drop")
    random_seed: int = whole(1337, 0, 2**31 - 1)
    compute: ComputeSettings = preset()


@dataclass(frozen=True)
class ExtractSettings(ShardSettings):
    """Pictures and a model to one vector each: which layer, in which form, and which columns beside it.

    `label_source` "auto" is file names if there is a pattern, else there are no labels. `extra_columns` empty = all.
    """

    extract_layer_index: int = whole(-2)
    flatten: bool = flag(False)
    features_as: str = choice("array", "columns")
    label_source: str = choice("auto", "folder_names", "file_names")
    label_pattern: str = text()
    key_pattern: str = text()
    col_filename: str = column()
    extra_columns: tuple[str, ...] = names()
    batch_size: int = whole(0, 0, 4096)
    compute: ComputeSettings = preset()

    @property
    def labelled(self) -> bool:
        """Whether each picture gets a label."""
        return self.label_source != "auto" or bool(self.label_pattern)

    def mistakes(self) -> Iterator[str]:
        """Yield label settings that do not fit the chosen source of labels."""
        yield from super().mistakes()
        if self.label_source == "file_names" and not self.label_pattern:
            yield "label_pattern: labels come from file names, so give a pattern such as {label}_pic_{number}.jpg"
