"""Stages of a comparison, and what each candidate predicts in each, computed once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from vision_recipes.compare_settings import CompareSettings
from vision_recipes.dataset.duplicates import find_duplicates
from vision_recipes.model_selection.candidates import SEVERAL, Candidate, PassSettings
from vision_recipes.model_selection.feature_pass import FeaturePass
from vision_recipes.model_selection.held_out_predictions import Predictions, judge, predicted_rows, scaled_products
from vision_recipes.model_selection.other_passes import copies_to_compare
from vision_recipes.model_selection.paired_differences import Interval, difference
from vision_recipes.model_selection.sampling import Sample, draw_sample


@dataclass(frozen=True, eq=False)
class Stage:
    """Pictures on which candidates are compared, the same folds for all of them; `number` counts from 0."""

    number: int
    sample: Sample


class Judge:
    """Knows what each candidate predicts in each stage; candidates are judged when they are first asked for."""

    def __init__(self, passes: Mapping[PassSettings, FeaturePass], settings: CompareSettings) -> None:
        self._passes, self._settings = passes, settings
        self._found: dict[tuple[Candidate, int], Predictions | None] = {}
        self._stages = 0
        self._products: tuple[tuple[PassSettings, str, int], np.ndarray] | None = None

    def stage(
        self,
        first: FeaturePass,
        paths: Sequence[str],
        labels: Mapping[str, str],
        links: Mapping[str, str | None],
    ) -> Stage:
        """Return a stage of these pictures, whose near-duplicates are found by the features of the `first` pass."""
        seed, digests = self._settings.random_seed, [first.digests[path] for path in paths]
        pairs = find_duplicates(first.features(paths, several=False), digests, seed)
        self._stages += 1
        return Stage(self._stages - 1, draw_sample(paths, labels, links, pairs, seed))

    def predictions(self, candidate: Candidate, stage: Stage) -> Predictions | None:
        """Return what a candidate predicts in a stage; None when no picture can be held out."""
        key = (candidate, stage.number)
        if key not in self._found:
            self._found[key] = self._judge(candidate, stage)
        return self._found[key]

    def difference(self, ours: Candidate, theirs: Candidate, stage: Stage) -> Interval | None:
        """Return by how much more of the pictures of a stage one candidate has right than another."""
        one, other = self.predictions(ours, stage), self.predictions(theirs, stage)
        if one is None or other is None:
            return None
        return difference(one.right, other.right, stage.sample.groups[predicted_rows(stage.sample)])

    def _judge(self, candidate: Candidate, stage: Stage) -> Predictions | None:
        if not len(predicted_rows(stage.sample)):
            return None
        before = [self._found.get((candidate, number)) for number in range(stage.number)]
        known = next((found for found in reversed(before) if found is not None), None)
        products = self._products_of(candidate, stage)
        return judge(products, stage.sample, candidate.last_layer, known.ridge if known else None)

    def _products_of(self, candidate: Candidate, stage: Stage) -> np.ndarray:
        """Return the inner products of a candidate's features, computed once for the last layers that follow."""
        key = (candidate.of_pass, candidate.head_features, stage.number)
        if self._products is None or self._products[0] != key:
            self._products = key, scaled_products(self._features(candidate, stage))
        return self._products[1]

    def _features(self, candidate: Candidate, stage: Stage) -> np.ndarray:
        read, several = self._passes[candidate.of_pass], candidate.head_features == SEVERAL
        if candidate.of_pass.data_augmentation:
            asked = self._settings.retraining(data_augmentation=True)
            copies = copies_to_compare(asked.n_augmentation, len(stage.sample))
            return read.with_copies(stage.sample, replace(asked, n_augmentation=copies), several=several)
        return read.features(stage.sample.paths, several=several)
