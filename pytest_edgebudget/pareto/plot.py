"""The candidates as points: what they cost to the right, how good they are upwards."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from pytest_edgebudget.explain import svg
from pytest_edgebudget.pareto.front import front
from pytest_edgebudget.report import words
from pytest_edgebudget.report.base import ModelRow, TrialRow

WIDTH, HEIGHT = 760.0, 480.0
LEFT, RIGHT, TOP, BOTTOM = 92.0, 40.0, 70.0, 60.0
INK, GREY, FAINT = "#1f2933", "#616e7c", "#e4e7eb"
CHOSEN, BEST, OTHER = "#0b6e4f", "#1d4ed8", "#9aa5b1"
TICKS = 5
LABEL = 10.0
SHIFTS = (0, -12, 12, -24, 24, -36, 36, -48, 48)


@dataclass(frozen=True, slots=True)
class Axis:
    """A metric from *low* to *high*, drawn from *start* to *end*."""

    name: str
    unit: str
    low: float
    high: float
    start: float
    end: float

    def place(self, value: float) -> float:
        """Where a value is drawn."""
        return self.start + (value - self.low) / (self.high - self.low) * (self.end - self.start)

    def ticks(self) -> list[float]:
        """Evenly spaced values."""
        return [self.low + i * (self.high - self.low) / (TICKS - 1) for i in range(TICKS)]


def draw(row: ModelRow, better: Mapping[str, str]) -> str:
    """
    The picture as SVG; each point has a tooltip. Empty where there is nothing to compare.

    The axes are the first metric of which less is better, and the first of which more
    is; where there is none of the latter, the second of the former.
    """
    lower = [name for name, way in better.items() if way == "lower"]
    higher = [name for name, way in better.items() if way == "higher"]
    names = (lower[:1] + higher[:1] + lower[1:2])[:2]
    known = [t for t in row.trials if len(names) == 2 and all(n in t.readings for n in names)]
    if not known:
        return ""
    x = _axis(known, names[0], LEFT, WIDTH - RIGHT)
    y = _axis(known, names[1], HEIGHT - BOTTOM, TOP)
    best = front(row.trials, {name: better[name] for name in names})
    title = f"Candidates for {row.name}"
    parts = (
        svg.text(LEFT, 30, title, size=17, fill=INK, font_weight="bold"),
        svg.text(LEFT, 50, "chosen: green; beaten by none: blue; grey: the others", fill=GREY),
        *_grid(x, y),
        *(_point(trial, x, y, best, row.recipe) for trial in known),
        *_labels(known, x, y),
    )
    return svg.document(WIDTH, HEIGHT, title, parts)


def _axis(trials: Sequence[TrialRow], name: str, start: float, end: float) -> Axis:
    values = [trial.readings[name] for trial in trials]
    low, high = min(values), max(values)
    room = 0.08 * (high - low) or abs(high) * 0.08 or 1.0
    return Axis(name, trials[0].units[name], low - room, high + room, start, end)


def _grid(x: Axis, y: Axis) -> Iterator[str]:
    for value in x.ticks():
        at = x.place(value)
        yield svg.line([(at, TOP), (at, HEIGHT - BOTTOM)], stroke=FAINT)
        label = words.value(value, x.unit)
        yield svg.text(at, HEIGHT - BOTTOM + 18, label, fill=GREY, text_anchor="middle")
    for value in y.ticks():
        at = y.place(value)
        yield svg.line([(LEFT, at), (WIDTH - RIGHT, at)], stroke=FAINT)
        yield svg.text(LEFT - 8, at + 4, words.value(value, y.unit), fill=GREY, text_anchor="end")
    middle = (LEFT + WIDTH - RIGHT) / 2
    yield svg.text(middle, HEIGHT - 14, x.name, size=12, fill=INK, text_anchor="middle")
    yield svg.text(LEFT, TOP - 6, y.name, size=12, fill=INK)


def _point(trial: TrialRow, x: Axis, y: Axis, best: frozenset[str], chosen: str) -> str:
    across, up = x.place(trial.readings[x.name]), y.place(trial.readings[y.name])
    colour = CHOSEN if trial.recipe == chosen else BEST if trial.recipe in best else OTHER
    cost, quality = (words.value(trial.readings[a.name], a.unit) for a in (x, y))
    title = f"{trial.recipe}: {x.name} {cost}, {y.name} {quality}"
    return svg.rectangle(across - 5, up - 5, 10, 10, title=title, fill=colour, rx="5")


def _labels(trials: Sequence[TrialRow], x: Axis, y: Axis) -> Iterator[str]:
    """Names beside the points, moved up or down where they would cover one another."""
    taken: list[tuple[float, float, float]] = []
    for trial in trials:
        width = svg.text_width(trial.recipe, LABEL)
        across, up = x.place(trial.readings[x.name]), y.place(trial.readings[y.name])
        right = across + 9 + width > WIDTH
        start = across - 9 - width if right else across + 9
        free = (up + 4 + shift for shift in SHIFTS if _free(start, up + 4 + shift, width, taken))
        at = next(free, up + 4)
        taken.append((start, at, width))
        anchor, place = ("end", across - 9) if right else ("start", start)
        yield svg.text(place, at, trial.recipe, size=LABEL, fill=INK, text_anchor=anchor)


def _free(
    start: float, at: float, width: float, taken: Sequence[tuple[float, float, float]]
) -> bool:
    return not any(
        abs(at - other) < LABEL + 1 and start < begin + wide and begin < start + width
        for begin, other, wide in taken
    )
