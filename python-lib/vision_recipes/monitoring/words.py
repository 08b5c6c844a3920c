"""What a comparison means, in plain words; each sentence from a number."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from vision_recipes.monitoring.comparison import (
    ANOTHER_MIX,
    LABEL_MIX,
    LOOKS,
    REPEATED,
    UNKNOWN_SHARE,
    UNREADABLE,
    Comparison,
    References,
)
from vision_recipes.monitoring.scoring import ScoredPictures
from vision_recipes.reports.rendering import plain
from vision_recipes.wording import counted, percent

_FEW, _HARDLY_SEPARABLE = 20, 0.6
_ALIKE_WITHIN = 0.05
_SHOWN = 3


def headline(found: Comparison) -> str:
    """Return the result in a few words."""
    if found.reasons == (UNREADABLE,):
        return "The new pictures can hardly be read" if len(found.scores) else "None of the new pictures can be read"
    if not found.alarm:
        return "No sign of a change"
    return "The mix of labels has changed" if only_the_mix(found) else "The new pictures are different"


def only_the_mix(found: Comparison) -> bool:
    """Return whether there is an alarm that a change of the label mix explains: within labels, all looks alike."""
    within, mix = found.within_labels, found.label_mix
    other = set(found.reasons) - {LOOKS, LABEL_MIX}
    return (
        bool(found.reasons)
        and not other
        and mix is not None
        and within is not None
        and (within > _ALIKE_WITHIN and mix.p_value <= ANOTHER_MIX)
    )


def summary(found: Comparison, references: References, new: ScoredPictures, labels: Sequence[str]) -> str:
    """Return the result and its reasons as a short text."""
    return " ".join([f"{headline(found)}.", *reasons(found, references, new, labels)])


def reasons(found: Comparison, references: References, new: ScoredPictures, labels: Sequence[str]) -> Iterator[str]:
    """Yield a sentence for each reason of the alarm, or why there is none."""
    count = len(new.sample)
    if UNREADABLE in found.reasons:
        yield f"{len(new.unreadable):,} of {counted(count + len(new.unreadable), 'file')} could not be read."
    if LOOKS in found.reasons:
        if REPEATED in found.reasons:
            yield "They look unlike the reference pictures."
        elif (found.separability or 0) < _HARDLY_SEPARABLE:
            yield "As a whole they have moved, though a single one can hardly be told from a reference picture."
        else:
            yield (
                f"A classifier tells a new picture from a reference picture in {percent(found.separability)} of pairs, "
                "where 50 % is guessing."
            )
    if UNKNOWN_SHARE in found.reasons:
        yield (
            f"{percent(new.sample.flagged_share)} of the new pictures are unknown or unsure, where "
            f"{percent(references.predictions.flagged_share)} are expected."
        )
    if found.alarm and found.label_mix is not None and found.label_mix.p_value <= ANOTHER_MIX:
        yield f"The labels that changed most: {'; '.join(mix_changes(found, labels))}."
    if only_the_mix(found):
        yield "Within each label the pictures look as before, so this is not necessarily bad: is the new mix expected?"
    if REPEATED in found.reasons:
        yield f"{percent(found.repeated[1])} of the new pictures repeat another one: is a camera standing still?"
    if not found.alarm:
        yield f"{counted(count, 'new picture looks', 'new pictures look')} like the reference pictures."
        if count < _FEW:
            yield "So few pictures show large changes only."


def mix_changes(found: Comparison, labels: Sequence[str]) -> list[str]:
    """Return the largest changes of the mix of labels in words."""
    changes = found.label_mix.changes()[:_SHOWN] if found.label_mix is not None else []
    return [f"{plain(labels[number], 40)} {percent(now)}, before {percent(before)}" for number, before, now in changes]


def next_steps(found: Comparison, *, from_folder: bool) -> Iterator[str]:
    """Yield what to do about an alarm."""
    if not found.alarm:
        return
    if UNREADABLE in found.reasons:
        yield "See the reasons below, and whatever writes these files."
    if only_the_mix(found):
        yield "Where the mix of labels may change, set label_mix to “ignore”: such a change then raises no alarm."
    elif found.p_values and from_folder:
        yield "Look at the pictures that moved most: is it the light, the camera, the scene, or something new in them?"
    if found.p_values:
        yield "Label about a hundred of the new pictures; vision-evaluate then says how many predictions are right."
        yield "If too few are, add them to the training pictures and retrain the model."


def trust(found: Comparison) -> str:
    """Return how far the expected accuracy can be trusted."""
    if found.alarm and not only_the_mix(found):
        return (
            "Take it as the most to hope for. On pictures that have changed it is often too high: measured, by up to "
            "10 points with half the brightness, by 10 to 20 with a third of the pictures of an unknown class, by 15 "
            "to 25 with a much worse camera. To know better, label a hundred of them and run vision-evaluate."
        )
    return "It holds for pictures like the reference pictures, and these are. True labels of some would confirm it."
