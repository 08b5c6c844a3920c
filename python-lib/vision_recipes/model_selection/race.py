"""Successive halving on pictures: all candidates see some, those that can hardly win any more see no others.

Jamieson and Talwalkar, Non-stochastic best arm identification and hyperparameter optimization, 2016; but how many go on
is decided by paired differences rather than being half of them.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from vision_recipes.compare_settings import CompareSettings
from vision_recipes.errors import LabelsError, ModelFolderError, PictureFolderError, VisionError
from vision_recipes.model_selection.candidates import Candidate, PassSettings, other_passes
from vision_recipes.model_selection.feature_pass import FeaturePass
from vision_recipes.model_selection.held_out_predictions import predicted_rows
from vision_recipes.model_selection.judging import Judge, Stage
from vision_recipes.model_selection.other_passes import pictures_to_try, surely_better
from vision_recipes.model_selection.paired_differences import Interval, accuracy_when_chosen
from vision_recipes.model_selection.sampling import round_sizes, stratified_order
from vision_recipes.wording import counted, percent

log = logging.getLogger("vision_recipes")


@dataclass
class Standing:
    """A candidate with the last stage it took part in; `reason` says why it did not go on, empty for the others."""

    candidate: Candidate
    stage: Stage | None = None
    reason: str = ""


@dataclass
class Race:
    """The candidates and what they predict; `run` lets them compete.

    `labels` are of the pictures that may be compared on, `links` their cells in the group column. `open_pass` opens
    a pass over the pictures. Each round takes the first pictures of `order`, as many as `sizes` says. `remarks` are
    sentences on what limits the result.
    """

    labels: Mapping[str, str]
    links: Mapping[str, str | None]
    settings: CompareSettings
    open_pass: Callable[[PassSettings], FeaturePass]
    standings: list[Standing] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)
    passes: dict[PassSettings, FeaturePass] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.judge = Judge(self.passes, self.settings)
        self.order = stratified_order(self.labels, self.settings.random_seed)
        self.sizes = round_sizes(len(self.order), len(set(self.labels.values())), self.settings.budget_pictures)
        self._started = time.perf_counter()

    def run(self, candidates: Sequence[Candidate]) -> None:
        """Compare the candidates and fill `standings`, best first."""
        self.standings = [Standing(candidate) for candidate in candidates]
        order, sizes = self.order, self.sizes
        if sizes[-1] < len(order):
            why = "the budget" if self.settings.budget_pictures else "as more hardly change the order"
            self.remarks.append(f"{counted(sizes[-1], 'picture')} of {len(order):,} are compared on: {why}")
        for number, size in enumerate(sizes, 1):
            if number > 1 and not self._affords(size):
                break
            stage = self._stage(order[:size], self._racing())
            self._drop_beaten(stage)
            if number == 1:
                self._try_other_passes(stage, sizes[-1])
            if len(self._racing()) == 1 and number < len(sizes):
                break
        self.standings.sort(key=self._place)

    @property
    def winner(self) -> Standing:
        """The best candidate, once the race is run."""
        return self.standings[0]

    def difference(self, standing: Standing) -> Interval | None:
        """Return by how much more of the pictures the winner has right, on those that the candidate saw last."""
        if standing.stage is None:
            return None
        return self.judge.difference(self.winner.candidate, standing.candidate, standing.stage)

    def accuracy_when_chosen(self) -> float | None:
        """Return the winner's accuracy without the bias of having been chosen, among those that came as far."""
        stage = self.winner.stage
        found = [
            self.judge.predictions(each.candidate, stage) for each in self.standings if stage and each.stage is stage
        ]
        right = [each.right for each in found if each is not None]
        if stage is None or not right:
            return None
        groups = stage.sample.groups[predicted_rows(stage.sample)]
        return accuracy_when_chosen(np.stack(right), groups, self.settings.random_seed)

    def _racing(self) -> list[Standing]:
        return [standing for standing in self.standings if not standing.reason]

    def _place(self, standing: Standing) -> tuple[bool, int, float, float]:
        """Return what standings are sorted by: those in the race first, then those that came further."""
        found = standing.stage and self.judge.predictions(standing.candidate, standing.stage)
        if standing.stage is None or not found:
            return bool(standing.reason), 0, 0.0, 0.0
        return bool(standing.reason), -len(standing.stage.sample), -found.accuracy, float(found.losses.mean())

    def _stage(self, paths: Sequence[str], racing: Sequence[Standing]) -> Stage:
        """Return the stage of these pictures, after every pass of the candidates has read them."""
        for settings in dict.fromkeys(standing.candidate.of_pass for standing in racing):
            self._extend(settings, paths)
        left = [standing for standing in racing if not standing.reason]
        if not left:
            raise ModelFolderError(
                "No network can be used: "
                + "; ".join(dict.fromkeys(f"{s.candidate.entrant.name}: {s.reason}" for s in racing))
            )
        passes = [self.passes[standing.candidate.of_pass] for standing in left]
        usable = [path for path in paths if all(path in each.digests for each in passes)]
        if not usable:
            reasons = ", ".join(sorted(set(passes[0].unreadable.values())))
            raise PictureFolderError(f"None of the {counted(len(paths), 'labelled picture')} can be read ({reasons}).")
        if len({self.labels[path] for path in usable}) < 2:
            raise LabelsError(
                f"All usable pictures have the label {self.labels[usable[0]]!r}; comparing needs at least two classes."
            )
        stage = self.judge.stage(passes[0], usable, self.labels, self.links)
        for standing in left:
            standing.stage = stage
        return stage

    def _extend(self, settings: PassSettings, paths: Sequence[str]) -> None:
        """Read pictures for a pass; what cannot be computed, or not in time, takes its candidates out of the race."""
        try:
            if self._over_budget() and any(settings != other for other in self.passes):
                raise _OverBudget(f"the budget of {self.settings.budget_minutes:g} minutes was used up before its turn")
            if settings not in self.passes:
                self.passes[settings] = self.open_pass(settings)
            self.passes[settings].extend(paths)
        except (VisionError, _OverBudget) as err:
            log.warning("%s is left out: %s", settings.entrant.name, err)
            for standing in self._racing():
                if standing.candidate.of_pass == settings:
                    standing.reason = str(err)

    def _over_budget(self) -> bool:
        limit = 60 * self.settings.budget_minutes
        return bool(limit) and time.perf_counter() - self._started > limit

    def _affords(self, size: int) -> bool:
        """Take those out that the budget of minutes has no time for; return whether the best one can go on."""
        if not self.settings.budget_minutes:
            return True
        left = 60 * self.settings.budget_minutes - (time.perf_counter() - self._started)
        affordable: set[PassSettings] = set()
        for standing in sorted(self._racing(), key=self._place):
            settings = standing.candidate.of_pass
            if settings not in affordable:
                read = self.passes[settings]
                left -= read.seconds / max(len(read.digests), 1) * (size - len(read.digests))
                if left < 0 and not affordable:
                    assert standing.stage is not None
                    seen = counted(len(standing.stage.sample), "picture")
                    self.remarks.append(
                        f"the budget of {self.settings.budget_minutes:g} minutes ended the comparison after {seen}"
                    )
                    return False
                if left >= 0:
                    affordable.add(settings)
            if settings not in affordable:
                standing.reason = f"cut by the budget of {self.settings.budget_minutes:g} minutes, not beaten"
        return True

    def _drop_beaten(self, stage: Stage) -> None:
        """Take those out of the race that are surely worse than the best one."""
        racing = sorted(self._racing(), key=self._place)
        for standing in racing:
            found = self.judge.predictions(standing.candidate, stage)
            if found is not None:
                log.info(
                    "%s: %s of %d held-out pictures right",
                    standing.candidate.name,
                    percent(found.accuracy),
                    len(found.right),
                )
        for standing in racing[1:]:
            behind = self.judge.difference(racing[0].candidate, standing.candidate, stage)
            if behind is not None and behind.low > 0:
                standing.reason = (
                    f"surely worse than {racing[0].candidate.name} on {counted(len(stage.sample), 'picture')}"
                )

    def _try_other_passes(self, stage: Stage, most: int) -> None:
        """Let the leading network try its other passes on a few pictures; what is better joins the race."""
        leader = min(self._racing(), key=self._place)
        tried = other_passes(leader.candidate.entrant, self.settings)
        if not tried:
            return
        few = pictures_to_try(tried, most * len(self.passes), self.settings)
        paths = stage.sample.paths[: min(few, len(stage.sample))]
        for settings in tried:
            standing = Standing(Candidate(settings, leader.candidate.head_features, leader.candidate.last_layer))
            self.standings.append(standing)
            self._extend(settings, paths)
            if standing.reason:
                continue
            usable = [path for path in paths if path in self.passes[settings].digests]
            standing.stage = self.judge.stage(self.passes[leader.candidate.of_pass], usable, self.labels, self.links)
            pair = [self.judge.predictions(each.candidate, standing.stage) for each in (standing, leader)]
            if pair[0] is None or pair[1] is None or not surely_better(pair[0], pair[1]):
                standing.reason = f"not surely better than {leader.candidate.name} on {counted(len(usable), 'picture')}"
        joined = [standing for standing in self._racing() if standing.candidate.of_pass in tried]
        if joined:
            everyone = self._stage(stage.sample.paths, self._racing())
            self._drop_beaten(everyone)


class _OverBudget(Exception):
    """A pass does not start because the time is used up."""
