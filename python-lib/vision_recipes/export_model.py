"""Export a model for programs that know nothing of this project: ONNX, OpenVINO and its model server."""

from __future__ import annotations

from collections.abc import Callable

from vision_recipes.errors import ModelFolderError
from vision_recipes.local_folders import work_folder
from vision_recipes.macro_settings import ExportSettings
from vision_recipes.model_export.exporting import export, open_network
from vision_recipes.model_export.model_repository import CONFIG
from vision_recipes.model_folder import open_model
from vision_recipes.stores import Store


def export_model(
    settings: ExportSettings, folder: Store, output: Store, progress: Callable[[int, int], None]
) -> dict[str, object]:
    """Write the model of a folder in the chosen formats, each in a folder of its own, and return facts for people.

    Nothing is written before the scores of every format are those of the model.
    """
    kinds = ("onnx", "openvino") if settings.export_format == "both" else (settings.export_format,)
    model = open_model(folder)
    if model.config.quantisation is not None and "onnx" in kinds:
        raise ModelFolderError(
            f"Model {model.name!r} is quantised to int8, which is exported for OpenVINO only. Choose openvino or "
            f"model_server, or a float32 model: {model.config.quantisation.base!r}, retrained if this one was."
        )
    with work_folder() as workdir:
        network = open_network(model, workdir)
        differences = []
        for done, kind in enumerate(kinds):
            progress(done, len(kinds) + 1)
            differences.append(export(model, network, kind, workdir))
        found = (path for kind in kinds for path in sorted((workdir / kind).rglob("*")))
        files = {path.relative_to(workdir).as_posix(): path for path in found if path.is_file()}
        for name, path in files.items():
            with open(path, "rb") as stream:
                output.write(f"/{name}", stream)
        sizes = {name: f"{path.stat().st_size / 1e6:.1f} MB" for name, path in files.items() if "model." in name}
    progress(1, 1)
    return {
        "Model": model.name,
        "Folder": output.name,
        **sizes,
        "Checked": f"a probability differs from the model's own by at most {max(differences):.1g}",
        "Use": " and ".join(f"python {kind}/classify.py PHOTO" for kind in kinds),
        **({"Serve": f"ovms --config_path model_server/{CONFIG} --rest_port 8000"} if "model_server" in kinds else {}),
    }
