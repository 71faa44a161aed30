"""
Words to numbers and back: the only place that knows KiB, ms and percent.

Everywhere else a quantity is a plain number in its SI unit (`types.Unit`).
Texts that cannot be read raise ValueError with one sentence for the user.
"""

from __future__ import annotations

import math
import re
from decimal import Decimal

from pytest_edgebudget.types import Tolerance, Unit

_SUFFIXES: dict[Unit, dict[str, Decimal]] = {
    Unit.BYTES: {
        "B": Decimal(1),
        "KB": Decimal(10**3),
        "KiB": Decimal(2**10),
        "MB": Decimal(10**6),
        "MiB": Decimal(2**20),
        "GB": Decimal(10**9),
        "GiB": Decimal(2**30),
    },
    Unit.SECONDS: {
        "ns": Decimal("1e-9"),
        "us": Decimal("1e-6"),
        "ms": Decimal("1e-3"),
        "s": Decimal(1),
        "min": Decimal(60),
        "h": Decimal(3600),
        "d": Decimal(86400),
    },
    Unit.JOULES: {
        "nJ": Decimal("1e-9"),
        "uJ": Decimal("1e-6"),
        "mJ": Decimal("1e-3"),
        "J": Decimal(1),
    },
    Unit.HERTZ: {
        "Hz": Decimal(1),
        "kHz": Decimal(10**3),
        "MHz": Decimal(10**6),
        "GHz": Decimal(10**9),
    },
    Unit.FRACTION: {"%": Decimal("0.01")},
    Unit.COUNT: {"k": Decimal(10**3), "M": Decimal(10**6), "G": Decimal(10**9)},
    Unit.NUMBER: {},
}

_SHOWN: dict[Unit, tuple[str, ...]] = {
    Unit.BYTES: ("B", "KiB", "MiB", "GiB"),
    Unit.SECONDS: ("ns", "us", "ms", "s", "h", "d"),
    Unit.JOULES: ("nJ", "uJ", "mJ", "J"),
    Unit.HERTZ: ("Hz", "kHz", "MHz", "GHz"),
    Unit.COUNT: ("", "k", "M", "G"),
}
"""Suffixes of printed numbers, smallest first; "" is a plain count."""

EXAMPLES: dict[Unit, str] = {
    Unit.BYTES: '"64 KiB"',
    Unit.SECONDS: '"8 ms"',
    Unit.JOULES: '"2 mJ"',
    Unit.HERTZ: '"50 MHz"',
    Unit.FRACTION: '0.9 or "90 %"',
    Unit.COUNT: '1200000 or "1.2 M"',
    Unit.NUMBER: "0.5",
}
"""How a quantity of each unit is written in a budget file."""

_QUANTITY = re.compile(r"([+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d{1,3})?)\s*(\S*)", re.ASCII)


_PRINTABLE = 1e15  # beyond it, more digits than anybody reads


def suffixes(unit: Unit) -> tuple[str, ...]:
    """The suffixes that a quantity of *unit* may have."""
    return tuple(_SUFFIXES[unit])


def parse(written: str | float, unit: Unit) -> float:
    """
    A quantity as written in a budget file, in the SI unit.

    Bytes, seconds and joules are strings with a suffix. Fractions are numbers
    in 0..1, or percent; counts are whole numbers, or strings with k, M or G;
    plain numbers have no suffix.

    Raises:
        ValueError: it cannot be read; the sentence says how to write it.
    """
    if isinstance(written, str):
        number, suffix = _split(written, unit)
        value = float(number * _factor(number, suffix, unit))
    else:
        value = _bare(written, unit)
    return _checked(value, unit)


def parse_tolerance(written: str | float, unit: Unit) -> Tolerance:
    """
    How much may change: ``"2%"`` of the other value, or an amount in *unit*.

    An absolute amount of a fraction is in percentage points: ``"1 pp"``.

    Raises:
        ValueError: it cannot be read; the sentence says how to write it.
    """
    if isinstance(written, str):
        number, suffix = _split(written, unit)
        if suffix in ("%", "pp"):
            if suffix == "pp" and unit is not Unit.FRACTION:
                raise ValueError(f'"pp" is for fractions: write "2%" or {_absolute(unit)}')
            return Tolerance(_not_negative(float(number / 100)), relative=suffix == "%")
    if unit is Unit.FRACTION:
        raise ValueError('write "1 pp" (percentage points) or "2%" (of the other value)')
    return Tolerance(_not_negative(parse(written, unit)), relative=False)


_WATTS = {"nW": 1e-9, "uW": 1e-6, "mW": 1e-3, "W": 1.0}
_WATT_HOURS = {"mWh": 3.6, "Wh": 3600.0}
_CHARGE = re.compile(r"(\d+\.?\d*) ?(mAh|Ah) at (\d+\.?\d*) ?V", re.ASCII)


def parse_power(text: str) -> float:
    """
    Watts of a text such as "1.2 mW".

    Raises:
        ValueError: it is not one; the sentence says how to write it.
    """
    match = _QUANTITY.fullmatch(text.strip())
    if match is None or match[2] not in _WATTS or float(match[1]) < 0:
        raise ValueError(f'"{text}" is not a power: write "1.2 mW"')
    return float(match[1]) * _WATTS[match[2]]


def parse_capacity(text: str) -> float:
    """
    Joules of a battery, as "2.5 Wh" or "1000 mAh at 3.7 V".

    Raises:
        ValueError: it is not one; the sentence says how to write it.
    """
    match, charge = _QUANTITY.fullmatch(text.strip()), _CHARGE.fullmatch(text.strip())
    joules = 0.0
    if charge is not None:
        joules = float(charge[1]) * (3.6 if charge[2] == "mAh" else 3600) * float(charge[3])
    elif match is not None and match[2] in _WATT_HOURS:
        joules = float(match[1]) * _WATT_HOURS[match[2]]
    if joules <= 0:
        raise ValueError(f'"{text}" is no capacity: write "2.5 Wh" or "1000 mAh at 3.7 V"')
    return joules


def format_value(value: float, unit: Unit, digits: int = 3) -> str:
    """
    A quantity for people: ``29.2 KiB``, ``8.00 ms``, ``90.25 %``, ``2.66 M``.

    *digits* are significant figures; percentages have one decimal less.
    """
    if not math.isfinite(value):
        return str(value)
    if unit is Unit.FRACTION:
        return f"{value * 100:.{digits - 1}f} %"
    if unit is Unit.NUMBER:
        return f"{value:.{digits + 1}g}"
    return _scaled(value, unit, digits)


def format_pair(value: float, bound: float, unit: Unit) -> tuple[str, str]:
    """Two different quantities in as many digits as tell them apart."""
    for digits in range(3, 12):
        texts = format_value(value, unit, digits), format_value(bound, unit, digits)
        if texts[0] != texts[1] or value == bound:
            return texts
    return repr(value), repr(bound)


# --- reading -------------------------------------------------------------------


def _split(text: str, unit: Unit) -> tuple[Decimal, str]:
    match = _QUANTITY.fullmatch(text.strip())
    if match is None:
        raise ValueError(f'"{text}" is not a quantity: write {EXAMPLES[unit]}')
    return Decimal(match[1]), match[2]


def _factor(number: Decimal, suffix: str, unit: Unit) -> Decimal:
    known = _SUFFIXES[unit]
    if suffix in known:
        return known[suffix]
    if unit is Unit.COUNT and not suffix:
        return Decimal(1)
    if not known:
        raise ValueError(f"this is a plain number: write {number} without quotes and unit")
    if not suffix:
        raise ValueError(f"the unit is missing: write {_with_unit(str(number), unit)}")
    raise ValueError(f'"{suffix}" is not a unit here: write {_alike(number, suffix, unit)}')


def _alike(number: Decimal, suffix: str, unit: Unit) -> str:
    """Suggest the units that differ in case only ("kb"), else all of the unit."""
    same = [known for known in _SUFFIXES[unit] if known.lower() == suffix.lower()]
    if same:
        return " or ".join(f'"{number} {known}"' for known in same)
    return f"{EXAMPLES[unit]} (units: {' '.join(_SUFFIXES[unit])})"


def _with_unit(number: str, unit: Unit) -> str:
    if unit is Unit.FRACTION:
        return f'{number} without quotes, or "{number} %"'
    common = {Unit.BYTES: "KiB", Unit.SECONDS: "ms", Unit.JOULES: "mJ", Unit.HERTZ: "MHz"}
    return f'"{number} {common[unit]}"'


def _absolute(unit: Unit) -> str:
    return EXAMPLES[unit].rpartition(" or ")[2]


def _bare(number: float, unit: Unit) -> float:
    try:
        value = float(number)
    except OverflowError:
        raise ValueError("the number is too large") from None
    if unit is Unit.BYTES and value >= 1024:
        raise ValueError(f'the unit is missing: write "{number} B"')
    if unit in (Unit.BYTES, Unit.SECONDS, Unit.JOULES, Unit.HERTZ):
        raise ValueError(f"the unit is missing: write {_with_unit(str(number), unit)}")
    return value


def _checked(value: float, unit: Unit) -> float:
    if not math.isfinite(value):
        raise ValueError("a quantity is a finite number")
    if unit is not Unit.NUMBER:
        _not_negative(value)
    if unit is Unit.FRACTION and value > 1:
        raise ValueError(f"a fraction lies in 0..1: write {EXAMPLES[unit]}")
    if unit is Unit.COUNT and not value.is_integer():
        raise ValueError(f"a count is a whole number: write {EXAMPLES[unit]}")
    return value


def _not_negative(value: float) -> float:
    if not math.isfinite(value):
        raise ValueError("an infinite tolerance allows everything: leave it out")
    if value < 0:
        raise ValueError("a negative quantity makes no sense here")
    return value


# --- printing ------------------------------------------------------------------


def _scaled(value: float, unit: Unit, digits: int) -> str:
    """The largest suffix that leaves a digit other than 0 before the point."""
    if value == 0 or abs(value) > _PRINTABLE:
        return f"{value:.{digits}g} {unit}".removesuffix(" count")
    texts = [_in_suffix(value, unit, suffix, digits) for suffix in _SHOWN[unit]]
    whole = [text for text, size in texts if size >= 1]
    return (whole[-1] if whole else texts[0][0]).rstrip()


def _in_suffix(value: float, unit: Unit, suffix: str, digits: int) -> tuple[str, float]:
    number = value / float(_SUFFIXES[unit].get(suffix, Decimal(1)))
    rounded = abs(float(f"{number:.{digits - 1}e}"))  # 9.996 has two digits before the point
    decimals = digits if rounded < 1 else max(0, digits - len(str(int(rounded))))
    if suffix in ("", "B") and number == int(number):
        decimals = 0  # bytes and counts are whole
    text = f"{number:.{decimals}f}"
    return f"{text} {suffix}", abs(float(text))
