"""How often two forms of a model give the same answer, and how often each of them is right."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from vision_recipes.wording import counted, percent

Answer = tuple[str, str]
"""The best label of a picture and, of a model with an out-of-distribution detector, its verdict, else ""."""


@dataclass(frozen=True)
class Comparison:
    """Counts of pictures: compared, with the same best label, with the same answer; of the labelled, those right."""

    pictures: int
    same_label: int
    same: int
    labelled: int = 0
    right: int = 0
    base_right: int = 0

    @property
    def agreement(self) -> float:
        """The fraction of the pictures with the same answer."""
        return self.same / max(1, self.pictures)

    def sentences(self) -> Iterator[str]:
        """Yield what was found, without full stop."""
        held_out, same_label = counted(self.pictures, "picture"), self.same_label / max(1, self.pictures)
        yield (f"same best label as in float32 for {percent(same_label)} of {held_out} that it was not calibrated on")
        if self.same < self.same_label:
            yield f"same best label and same verdict for {percent(self.agreement)} of them"
        if self.labelled:
            yield (
                f"accuracy on {counted(self.labelled, 'labelled picture')} of them: "
                f"{percent(self.right / self.labelled)} in int8, {percent(self.base_right / self.labelled)} in float32"
            )


def compare(base: Mapping[str, Answer], quantised: Mapping[str, Answer], truth: Mapping[str, str]) -> Comparison:
    """Return how the answers to the same pictures, by path, compare; `truth` has the labels of some of them.

    A picture that a slow storage gave only once is left out.
    """
    both = [path for path in base if path in quantised]
    labelled = [path for path in both if path in truth]
    return Comparison(
        pictures=len(both),
        same_label=sum(base[path][0] == quantised[path][0] for path in both),
        same=sum(base[path] == quantised[path] for path in both),
        labelled=len(labelled),
        right=sum(quantised[path][0] == truth[path] for path in labelled),
        base_right=sum(base[path][0] == truth[path] for path in labelled),
    )
