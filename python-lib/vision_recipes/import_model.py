"""Import a model made elsewhere: a Keras or ONNX file, a Teachable Machine export, a predecessor's folder."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from vision_recipes.errors import SettingsError
from vision_recipes.local_folders import work_folder
from vision_recipes.macro_settings import ImportSettings
from vision_recipes.model_folder import model_card, open_model
from vision_recipes.model_folder.saving import save_model
from vision_recipes.model_import import importing, onnx_models, scaling_trial
from vision_recipes.model_import.sources import Source, find_source
from vision_recipes.preprocessing import Preprocessing
from vision_recipes.stores import LocalStore, Store

log = logging.getLogger("vision_recipes")


def import_model(
    settings: ImportSettings,
    output: Store,
    source: Store | None,
    samples: Store | None,
    progress: Callable[[int, int], None],
) -> dict[str, object]:
    """Write the model into a model folder and return facts about it for people.

    `source` is the store of `model_source_folder`, None when only `model_file` was given. The facts hold the labels
    that the pictures of `samples` get under each scaling. Raises SettingsError with those when nothing tells the
    network's own scaling.
    """
    with work_folder() as workdir:
        progress(0, 10)
        found = find_source(settings, source)
        if onnx_models.is_onnx_file(found):
            facts = _import_onnx(found, settings, output, samples, workdir)
            progress(10, 10)
            return facts
        imported = importing.read(found, settings, workdir)
        spec = imported.spec
        trials = _trials(samples, spec.input, spec.labels, imported.answer, known=imported.known)
        progress(5, 10)
        save_model(output, imported.network, imported.spec)
    progress(10, 10)
    if imported.guess:
        log.warning("%s", imported.guess)
    facts = model_card.facts(open_model(output))
    if imported.guess:
        facts["Scaling"] = f"{facts['Scaling']} (a guess)"
    notes = {"Guess": imported.guess, "Notes": "; ".join(imported.notes)}
    return facts | {name: text for name, text in notes.items() if text} | trials


def _import_onnx(
    found: Source, settings: ImportSettings, output: Store, samples: Store | None, workdir: Path
) -> dict[str, object]:
    """Write the model of an ONNX file; with sample pictures and nothing that tells its scaling, only try some."""
    known = samples is None or settings.preprocessing != "auto" or onnx_models.tells_scaling(found)
    target = output if known else LocalStore(workdir / "trial", output.name)
    notes = onnx_models.import_onnx(
        found, settings if known else replace(settings, preprocessing="raw"), target, workdir
    )
    model = open_model(target)
    if samples is not None and (model.preprocessing.channels == "grey" or model.config.ends_in_features):
        raise SettingsError(
            "sample_folder: scalings are shown for ONNX networks that give the scores of pictures in colour. Leave it "
            "empty for this one."
        )
    answer = scaling_trial.answer_of_ir(model, workdir)
    trials = _trials(samples, model.preprocessing, model.labels, answer, known=known)
    return model_card.facts(model) | ({"Notes": "; ".join(notes)} if notes else {}) | trials


def _trials(
    samples: Store | None, chosen: Preprocessing, labels: Sequence[str], answer: scaling_trial.Answer, *, known: bool
) -> dict[str, object]:
    """Return the labels of the sample pictures under each scaling, as facts."""
    if samples is None:
        return {}
    trials = scaling_trial.try_scalings(samples, chosen, labels, answer, known=known)
    if not known:
        lines = "\n".join(f"  {trial.scaling}: {trial}" for trial in trials)
        raise SettingsError(
            "preprocessing: the file does not say how its pictures are scaled. These are the labels of the sample "
            f"pictures under each scaling. Set preprocessing to the one whose labels are right.\n{lines}"
        )
    return {f"Labels, {trial.scaling}": str(trial) for trial in trials}
