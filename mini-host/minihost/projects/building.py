"""Builds a flow: which steps are missing or stale and why, and running just those, in order."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from minihost.datasets import table
from minihost.datasets.remote import opened
from minihost.datasets.sql import is_sql
from minihost.errors import HostError, JobError
from minihost.folders import is_remote
from minihost.folders.local import LocalFolder
from minihost.host import hooks
from minihost.job import Reference
from minihost.parameters.resolving import Given
from minihost.plugins.discovery import Catalogue
from minihost.projects import fingerprints, step_order
from minihost.projects.build_records import BuildRecords
from minihost.projects.flow import Step
from minihost.projects.planning import Plan, Request, plan
from minihost.projects.project import FLOW, Project
from minihost.suggestions import did_you_mean, one_of

FRESH, MISSING, STALE, FAILED = "up to date", "missing", "stale", "failed"


@dataclass
class StepState:
    """A step, whether it has to run and why, and what is known of its last run."""

    step: Step
    planned: Plan
    state: str
    why: str = ""
    last: dict[str, Any] = field(default_factory=dict)


class Build:
    """A project's flow, planned as a whole; raises `JobError` with the mistakes of every step."""

    def __init__(self, project: Project, catalogue: Catalogue, *, streams_only: bool = False) -> None:
        if not project.flow.steps:
            missing = not Path(project.flow_file).is_file()
            why = f"there is no {FLOW} in {project.dir}" if missing else f"{project.flow_file} has no steps"
            raise JobError([f"There is nothing to build: {why}."])
        self.project, self.catalogue, self.streams_only = project, catalogue, streams_only
        project.pending = set(project.flow.made())
        steps = tuple(self._with_caches(step) for step in project.flow.steps)
        project.flow = dataclasses.replace(project.flow, steps=steps)
        self.records = BuildRecords(project)
        self.plans: dict[str, Plan] = {}
        mistakes = [f"{Path(project.flow_file).name}: {mistake}" for mistake in step_order.mistakes(project.flow)]
        self.steps = step_order.ordered(project.flow) or list(steps)
        for step in self.steps:
            try:
                self.plans[step.name] = planned = self._plan(step, ask=False)
                project.flow.kinds.update({one.name: one.type for one in planned.job.outputs})
            except JobError as err:
                mistakes += [f"step {step.name}: {mistake}" for mistake in err.mistakes]
        if mistakes:
            raise JobError(mistakes)
        self.project.recover(reference for step in self.steps for reference in self._all(step))

    def states(self) -> list[StepState]:
        """Return every step in order with its state; a step behind a stale one is stale as well.

        A step that has to run and whose last run failed is `failed`, with the reason.
        """
        records = self.records.all()
        found: dict[str, StepState] = {}
        for step in self.steps:
            record = records.get(step.name, {})
            state, why = self._judge(step, record)
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

    def run(self, targets: Iterable[str], options: Any, *, force: bool, report: Callable[[str], None]) -> int:
        """Run what is missing or stale of the targets, in order, and return how many steps ran."""
        targets = list(targets)
        steps = self.wanted(targets)
        forced = self._targets(targets) if force else []
        ran: list[Step] = []
        for place, step in enumerate(steps, start=1):
            state, why = self._judge(step, self.records.all().get(step.name, {}))
            behind = [need.name for need in self._needs(step) if need in ran]
            if state == FRESH and (step in forced or behind):
                state, why = STALE, "forced" if step in forced else f"{behind[0]} ran"
            head = f"[{place}/{len(steps)}] {step.name}"
            if state == FRESH:
                report(f"{head}: {FRESH}")
                continue
            report(f"{head}: {state}, {why}")
            try:
                self._run(step, options, report)
            except HostError as err:
                self.records.failed(step.name, err)
                rest = [one.name for one in steps[place:]]
                report(f"{head} failed." + (f" Not run: {', '.join(rest)}." if rest else ""))
                raise err
            ran.append(step)
        return len(ran)

    def _run(self, step: Step, options: Any, report: Callable[[str], None]) -> None:
        planned = self.plans[step.name] = self._plan(step, ask=True)
        for warning in planned.warnings:
            report(f"warning: {warning}")
        missing = [one for one in planned.job.inputs if not _has_data(one)]
        if missing:
            raise JobError([f"step {step.name}: input {one.role!r} ({one.name}) {_lack(one)}." for one in missing])
        record = self._facts(step)
        outputs = {one.path for one in planned.job.outputs}
        started = time.time()
        result = hooks().minihost_run_component(job=planned.job, options=options)
        empty = [ref for ref, one in self._made(step) if not _has_data(one)]
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
        request = Request(
            component=step.component,
            inputs=step.inputs,
            outputs=step.outputs,
            params=Given(step.params, is_strict=True),
            kinds=(step.kind,),
            partition=step.partition,
            ask_choices=ask,
            streams_only=self.streams_only,
        )
        return plan(request, self.catalogue, self.project)

    def _judge(self, step: Step, record: dict[str, Any]) -> tuple[str, str]:
        """The state of a step and why; one whose data cannot be reached may be out of date for all that is known."""
        try:
            return self._compared(step, record)
        except HostError as err:
            return STALE, f"it cannot be seen whether its data changed: {err}"

    def _compared(self, step: Step, record: dict[str, Any]) -> tuple[str, str]:
        missing = [ref for ref, one in self._made(step) if not _has_data(one)]
        if missing:
            return MISSING, f"{', '.join(missing)} {'is' if len(missing) == 1 else 'are'} not there"
        if "finished" not in record:
            return STALE, "it was never built here"
        now = self._facts(step)
        for key, why in (
            ("component", "another component"),
            ("params", "its parameters changed"),
            ("plugin", "the plugin changed"),
        ):
            if now[key] != record.get(key):
                return STALE, why
        was = record.get("inputs", {})
        changed = [name for name, found in now["inputs"].items() if was.get(name) != found]
        if changed or set(was) != set(now["inputs"]):
            return STALE, f"{', '.join(changed) or 'an input'} changed"
        return FRESH, ""

    def _facts(self, step: Step) -> dict[str, Any]:
        """What a step's result hangs on, as sums."""
        planned = self.plans[step.name]
        job = planned.job
        outputs = [one for one in job.outputs if one.role not in step.caches]
        roles = [[one.role, one.name, one.path, one.options, one.partitions] for one in (*job.inputs, *outputs)]
        plugin = self.catalogue.plugin(job.plugin_id)
        read = {one.name: one for one in job.inputs}
        if step.kind == "macro":
            made = {one.path for _ref, one in self._made(step)}
            read |= {one.name: one for one in job.others if one.role and one.path not in made}
        return {
            "component": planned.component.full_id,
            "params": fingerprints.of_facts([job.config, job.plugin_config, job.variables, roles, step.creates]),
            "plugin": fingerprints.of_plugin(plugin, planned.component),
            "inputs": {name: fingerprints.of_data(one) for name, one in read.items()},
        }

    def _made(self, step: Step) -> list[tuple[str, Reference]]:
        """What a step is there to make, as (reference as written, reference)."""
        job = self.plans[step.name].job
        pairs = zip(step.outputs, _in_order(step, job.outputs), strict=True)
        made = [(ref, one) for (role, ref), one in pairs if role not in step.caches]
        return made + [(ref, self.project.find(self.project.flow.kinds[ref], ref)) for ref in step.creates]

    def _all(self, step: Step) -> list[Reference]:
        return [*self.plans[step.name].job.inputs, *(one for _ref, one in self._made(step))]

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


def _in_order(step: Step, outputs: list[Reference]) -> list[Reference]:
    """The outputs of a job in the order in which the step names them."""
    left = list(outputs)
    ordered = []
    for role, _ref in step.outputs:
        one = next(reference for reference in left if reference.role == role)
        left.remove(one)
        ordered.append(one)
    return ordered


def _has_data(reference: Reference) -> bool:
    """Whether a dataset has its file, or a folder something in it."""
    if is_sql(reference.path):
        return bool(table(reference.path).exists())
    if is_remote(reference.path):
        remote: Any = opened(reference)
        return bool(remote.sums()) if hasattr(remote, "sums") else True
    path = Path(reference.path)
    return LocalFolder(path).has_files() if path.is_dir() else path.exists()


def _lack(reference: Reference) -> str:
    return f"has no files: {reference.path}" if Path(reference.path).is_dir() else f"does not exist: {reference.path}"


def copied(state: StepState) -> dict[str, Any]:
    """Return a step's state as plain data."""
    step = dataclasses.asdict(state.step)
    return {
        "step": step["name"],
        "component": state.planned.component.full_id,
        "makes": [*state.step.makes],
        "state": state.state,
        "why": state.why,
        "finished": state.last.get("finished", ""),
        "seconds": state.last.get("seconds"),
        "log": state.last.get("log", ""),
        "failed": state.last.get("failed"),
    }
