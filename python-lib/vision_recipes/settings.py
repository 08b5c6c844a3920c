"""What each recipe and macro can be told, as frozen dataclasses made once at the door.

Field names and defaults are those of the components' `params`; a test holds the two together.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from vision_recipes.parameters import Settings, choice, flag, names, number, pairs, text, whole


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
    precision: str = choice("auto", "float32", "bfloat16", "float16")
    engine: str = choice("auto", "openvino", "keras")


def _to_compute(given: Any) -> ComputeSettings:
    if isinstance(given, ComputeSettings):
        return given
    if not isinstance(given, Mapping):
        raise ValueError(f"{given!r} is not a preset of compute settings")
    return ComputeSettings.from_params(given)


def _compute() -> Any:
    return field(default_factory=ComputeSettings, metadata={"cast": _to_compute})


@dataclass(frozen=True)
class ClassifySettings(Settings):
    """Pictures and a model to labels: how many, how sure. `batch_size` 0 lets the engine choose."""

    max_nb_labels: int = whole(5, 1)
    min_threshold: float = number(0.0, 0.0, 1.0)
    batch_size: int = whole(0, 0, 4096)
    compute: ComputeSettings = _compute()


@dataclass(frozen=True)
class ExtractSettings(Settings):
    """Pictures and a model to one vector each: which layer, and whether spatial outputs are flattened, not averaged."""

    extract_layer_index: int = whole(-2)
    flatten: bool = flag(False)
    batch_size: int = whole(0, 0, 4096)
    compute: ComputeSettings = _compute()


@dataclass(frozen=True)
class RetrainSettings(Settings):
    """Pictures, labels and a model to your own model.

    `image_width`, `image_height` 0 = the network's own; `batch_size` 0 = chosen; `nb_steps_per_epoch` and
    `nb_validation_steps` 0 = exactly one pass over the data. `model_optimizer` "auto" fits the last layer with a
    convex solver and fine-tunes with adamw; `initial_weights` "random" trains all layers, whatever `layer_to_retrain`
    says; `class_weights` "auto" weighs each class by the inverse of its frequency.
    """

    label_source: str = choice("dataset", "folder_names", "file_names")
    label_pattern: str = text()
    col_filename: str = text()
    col_label: str = text()
    col_decision: str = text()
    train_ratio: float = number(0.8, 0.05, 0.95)
    split_column: str = text()
    group_column: str = text()
    random_seed: int = whole(1337, 0, 2**31 - 1)
    model_pooling: str = choice("avg", "max", "none")
    image_width: int = whole(0, 0, 4096)
    image_height: int = whole(0, 0, 4096)
    image_resize: str = choice("model", "squash", "crop", "pad")
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
    compute: ComputeSettings = _compute()

    def mistakes(self) -> Iterator[str]:
        """Yield label settings that do not fit the chosen source of labels."""
        yield from _label_mistakes(self)
        if bool(self.image_width) != bool(self.image_height):
            yield (
                f"image_width is {self.image_width} and image_height is {self.image_height}: "
                "give both, or leave both 0 for the network's own size"
            )


@dataclass(frozen=True)
class EvaluateSettings(Settings):
    """Where the truth for the scored pictures comes from, and the columns that part the pictures into slices."""

    label_source: str = choice("dataset", "folder_names", "file_names")
    label_pattern: str = text()
    col_filename: str = text()
    col_label: str = text()
    slice_columns: tuple[str, ...] = names()

    def mistakes(self) -> Iterator[str]:
        """Yield label settings that do not fit the chosen source of labels."""
        yield from _label_mistakes(self)


@dataclass(frozen=True)
class CheckLabelsSettings(Settings):
    """Pictures, labels and a model to the labels that are doubtful. `on_wrong_label` fills the column of decisions."""

    label_source: str = choice("dataset", "folder_names", "file_names")
    label_pattern: str = text()
    col_filename: str = text()
    col_label: str = text()
    group_column: str = text()
    nb_neighbours: int = whole(5, 1, 50)
    on_wrong_label: str = choice("ask", "relabel", "drop")
    random_seed: int = whole(1337, 0, 2**31 - 1)
    compute: ComputeSettings = _compute()

    def mistakes(self) -> Iterator[str]:
        """Yield label settings that do not fit the chosen source of labels."""
        yield from _label_mistakes(self)


@dataclass(frozen=True)
class ExplainSettings(Settings):
    """Pictures and a model to heat maps: of which pictures (`nb_pictures` 0 = all), for which label (empty = best)."""

    which: str = choice("all", "errors")
    nb_pictures: int = whole(100, 0)
    label: str = text()
    deletion_test: bool = flag(True)
    random_seed: int = whole(1337, 0, 2**31 - 1)
    compute: ComputeSettings = _compute()


@dataclass(frozen=True)
class DownloadSettings(Settings):
    """Which pre-trained model to fetch, from where, into which folder."""

    model_choice: str = text("starter")
    source: str = choice("catalogue", "mirror", "file")
    mirror: str = text()
    output_managed_folder: str = text()
    output_new_folder_name: str = text()

    def mistakes(self) -> Iterator[str]:
        """Yield a missing mirror or output folder."""
        if self.source != "catalogue" and not self.mirror:
            yield f"mirror: source is {self.source!r}, so give the URL, folder or file to read from"
        yield from _folder_mistakes(self)


@dataclass(frozen=True)
class ImportSettings(Settings):
    """A model made elsewhere: its file or folder, its labels, its preprocessing."""

    model_file: str = text()
    model_source_folder: str = text()
    labels_file: str = text()
    preprocessing: str = choice("auto", "caffe", "tf", "torch", "zero_to_one", "raw", "numbers")
    channels: str = choice("rgb", "bgr")
    mean: str = text("0, 0, 0")
    std: str = text("1, 1, 1")
    output_managed_folder: str = text()
    output_new_folder_name: str = text()

    def mistakes(self) -> Iterator[str]:
        """Yield a missing model or output folder."""
        if not (self.model_file or self.model_source_folder):
            yield "model_file: give a .keras or .h5 file, or a model_source_folder"
        yield from _folder_mistakes(self)


@dataclass(frozen=True)
class ExportSettings(Settings):
    """Which model to write for other programs, in which formats, into which folder."""

    model_folder: str = text()
    export_format: str = choice("both", "onnx", "openvino")
    output_managed_folder: str = text()
    output_new_folder_name: str = text()

    def mistakes(self) -> Iterator[str]:
        """Yield a missing model or output folder."""
        if not self.model_folder:
            yield "model_folder: choose the folder of the model to export"
        yield from _folder_mistakes(self)


def _label_mistakes(settings: RetrainSettings | EvaluateSettings | CheckLabelsSettings) -> Iterator[str]:
    if settings.label_source == "dataset":
        for name in ("col_filename", "col_label"):
            if not getattr(settings, name):
                yield f"{name}: labels come from a dataset, so name its column"
    if settings.label_source == "file_names" and not settings.label_pattern:
        yield "label_pattern: labels come from file names, so give a pattern such as {label}_pic_{number}.jpg"


def _folder_mistakes(settings: DownloadSettings | ImportSettings | ExportSettings) -> Iterator[str]:
    if not (settings.output_managed_folder or settings.output_new_folder_name):
        yield "output_managed_folder: choose a folder, or give output_new_folder_name to create one"
