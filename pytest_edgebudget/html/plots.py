"""Candidates as points, and readings over time as a line."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from pytest_edgebudget.history.change_points import ChangePoint
from pytest_edgebudget.html import marks
from pytest_edgebudget.report import words
from pytest_edgebudget.report.base import LimitRow, ModelRow, TrialRow
from pytest_edgebudget.types import Unit

WIDTH, HEIGHT = 640.0, 260.0
LEFT, RIGHT, TOP, BOTTOM = 80.0, 20.0, 16.0, 40.0
MOST_NAMED = 12
NEAR, LINE = 90.0, 12.0  # labels closer than that would lie on each other


class Scale:
    """Values of one unit to places between *start* and *end*."""

    def __init__(self, values: Sequence[float], unit: str, start: float, end: float) -> None:
        low, high = min(values), max(values)
        margin = 0.06 * (high - low) or abs(high) * 0.02 or 1.0
        self.low, self.high, self.unit = low - margin, high + margin, unit
        if unit == Unit.FRACTION and low >= 0 and high < 1:
            self.low, self.high = max(0.0, self.low), min(1.0, self.high)
        self._start, self._end = start, end

    def place(self, value: float) -> float:
        """Where a value is drawn."""
        share = (value - self.low) / (self.high - self.low)
        return self._start + share * (self._end - self._start)

    def words(self, share: float) -> str:
        """The value at a share of the axis."""
        return words.value(self.low + share * (self.high - self.low), self.unit)


def axes_of(model: ModelRow, limits: Sequence[LimitRow]) -> tuple[str, str] | None:
    """A cost and a quality that several candidates were read by; two costs where there is none."""
    known = {
        name for name in (row.metric for row in limits) if len(_points(model.trials, name)) > 1
    }
    costs = [row.metric for row in limits if row.metric in known and row.better == "lower"]
    goods = [row.metric for row in limits if row.metric in known and row.better == "higher"]
    chosen = (costs[:1] + goods[:1] + costs[1:2])[:2]
    return (chosen[0], chosen[1]) if len(chosen) == 2 else None


def _points(trials: Sequence[TrialRow], *names: str) -> list[TrialRow]:
    return [
        trial
        for trial in trials
        if all(math.isfinite(trial.readings.get(name, math.nan)) for name in names)
    ]


def scatter(model: ModelRow, names: tuple[str, str]) -> str:
    """Candidates by two metrics; empty where fewer than two have both."""
    trials = _points(model.trials, *names)
    if len(trials) < 2:
        return ""
    units = trials[0].units
    x = Scale([t.readings[names[0]] for t in trials], units[names[0]], LEFT, WIDTH - RIGHT)
    y = Scale([t.readings[names[1]] for t in trials], units[names[1]], HEIGHT - BOTTOM, TOP)
    parts, taken = [*_axes(x, y, names[0], names[1])], [(0.0, 0.0)]
    for number, trial in enumerate(trials):
        at = x.place(trial.readings[names[0]]), y.place(trial.readings[names[1]])
        parts.append(
            f'<circle class="dot {trial.state}" cx="{at[0]:.1f}" cy="{at[1]:.1f}" r="5">'
            f"<title>{marks.text(trial.recipe)}: {trial.state}</title></circle>"
        )
        if number < MOST_NAMED:
            anchor = "end" if at[0] > WIDTH * 0.7 else "start"
            shift = -9 if anchor == "end" else 9
            place = _free((at[0] + shift, at[1] + 4), taken)
            parts.append(marks.words(*place, trial.recipe, anchor))
    return marks.picture(WIDTH, HEIGHT, f"{model.name}: candidates by {' and '.join(names)}", parts)


def _free(place: tuple[float, float], taken: list[tuple[float, float]]) -> tuple[float, float]:
    """The place, moved up until no other label begins near it."""
    x, y = place
    while any(abs(x - other[0]) < NEAR and abs(y - other[1]) < LINE for other in taken):
        y -= LINE
    taken.append((x, y))
    return x, y


def _axes(x: Scale, y: Scale, across: str, up: str) -> Iterator[str]:
    bottom = HEIGHT - BOTTOM
    yield marks.line(LEFT, bottom, WIDTH - RIGHT, bottom, "axis")
    yield marks.line(LEFT, TOP, LEFT, bottom, "axis")
    for share in (0.0, 0.5, 1.0):
        at = LEFT + share * (WIDTH - RIGHT - LEFT)
        yield marks.words(
            at, bottom + 15, x.words(share), ("start", "middle", "end")[int(2 * share)]
        )
        yield marks.words(LEFT - 6, bottom + share * (TOP - bottom) + 4, y.words(share), "end")
    yield marks.words((LEFT + WIDTH) / 2, HEIGHT - 6, across, "middle")
    yield marks.words(LEFT + 6, TOP + 4, f"{up} (upwards)")


def trend(values: Sequence[float], changes: Sequence[ChangePoint], unit: str, title: str) -> str:
    """Readings in the order of their arrival; dashed where the level changed."""
    height = 130.0
    y = Scale(values, unit, height - 20, TOP)
    step = (WIDTH - RIGHT - LEFT) / max(1, len(values) - 1)
    points = " ".join(f"{LEFT + i * step:.1f},{y.place(v):.1f}" for i, v in enumerate(values))
    parts = [
        marks.line(LEFT, height - 20, WIDTH - RIGHT, height - 20, "axis"),
        marks.words(LEFT - 6, height - 16, y.words(0), "end"),
        marks.words(LEFT - 6, TOP + 4, y.words(1), "end"),
        f'<polyline class="trend" points="{points}"/>',
    ]
    parts += [
        marks.line(LEFT + (p.index - 0.5) * step, TOP, LEFT + (p.index - 0.5) * step, height - 20,
                   "change", 1.5)
        for p in changes
    ]  # fmt: skip
    return marks.picture(WIDTH, height, title, parts)
