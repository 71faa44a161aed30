"""`battery_life`: how long a battery lasts."""

from __future__ import annotations

from collections.abc import Callable
from statistics import mean

from pytest_edgebudget.errors import ModelError
from pytest_edgebudget.facts import BatteryFacts, EnergyFacts
from pytest_edgebudget.metrics import energy
from pytest_edgebudget.metrics.base import PHYSICS, Metric, Option, Options, Value
from pytest_edgebudget.types import Better, Evidence, Unit
from pytest_edgebudget.units import format_value, parse_capacity, parse_power


def read(facts: BatteryFacts, options: Options) -> Value:
    """
    Seconds until a battery is empty, with so many inferences an hour and idling between.

    Usable capacity / (idle power + inferences a second x energy of one above
    idle). ``inferences_per_hour`` is the limit's; ``battery`` and ``idle_power``
    are the limit's or the profile's. Where one is missing there is no number.
    A device that was measured has the idle power that was measured with it,
    unless another is given. Nothing else that the device does is in it, nor
    that a battery ages and discharges by itself: give the capacity that is
    usable.

    Interval: with the ends of the energy's.
    """
    capacity = _given("battery", facts.capacity, options, parse_capacity)
    idle = _given("idle_power", _idle(facts), options, parse_power)
    hourly = float(options.get("inferences_per_hour", 0))
    if hourly <= 0:
        raise ModelError("battery_life needs inferences_per_hour", "give it beside the limit")
    above, seconds = _energy(facts, idle)
    if hourly * seconds > 3600:
        taken = format_value(seconds, Unit.SECONDS)
        raise ModelError(f"{hourly:g} inferences of {taken} do not fit into an hour")
    watts = [idle + hourly / 3600 * joules for joules in _ends(above)]
    if min(watts) <= 0:
        raise ModelError("idle power and energy are nothing: no battery lasts forever")
    value, most, least = (capacity / each for each in watts)
    return Value(value, least, most, _note(above, idle, hourly), evidence=above.evidence)


def _given(
    name: str, known: float | None, options: Options, parse: Callable[[str], float]
) -> float:
    """What the limit says, else the profile."""
    written = str(options.get(name, ""))
    if not written:
        if known is None:
            raise ModelError(
                f"battery_life needs {name}", "give it beside the limit, or in the profile"
            )
        return known
    try:
        return parse(written)
    except ValueError as error:
        raise ModelError(f"{name}: {error}") from None


def _idle(facts: BatteryFacts) -> float | None:
    if facts.idle is None and isinstance(facts.energy, EnergyFacts):
        return mean(facts.energy.idle)
    return facts.idle


def _energy(facts: BatteryFacts, idle: float) -> tuple[Value, float]:
    """Joules of an inference above idle, and its seconds."""
    found = energy.read(facts.energy, {})
    if isinstance(facts.energy, EnergyFacts):
        windows = facts.energy.windows
        return found, sum(s for _, s in windows) / (len(windows) * facts.energy.runs)
    seconds = facts.energy.seconds
    if facts.energy.above_idle:
        return found, seconds
    # What was published is of the whole chip, idle included.
    value, low, high = (max(joules - idle * seconds, 0.0) for joules in _ends(found))
    return Value(value, low, high, found.note, evidence=Evidence.ESTIMATED), seconds


def _ends(found: Value) -> tuple[float, float, float]:
    low, high = found.low, found.high
    return (
        found.value,
        found.value if low is None else low,
        found.value if high is None else high,
    )


def _note(above: Value, idle: float, hourly: float) -> str:
    joules = format_value(above.value, Unit.JOULES)
    words = f"{hourly:g} an hour of {joules} above {idle * 1e3:.3g} mW idle"
    note = above.note.removeprefix("estimated: ")
    return f"{'estimated: ' if note != above.note else ''}{words}: {note}"


METRIC = Metric(
    name="battery_life",
    unit=Unit.SECONDS,
    better=Better.HIGHER,
    needs=BatteryFacts,
    read=read,
    accepts=PHYSICS,
    noisy=True,
    estimable=True,
    options=(
        Option("inferences_per_hour", float, 0.0, "how often the model runs"),
        Option("battery", str, "", 'usable capacity, "2.5 Wh" or "1000 mAh at 3.7 V"'),
        Option("idle_power", str, "", 'power between inferences, such as "1.2 mW"'),
    ),
)
