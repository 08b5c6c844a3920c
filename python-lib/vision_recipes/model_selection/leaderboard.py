"""The leaderboard: a row of a candidate each, best first, with accuracy, difference to the winner, speed and size."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from vision_recipes.compare_settings import CompareSettings
from vision_recipes.model_selection.candidates import Candidate
from vision_recipes.model_selection.entrants import Entrant
from vision_recipes.model_selection.held_out_predictions import Predictions, predicted_rows
from vision_recipes.model_selection.paired_differences import Interval, accuracy_of
from vision_recipes.model_selection.race import Race, Standing
from vision_recipes.rows import rounded

Row = dict[str, Any]


@dataclass(frozen=True)
class Line:
    """A candidate of the leaderboard. `behind` is by how much the winner is better, None for the winner itself."""

    candidate: Candidate
    pictures: int
    accuracy: Interval | None
    log_loss: float | None
    behind: Interval | None
    speed: float | None
    reason: str
    pareto: bool | None = None


def lines(race: Race) -> list[Line]:
    """Return the candidates of a race that was run, best first."""
    found = [_line(race, standing) for standing in race.standings]
    return [_with_pareto(line, found) for line in found]


def comparison(behind: Interval | None) -> str:
    """Return the difference to the winner in words."""
    if behind is None:
        return ""
    low, high = points(behind.low), points(behind.high)
    if behind.low > 0:
        return f"worse than the winner by {points(behind.mean)} points, 95 % interval {low} to {high}"
    sign = "worse" if behind.mean >= 0 else "better"
    return (
        f"{points(abs(behind.mean))} points {sign} than the winner, which may be chance: 95 % interval of the "
        f"difference {low} to {high}"
    )


def points(fraction: float) -> str:
    """Return a difference of fractions in percentage points, with one decimal."""
    shown = f"{100 * fraction:.1f}"
    return "0.0" if shown == "-0.0" else shown.replace("-", "\N{MINUS SIGN}")


def leaderboard_rows(found: Sequence[Line], entrants: Sequence[Entrant], settings: CompareSettings) -> list[Row]:
    """Return the rows (report_columns.COMPARED), those of networks that cannot be used last."""
    rows = [_row(rank, line, settings) for rank, line in enumerate(found, 1)]
    return rows + [
        {"chosen": 0, "candidate": entrant.name} | _of_entrant(entrant) | {"pictures": 0, "reason": entrant.reason}
        for entrant in entrants
        if entrant.model is None
    ]


def _line(race: Race, standing: Standing) -> Line:
    candidate, stage = standing.candidate, standing.stage
    read = race.passes.get(candidate.of_pass)
    speed = read.pictures_per_second if read else None
    found: Predictions | None = race.judge.predictions(candidate, stage) if stage else None
    if stage is None or found is None:
        return Line(candidate, len(stage.sample) if stage else 0, None, None, None, speed, standing.reason)
    groups = stage.sample.groups[predicted_rows(stage.sample)]
    behind = None if standing is race.winner else race.difference(standing)
    accuracy, loss = accuracy_of(found.right, groups), float(found.losses.mean())
    return Line(candidate, len(stage.sample), accuracy, loss, behind, speed, standing.reason)


def _with_pareto(line: Line, every: Sequence[Line]) -> Line:
    """Return the line with whether no other candidate is better in one of accuracy and speed and as good in the other.

    Accuracies are compared by their difference to the winner, since not all were found on the same pictures.
    """
    from dataclasses import replace

    if line.speed is None or line.accuracy is None:
        return line
    own = (_behind(line), -line.speed)
    others = [(_behind(each), -each.speed) for each in every if each.speed is not None and each.accuracy is not None]
    return replace(line, pareto=not any(a <= own[0] and b <= own[1] and (a, b) != own for a, b in others))


def _behind(line: Line) -> float:
    return line.behind.mean if line.behind else 0.0


def _row(rank: int, line: Line, settings: CompareSettings) -> Row:
    accuracy, behind, chosen = line.accuracy, line.behind, line.candidate.parameters()
    copies = settings.n_augmentation if chosen["data_augmentation"] else 0
    row: Row = {"rank": rank, "chosen": int(rank == 1), "candidate": line.candidate.name}
    row |= _of_entrant(line.candidate.entrant) | chosen | {"n_augmentation": copies}
    row |= dict(zip(("accuracy", "accuracy_low", "accuracy_high"), _numbers(accuracy), strict=True))
    row["log_loss"] = None if line.log_loss is None else rounded(line.log_loss)
    turned = Interval(-behind.mean, -behind.high, -behind.low) if behind else None
    row |= dict(zip(("difference", "difference_low", "difference_high"), _numbers(turned), strict=True))
    row["comparison"] = comparison(behind)
    row["pictures_per_second"] = None if line.speed is None else rounded(line.speed)
    return row | {
        "pareto": None if line.pareto is None else int(line.pareto),
        "pictures": line.pictures,
        "reason": line.reason,
    }


def _of_entrant(entrant: Entrant) -> Row:
    size = entrant.megabytes
    return {
        "model": entrant.model.name if entrant.model else entrant.name,
        "folder": entrant.folder,
        "model_hash": entrant.model.folder_hash if entrant.model else "",
        "megabytes": None if size is None else rounded(size),
    }


def _numbers(interval: Interval | None) -> tuple[float | None, ...]:
    if interval is None:
        return None, None, None
    return tuple(rounded(value) + 0.0 for value in (interval.mean, interval.low, interval.high))
