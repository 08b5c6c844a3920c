"""The page of a comparison: one self-contained HTML file with the leaderboard, the Pareto front and all differences."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from vision_recipes.compare_settings import CompareSettings
from vision_recipes.model_selection.entrants import Entrant
from vision_recipes.model_selection.leaderboard import Line, points
from vision_recipes.reports.plots import Plot, draw_front
from vision_recipes.reports.rendering import plain, render
from vision_recipes.wording import percent


@dataclass(frozen=True)
class ComparedRun:
    """All that a comparison came to; `corrected` is the winner's accuracy without the bias of having been chosen."""

    folder: str
    lines: Sequence[Line]
    entrants: Sequence[Entrant]
    settings: CompareSettings
    remarks: Sequence[str]
    labels: int
    corrected: float | None = None

    @property
    def winner(self) -> Line:
        """The best candidate."""
        return self.lines[0]


def render_comparison_page(run: ComparedRun) -> bytes:
    """Return the page as UTF-8."""
    lows = [line.accuracy.low for line in run.lines if line.accuracy]
    return render(
        "compare.html",
        {
            "run": run,
            "winner": run.winner,
            "from_place": max(0.0, int(10 * min(lows)) / 10) if lows else 0.0,
            "said": list(sentences(run)),
            "front": _front(run.lines),
            "points": points,
            "left_out": [entrant for entrant in run.entrants if entrant.model is None],
        },
    )


def sentences(run: ComparedRun) -> Iterator[str]:
    """Yield what people should know of the result: how sure the winner is, what is as good and faster or smaller."""
    winner = run.winner
    if winner.accuracy is None:
        yield "there are too few pictures to hold some out, so nothing was compared and the first candidate is taken"
        return
    accuracy = winner.accuracy
    yield (
        f"the winner, {plain(winner.candidate.name)}, has {percent(accuracy.mean)} of the held-out pictures right, "
        f"95 % interval {percent(accuracy.low)} to {percent(accuracy.high)}"
    )
    if run.corrected is not None and len(run.lines) > 1:
        yield (
            "it was chosen by the same pictures, which makes the best of several look a little too good: expect "
            f"{percent(run.corrected)} (bootstrap bias corrected cross-validation)"
        )
    compared = [line for line in run.lines[1:] if line.behind]
    worse = [line for line in compared if line.behind and line.behind.low > 0]
    close = [line for line in compared if line.behind and line.behind.low <= 0 and not line.reason]
    if worse:
        best = min(worse, key=lambda line: line.behind.mean if line.behind else 0.0)
        assert best.behind is not None
        yield (
            f"it is better than {plain(best.candidate.name)} by {points(best.behind.mean)} points, 95 % interval "
            f"{points(best.behind.low)} to {points(best.behind.high)}"
            + (f", and surely better than {len(worse) - 1} more" if len(worse) > 1 else "")
        )
    if close:
        names = "; ".join(plain(line.candidate.name) for line in close[:3])
        more = f"; and {len(close) - 3} more" if len(close) > 3 else ""
        yield f"these pictures are too few to tell it apart from {names}{more}"
    faster = [line for line in close if line.speed and winner.speed and line.speed > 1.2 * winner.speed]
    if faster:
        fast = max(faster, key=lambda line: line.speed or 0.0)
        assert fast.speed is not None and winner.speed is not None
        yield f"of these, {plain(fast.candidate.name)} is {fast.speed / winner.speed:.1f} times as fast as the winner"


def _front(lines: Sequence[Line]) -> Plot | None:
    """Return accuracy against speed, each accuracy by its difference to the winner on the same pictures."""
    best = lines[0].accuracy.mean if lines[0].accuracy else 0.0
    shown = [
        (line.speed, best - (line.behind.mean if line.behind else 0.0), str(rank), bool(line.pareto))
        for rank, line in enumerate(lines, 1)
        if line.speed is not None and line.accuracy is not None
    ]
    if len({speed for speed, _, _, _ in shown}) < 2:
        return None
    described = "; ".join(f"{name}: {percent(accuracy)} at {speed:.0f} a second" for speed, accuracy, name, _ in shown)
    return draw_front(shown, "Accuracy and speed", "pictures per second", f"Accuracy and speed by rank. {described}.")
