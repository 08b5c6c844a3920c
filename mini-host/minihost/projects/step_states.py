"""The state of a step: up to date, missing, stale or failed, with the reason, or invalid, with its mistakes."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from minihost.projects.flow import Step
from minihost.projects.planning import Plan

FRESH, MISSING, STALE, FAILED, INVALID = "up to date", "missing", "stale", "failed", "invalid"


@dataclass
class StepState:
    """A step, whether it has to run and why, and what is known of its last run.

    `planned` is None for an invalid step: `mistakes` say what is wrong with it in the flow.
    """

    step: Step
    planned: Plan | None
    state: str
    why: str = ""
    last: dict[str, Any] = field(default_factory=dict)
    mistakes: tuple[str, ...] = ()


def copied(state: StepState) -> dict[str, Any]:
    """Return a step's state as plain data."""
    step = state.step
    return {
        "step": step.name,
        "component": state.planned.component.full_id if state.planned else step.component,
        "makes": [*step.makes],
        "state": state.state,
        "why": state.why,
        "mistakes": [*state.mistakes],
        "finished": state.last.get("finished", ""),
        "seconds": state.last.get("seconds"),
        "log": state.last.get("log", ""),
        "failed": state.last.get("failed"),
    }
