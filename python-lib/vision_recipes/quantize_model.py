"""Make a model compute in int8, and keep it only if it answers as the float32 model does."""

from __future__ import annotations

import logging
import time
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence

from vision_recipes.default_model import open_default
from vision_recipes.errors import ModelFolderError
from vision_recipes.images.reading import list_pictures
from vision_recipes.inference.classification import Classification
from vision_recipes.inference.forward_pass import Request, forward
from vision_recipes.local_folders import work_folder
from vision_recipes.macro_settings import QuantizeSettings
from vision_recipes.model_folder import Model, model_card, open_model
from vision_recipes.model_folder.config import INT8, Quantisation
from vision_recipes.quantisation.chosen_pictures import choose_pictures, require_enough, write_pixels
from vision_recipes.quantisation.comparison import Answer, Comparison, compare
from vision_recipes.quantisation.int8_model import make_int8, require_quantisable
from vision_recipes.settings import ClassifySettings, ComputeSettings
from vision_recipes.stores import LocalStore, Store, Table
from vision_recipes.wording import counted, percent

log = logging.getLogger("vision_recipes")

_STEPS = 10
"""How many steps the progress counts, most of them for the calibration."""


def quantize_model(
    settings: QuantizeSettings,
    folders: tuple[Store | None, Store, Store],
    labels: Table | None,
    progress: Callable[[int, int], None],
) -> dict[str, object]:
    """Write a model that computes in int8, and return facts about it for people.

    `folders` are those of the model, None for the default network; of pictures, some of which calibrate it and others
    are scored by both; and of the output. With `labels` it is also known how often each is right. Nothing is written
    unless `minimum_agreement` of the compared pictures get the same answer: ModelFolderError. Raises SettingsError,
    LabelsError, PictureFolderError and OutputError too.
    """
    started = time.perf_counter()
    model, pictures, output = folders
    base = open_default() if model is None else open_model(model)
    require_quantisable(base)
    paths = list_pictures(pictures)
    truth = _true_labels(paths, settings, labels, base)
    chosen = choose_pictures(paths, pictures.name, settings)
    with work_folder("vision-quantize-") as workdir:
        used = write_pixels(pictures, chosen.calibration, base.preprocessing, workdir / "pixels")
        log.info("%s is calibrated on %s, which takes a minute or more", base.name, counted(len(used), "picture"))
        progress(1, _STEPS)
        made = make_int8(base, workdir / "pixels", len(used), workdir)
        progress(8, _STEPS)
        trial = LocalStore(workdir / INT8)
        made.save(trial, Quantisation(base.name, base.folder_hash, len(used)))
        found = [
            _answers(one, pictures, chosen.held_out, precision, used)
            for one, precision in ((base, "float32"), (open_model(trial), INT8))
        ]
        compared = compare(found[0], found[1], truth)
        _require_agreement(compared, base, settings.minimum_agreement)
        made.save(output, _quantisation(base, len(used), compared), _notes(base, len(used), compared))
    progress(_STEPS, _STEPS)
    log.info("quantised in %.1f s", time.perf_counter() - started)
    result = open_model(output)
    return model_card.facts(result) | {"Compared": "; ".join(compared.sentences())}


def _answers(
    model: Model, pictures: Store, paths: Sequence[str], precision: str, seen: Collection[str]
) -> dict[str, Answer]:
    """Return the answer to each readable picture that is not among those `seen`, by their digests, nor repeats one."""
    classification = Classification(model, ClassifySettings(max_nb_labels=1))
    compute = ComputeSettings(precision=precision, engine="openvino", use_gpu="false")
    extra = None
    if model.extra_columns:
        from vision_recipes.dataset.column_encoding import encode_missing

        extra = encode_missing(model.extra_columns)
    request = Request(classification.output, verb=f"scored in {precision}", extra=extra)
    found, reasons, digests = dict[str, Answer](), Counter[str](), set(seen)
    for picture, vector in forward(pictures, paths, model, compute, request):
        if vector is None:
            reasons[picture.reason] += 1
        elif picture.digest not in digests:
            digests.add(picture.digest)
            row, _score = classification.row(picture, vector)
            found[picture.path] = (row["label"], row.get("verdict") or "")
    require_enough(len(found), reasons, pictures.name, "compare with float32")
    return found


def _true_labels(
    paths: Sequence[str], settings: QuantizeSettings, labels: Table | None, model: Model
) -> Mapping[str, str]:
    """Return the labels of pictures that the model knows, by path; none where none are asked for."""
    if labels is None and not settings.labelled:
        return {}
    from vision_recipes.dataset.labels import find_labels

    found = find_labels(paths, settings.label_settings(), labels)
    for remark in found.remarks():
        log.warning("true labels: %s", remark)
    known = {path: label for path, label in found.of.items() if label in model.label_keys}
    if len(known) < len(found.of):
        left = counted(len(found.of) - len(known), "labelled picture has", "labelled pictures have")
        log.warning("%s a label that %s does not know: not counted for the accuracy", left, model.name)
    return known


def _require_agreement(compared: Comparison, base: Model, minimum: float) -> None:
    for sentence in compared.sentences():
        log.info("%s", sentence)
    if compared.agreement >= minimum:
        return
    raise ModelFolderError(
        f"In int8, {base.name!r} gives the answer of float32 for {percent(compared.agreement)} of "
        f"{counted(compared.pictures, 'picture')} that it was not calibrated on, below minimum_agreement ("
        f"{percent(minimum)}), so nothing is written. Calibrate on more pictures like those to score "
        "(calibration_pictures), accept less, or stay with float32. Where labels of your own are wanted, quantise the "
        "network first and retrain it then: vision-retrain fits the last layer to int8."
    )


def _quantisation(base: Model, calibrated_on: int, compared: Comparison) -> Quantisation:
    of_labelled = [count / max(1, compared.labelled) for count in (compared.right, compared.base_right)]
    counts = calibrated_on, compared.pictures, compared.agreement, compared.labelled
    return Quantisation(base.name, base.folder_hash, *counts, *of_labelled)


def _notes(base: Model, calibrated_on: int, compared: Comparison) -> str:
    points = [f"- {said[:1].upper()}{said[1:]}." for said in compared.sentences()]
    if base.reference_pictures is not None:
        points.append("- What the float32 model keeps of its training pictures is left out: vision-monitor needs them.")
    first = f"Quantised to int8 from {model_card.plain(base.name)}, calibrated on {counted(calibrated_on, 'picture')}."
    return "\n".join((first, "", *points))
