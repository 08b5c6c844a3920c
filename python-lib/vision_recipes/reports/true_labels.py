"""True labels compared with those that a model gives: other spellings of the same one, and labels it never gives."""

from __future__ import annotations

import logging
import re
from collections import Counter
from collections.abc import Collection, Sequence

from vision_recipes.dataset.cell_text import folded
from vision_recipes.errors import LabelsError, listed
from vision_recipes.wording import counted

log = logging.getLogger("vision_recipes")

_SHOWN = 12
_WHOLE = re.compile(r"([+-]?(?:0|[1-9]\d*))\.0+")


def as_the_model_spells_them(truths: Sequence[str], known: Collection[str], table: str) -> dict[str, str]:
    """Return the label to judge by for each different true label; `known` are the model's, `table` their dataset.

    A true label that the model does not have counts as the one that differs from it in case and blanks only, or is the
    same whole number (`1.0` and `1`), if there is just one. Such labels, and those that the model does not have at all,
    are logged. Raises LabelsError when no true label is among the model's.
    """
    counts, alike = Counter(truths), dict[str, list[str]]()
    for label in sorted(known):
        alike.setdefault(_plain(label), []).append(label)
    judged = {label: label for label in counts}
    for label in counts.keys() - set(known):
        if len(same := alike.get(_plain(label), [])) == 1:
            judged[label] = same[0]
    respelled = sorted(label for label, other in judged.items() if label != other)
    if respelled:
        pairs = (f"{label!r} as {judged[label]!r} ({counted(counts[label], 'picture')})" for label in respelled)
        log.warning(
            "true labels: %s from a label in %s in case, blanks or decimals only, and count as that: %s",
            counted(len(respelled), "label differs", "labels differ"),
            table,
            listed(pairs, _SHOWN),
        )
    missing = sorted(set(judged.values()) - set(known))
    if len(missing) == len(set(judged.values())):
        raise LabelsError(_none_known(missing, sorted(known), table))
    if missing:
        log.warning(
            "true labels: %s a label that is not among those in %s and so counts as wrong: %s",
            counted(sum(counts[label] for label in missing), "picture has", "pictures have"),
            table,
            listed((f"{label!r} ({counted(counts[label], 'picture')})" for label in missing), _SHOWN),
        )
    return judged


def _none_known(truths: Sequence[str], known: Sequence[str], table: str) -> str:
    return (
        f"None of the true labels is among the labels in {table}. True labels: {listed(map(repr, truths), _SHOWN)}. "
        f"Labels in {table}: {listed(map(repr, known), _SHOWN)}. Choose the label column and the scored dataset that "
        "belong together; if the model has these labels but never gave them, connect its folder (model_folder) or "
        "score again with a larger max_nb_labels."
    )


def _plain(label: str) -> str:
    """Return a label without case and blanks, and a whole number without decimals; `007` is no number."""
    whole = _WHOLE.fullmatch(label.strip())
    return whole[1] if whole else folded(label)
