"""What config.json says of a network that computes in int8."""

from __future__ import annotations

from dataclasses import dataclass

from vision_recipes.strict_json import require

INT8 = "int8"


@dataclass(frozen=True)
class Quantisation:
    """That a network computes in int8: the float32 model `base` it was made from, and how the two compare.

    The ranges of its numbers come from `calibrated_on` pictures. Of `compared_on` other pictures, `agreement` is the
    fraction that both give the same best label (and verdict), and of the `labelled` ones among them `accuracy` and
    `base_accuracy` the fractions that either gives the true one. A model retrained on an int8 network has no such
    comparison: `compared_on` is 0.
    """

    base: str
    base_hash: str
    calibrated_on: int
    compared_on: int = 0
    agreement: float = 0.0
    labelled: int = 0
    accuracy: float = 0.0
    base_accuracy: float = 0.0

    def without_comparison(self) -> Quantisation:
        """Return it for a model retrained on the int8 network."""
        return Quantisation(self.base, self.base_hash, self.calibrated_on)

    def __post_init__(self) -> None:
        counts = self.calibrated_on, self.compared_on, self.labelled
        require(min(counts) >= 0, f"quantisation has counts {counts}, which must be 0 or more")
        fractions = self.agreement, self.accuracy, self.base_accuracy
        require(all(0 <= value <= 1 for value in fractions), f"quantisation has fractions {fractions} beyond 0 to 1")
