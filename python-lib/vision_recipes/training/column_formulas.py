"""The ways in which extra columns may join the features in a head, each with its design matrix for a linear solver."""

from __future__ import annotations

from dataclasses import dataclass, replace

from vision_recipes.dataset.labelled_images import LabelledImages
from vision_recipes.dataset.standardisation import HALF
from vision_recipes.training.design_matrix import Design, LinearProbe, design, without_columns
from vision_recipes.training.interactions import InteractionDesign, interaction_design

PICTURE_ONLY, ADDITIVE, INTERACTIONS, HIDDEN = "picture_only", "additive", "interactions", "hidden"


@dataclass(frozen=True)
class Formula:
    """One of the names above; `with_numbers` is for columns of a few whole numbers in "interactions"."""

    name: str
    with_numbers: bool = True

    def design(
        self, images: LabelledImages, *, project: bool = True, power: float = HALF
    ) -> Design | InteractionDesign:
        """Return the design matrix of rows, for all formulas but "hidden"."""
        if self.name == INTERACTIONS:
            return interaction_design(images, with_numbers=self.with_numbers, power=power)
        return design(self.shown(images), project=project, power=power)

    def shown(self, images: LabelledImages) -> LabelledImages:
        """Return the rows with the columns that the formula looks at."""
        return without_columns(images) if self.name == PICTURE_ONLY else images

    def finished(self, probe: LinearProbe, images: LabelledImages) -> LinearProbe:
        """Return a probe fitted by this formula's design as one for rows with their columns."""
        if self.name == PICTURE_ONLY:
            return probe.with_ignored_columns(images.extra.shape[1])
        return replace(probe, columns=self.name)
