"""Write a model as an endpoint for the API node of DSS: a Python function with all that it needs."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable

from vision_recipes.errors import ModelFolderError
from vision_recipes.local_folders import work_folder
from vision_recipes.macro_settings import EndpointSettings
from vision_recipes.model_export.endpoint_code import steps
from vision_recipes.model_export.endpoint_folder import PICTURE, answers, queries, write_endpoint_folder
from vision_recipes.model_folder import Model, open_model
from vision_recipes.serving.scorer import Scorer
from vision_recipes.settings import ClassifySettings
from vision_recipes.stores import Store


def write_endpoint(
    settings: EndpointSettings, folder: Store, output: Store, progress: Callable[[int, int], None]
) -> dict[str, object]:
    """Write the files of an endpoint for the model of a folder, and return facts for people.

    Nothing is written before the endpoint has answered its test queries as the model does.
    """
    model = open_model(folder)
    chosen = {"max_nb_labels": settings.max_nb_labels, "min_threshold": settings.min_threshold}
    with work_folder() as workdir:
        target = workdir / "endpoint"
        write_endpoint_folder(model, chosen, target)
        progress(1, 3)
        label = _checked_label(model, ClassifySettings.from_params(chosen), answers(target, queries(model)))
        progress(2, 3)
        columns = [column.name for column in model.extra_columns]
        verdict = model.ood_detector is not None
        text = steps(model.name, label, model.config.licence, columns, verdict=verdict)
        (target / "README.txt").write_text(text, encoding="utf-8")
        files = sorted(path for path in target.rglob("*") if path.is_file())
        for path in files:
            with open(path, "rb") as stream:
                output.write("/" + path.relative_to(target).as_posix(), stream)
        size = sum(path.stat().st_size for path in files)
    progress(1, 1)
    return {
        "Model": model.name,
        "Folder": output.name,
        "Files": f"{len(files)}, {size / 1e6:.1f} MB",
        "Checked": f"the endpoint gives the model's answer for its test query ({label})",
        "Next": "README.txt says in five steps how the endpoint is made in DSS",
    }


def _checked_label(model: Model, settings: ClassifySettings, found: list[object]) -> str:
    """Return the label of the first test query; raises ModelFolderError when the answers are not the model's."""
    scorer, labels = Scorer(model, settings), []
    for query, answer in zip(queries(model), found, strict=True):
        (scored,) = scorer.score([base64.b64decode(query[PICTURE])], [query])
        row = {name: value for name, value in scored.row.items() if name != "images"}
        expected = row | {"prediction": json.loads(row["prediction"])}
        if answer != expected:
            raise ModelFolderError(
                f"The endpoint of {model.name!r} answers {answer} where the model gives {expected}, so nothing is "
                "written. Report this as a fault."
            )
        labels.append(str(row["label"]))
    scorer.close()
    return labels[0]
