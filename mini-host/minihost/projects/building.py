"""Builds a flow: which steps are missing or stale and why, and running just those, in order."""

from __future__ import annotations

import contextlib
import dataclasses
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from minihost.errors import HostError, JobError
from minihost.host import hooks
from minihost.job import Reference
from minihost.plugins.discovery import Catalogue
from minihost.projects import fingerprints, step_order
from minihost.projects.build_journal import BuildJournal
from minihost.projects.build_records import BuildRecords
from minihost.projects.flow import Step
from minihost.projects.freshness import Freshness, has_data
from minihost.projects.planning import Plan, of_step, plan
from minihost.projects.project import FLOW, Project
from minihost.projects.step_states import FAILED, FRESH, INVALID, STALE, StepState
from minihost.suggestions import did_you_mean, one_of


class Build:
    """A project's flow, planned as a whole. Steps with mistakes are kept apart: `mistakes` has theirs, by name."""

    def __init__(self, project: Project, catalogue: Catalogue, *, streams_only: bool = False) -> None:
        if not project.flow.steps:
            missing = not Path(project.flow_file).is_file()
            why = f"there is no {FLOW} in {project.dir}" if missing else f"{project.flow_file} has no steps"
            raise JobError([f"There is nothing to build: {why}."])
        self.project, self.catalogue, self.streams_only = project, catalogue, streams_only
        project.pending = set(project.flow.made)
        steps = tuple(self._with_caches(step) for step in project.flow.steps)
        project.flow = dataclasses.replace(project.flow, steps=steps)
        self.records = BuildRecords(project)
        self.freshness = Freshness(project, catalogue)
        self.shared: Callable[[Plan, Any], contextlib.AbstractContextManager[Any]] = _alone
        """Yields the options of a step for its plan and those of the build: how it is shared out over workers."""
        self.plans: dict[str, Plan] = {}
        self.of_order = step_order.mistakes(project.flow)
        self.steps = step_order.ordered(project.flow)
        self.mistakes: dict[str, list[str]] = {}
        for step in self.steps:
            try:
                self.plans[step.name] = planned = self._plan(step, ask=False)
                project.flow.kinds.update({one.name: one.type for one in planned.job.outputs})
            except JobError as err:
                self.mistakes[step.name] = err.mistakes
            except HostError as err:
                self.mistakes[step.name] = [str(err)]
        self.project.recover(reference for step in self.steps for reference in self._all(step))

    def states(self) -> list[StepState]:
        """Return every step in order with its state; a step behind a stale one is stale as well.

        A step that has to run and whose last run failed is `failed`, with the reason. One with mistakes, in itself or
        in its place among the others, is `invalid`.
        """
        records = self.records.all()
        found: dict[str, StepState] = {}
        for step in self.steps:
            record = records.get(step.name, {})
            if mistakes := self._mistakes(step):
                planned = self.plans.get(step.name)
                found[step.name] = StepState(step, planned, INVALID, mistakes[0], record, mistakes)
                continue
            state, why = self.freshness.judged(step, self.plans[step.name], record)
            waiting = [need.name for need in self._needs(step) if found[need.name].state != FRESH]
            if state == FRESH and waiting:
                state, why = STALE, f"{', '.join(waiting)} come{'s' if len(waiting) == 1 else ''} first"
            if state != FRESH and record.get("failed"):
                state, why = FAILED, record["failed"]["reason"]
            found[step.name] = StepState(step, self.plans[step.name], state, why, record)
        return list(found.values())

    def wanted(self, targets: Iterable[str]) -> list[Step]:
        """Return the steps that make the targets (steps by name, or what they make), with all that these need."""
        chosen = self._targets(targets)
        pending = list(chosen)
        while pending:
            for need in self._needs(pending.pop()):
                if need not in chosen:
                    chosen.append(need)
                    pending.append(need)
        return [step for step in self.steps if step in chosen]

    def run(
        self,
        targets: Iterable[str],
        options: Any,
        *,
        force: bool,
        report: Callable[[str], None],
        journal: BuildJournal | None = None,
    ) -> int:
        """Run what is missing or stale of the targets, in order, and return how many steps ran.

        Raises `JobError`, before anything runs, with the mistakes of every step that the targets need.
        """
        targets, journal = list(targets), journal or BuildJournal()
        steps = self.wanted(targets)
        if mistakes := self.mistakes_of(steps):
            raise JobError(mistakes)
        forced = self._targets(targets) if force else []
        ran: list[Step] = []
        journal.begin(targets, steps, force=force)
        for place, step in enumerate(steps, start=1):
            state, why = self.freshness.judged(step, self.plans[step.name], self.records.all().get(step.name, {}))
            behind = [need.name for need in self._needs(step) if need in ran]
            if state == FRESH and (step in forced or behind):
                state, why = STALE, "forced" if step in forced else f"{behind[0]} ran"
            head = f"[{place}/{len(steps)}] {step.name}"
            if state == FRESH:
                report(f"{head}: {FRESH}")
                journal.skipped(step.name, FRESH)
                continue
            report(f"{head}: {state}, {why}")
            journal.started(step.name, f"{state}, {why}")
            try:
                self._run(step, dataclasses.replace(options, started=journal.in_folder), report, journal)
            except HostError as err:
                self.records.failed(step.name, err)
                rest = [one.name for one in steps[place:]]
                report(f"{head} failed." + (f" Not run: {', '.join(rest)}." if rest else ""))
                raise err
            journal.done(step.name)
            ran.append(step)
        return len(ran)

    def _run(self, step: Step, options: Any, report: Callable[[str], None], journal: BuildJournal) -> None:
        planned = self.plans[step.name] = self._plan(step, ask=True)
        planned.job.step = step.name
        for warning in planned.warnings:
            report(f"warning: {warning}")
            journal.warned(warning)
        missing = [one for one in planned.job.inputs if not has_data(one)]
        if missing:
            raise JobError([f"step {step.name}: input {one.role!r} ({one.name}) {_lack(one)}." for one in missing])
        record = self.freshness.facts(step, planned)
        outputs = {one.path for one in planned.job.outputs}
        started = time.time()
        with self.shared(planned, options) as options:
            result = hooks().minihost_run_component(job=planned.job, options=options)
        empty = [ref for ref, one in self.freshness.made(step, planned) if not has_data(one)]
        if empty and step.creates:
            raise HostError(f"step {step.name} finished, but {', '.join(map(repr, empty))} (creates:) does not exist.")
        # What a step changes in place (a model retrained onto itself) is what it left, not what it found.
        for one in planned.job.inputs:
            if one.path in outputs:
                record["inputs"][one.name] = fingerprints.of_data(one)
        record |= {"finished": time.strftime("%Y-%m-%d %H:%M:%S"), "seconds": round(time.time() - started, 1)}
        record["log"] = str(getattr(result, "log", ""))
        self.records.succeeded(step.name, record)

    def _plan(self, step: Step, *, ask: bool) -> Plan:
        return plan(of_step(step, ask_choices=ask, streams_only=self.streams_only), self.catalogue, self.project)

    def _mistakes(self, step: Step) -> tuple[str, ...]:
        """What is wrong with a step, in itself and in its place among the others."""
        of_place = [one.text for one in self.of_order if step.name in one.steps]
        return (*of_place, *self.mistakes.get(step.name, ()))

    def mistakes_of(self, steps: list[Step]) -> list[str]:
        """Return what is wrong with some steps, for a person who reads it all at once."""
        names = {step.name for step in steps}
        found = [f"{Path(self.project.flow_file).name}: {one.text}" for one in self.of_order if names & set(one.steps)]
        return found + [
            f"step {step.name}: {mistake}" for step in steps for mistake in self.mistakes.get(step.name, ())
        ]

    def _all(self, step: Step) -> list[Reference]:
        """What a step reads and what it is there to make, as far as that is known."""
        planned = self.plans.get(step.name)
        if planned is None:
            return []
        return [*planned.job.inputs, *(one for _ref, one in self.freshness.made(step, planned))]

    def _needs(self, step: Step) -> list[Step]:
        return step_order.needs(self.project.flow, step)

    def _with_caches(self, step: Step) -> Step:
        """A step with the output roles that its plugin declares as caches; an unknown component is reported later."""
        try:
            component = self.catalogue.component(step.component, (step.kind,))
        except JobError:
            return step
        return dataclasses.replace(step, caches=frozenset(role.name for role in component.outputs if role.is_cache))

    def _targets(self, targets: Iterable[str]) -> list[Step]:
        chosen: list[Step] = []
        mistakes = []
        for target in targets:
            found = [step for step in self.steps if target in (step.name, *step.makes)]
            found = found or [step for step in self.steps if target == step.component]
            if not found:
                possible = [name for step in self.steps for name in (step.name, *step.makes)]
                mistakes.append(
                    f"Nothing makes {target!r}.{did_you_mean(target, possible)} Targets: {one_of(set(possible))}."
                )
            chosen += [step for step in found if step not in chosen]
        if mistakes:
            raise JobError(mistakes)
        return chosen or list(self.steps)


def _alone(_planned: Plan, options: Any) -> contextlib.AbstractContextManager[Any]:
    """One process does the work of a step."""
    return contextlib.nullcontext(options)


def _lack(reference: Reference) -> str:
    return f"has no files: {reference.path}" if Path(reference.path).is_dir() else f"does not exist: {reference.path}"
