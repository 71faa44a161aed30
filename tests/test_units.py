"""Units: what a person writes, what a person reads."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_edgebudget.types import Tolerance, Unit
from pytest_edgebudget.units import (
    format_pair,
    format_value,
    parse,
    parse_tolerance,
    suffixes,
)


@pytest.mark.parametrize(
    ("written", "unit", "value"),
    [
        ("64 KiB", Unit.BYTES, 65536),
        ("64KiB", Unit.BYTES, 65536),
        ("64 KB", Unit.BYTES, 64000),
        ("1.5 MiB", Unit.BYTES, 1572864),
        ("2 MB", Unit.BYTES, 2000000),
        ("4 GiB", Unit.BYTES, 4294967296),
        ("100 B", Unit.BYTES, 100),
        ("8 ms", Unit.SECONDS, 0.008),
        ("250 us", Unit.SECONDS, 0.00025),
        ("30 ns", Unit.SECONDS, 30e-9),
        ("1.5 s", Unit.SECONDS, 1.5),
        ("30 d", Unit.SECONDS, 2_592_000.0),
        ("1.5 h", Unit.SECONDS, 5400.0),
        ("2 mJ", Unit.JOULES, 0.002),
        ("7 nJ", Unit.JOULES, 7e-9),
        ("48 MHz", Unit.HERTZ, 48e6),
        (0.9, Unit.FRACTION, 0.9),
        (1, Unit.FRACTION, 1.0),
        ("97.9 %", Unit.FRACTION, 0.979),
        ("90%", Unit.FRACTION, 0.9),
        (2660000, Unit.COUNT, 2660000),
        ("2.66 M", Unit.COUNT, 2660000),
        ("800", Unit.COUNT, 800),
        (-0.5, Unit.NUMBER, -0.5),
        ("1e3 B", Unit.BYTES, 1000),
    ],
)
def test_quantities_are_read_exactly(written: str | float, unit: Unit, value: float) -> None:
    assert parse(written, unit) == value


@pytest.mark.parametrize(
    ("written", "unit", "sentence"),
    [
        (64, Unit.BYTES, 'the unit is missing: write "64 KiB"'),
        ("64", Unit.BYTES, 'the unit is missing: write "64 KiB"'),
        (8.5, Unit.SECONDS, 'the unit is missing: write "8.5 ms"'),
        (2, Unit.JOULES, 'the unit is missing: write "2 mJ"'),
        (48, Unit.HERTZ, 'the unit is missing: write "48 MHz"'),
        ("64 kb", Unit.BYTES, '"kb" is not a unit here: write "64 KB"'),
        ("64 kib", Unit.BYTES, '"kib" is not a unit here: write "64 KiB"'),
        ("8 MS", Unit.SECONDS, '"MS" is not a unit here: write "8 ms"'),
        (
            "8 KiB",
            Unit.SECONDS,
            '"KiB" is not a unit here: write "8 ms" (units: ns us ms s min h d)',
        ),
        ("0.9", Unit.FRACTION, 'the unit is missing: write 0.9 without quotes, or "0.9 %"'),
        (90, Unit.FRACTION, 'a fraction lies in 0..1: write 0.9 or "90 %"'),
        ("-1 KiB", Unit.BYTES, "a negative quantity makes no sense here"),
        (-0.1, Unit.FRACTION, "a negative quantity makes no sense here"),
        (1.5, Unit.COUNT, 'a count is a whole number: write 1200000 or "1.2 M"'),
        ("much", Unit.BYTES, '"much" is not a quantity: write "64 KiB"'),
        ("", Unit.SECONDS, '"" is not a quantity: write "8 ms"'),
        (float("nan"), Unit.NUMBER, "a quantity is a finite number"),
        ("9e999 B", Unit.BYTES, "a quantity is a finite number"),
        (10**400, Unit.COUNT, "the number is too large"),
        ("0.5", Unit.NUMBER, "this is a plain number: write 0.5 without quotes and unit"),
    ],
)
def test_a_refused_quantity_says_how_to_write_it(
    written: str | float, unit: Unit, sentence: str
) -> None:
    with pytest.raises(ValueError) as error:
        parse(written, unit)

    assert str(error.value) == sentence


@pytest.mark.parametrize(
    ("written", "unit", "tolerance"),
    [
        ("2%", Unit.BYTES, Tolerance(0.02, relative=True)),
        ("2 %", Unit.FRACTION, Tolerance(0.02, relative=True)),
        ("1 pp", Unit.FRACTION, Tolerance(0.01, relative=False)),
        ("1 KiB", Unit.BYTES, Tolerance(1024, relative=False)),
        ("50 us", Unit.SECONDS, Tolerance(50e-6, relative=False)),
        (0.02, Unit.NUMBER, Tolerance(0.02, relative=False)),
        (1000, Unit.COUNT, Tolerance(1000, relative=False)),
    ],
)
def test_tolerances_are_relative_in_percent_and_absolute_in_the_unit(
    written: str | float, unit: Unit, tolerance: Tolerance
) -> None:
    assert parse_tolerance(written, unit) == tolerance


@pytest.mark.parametrize(
    ("written", "unit", "sentence"),
    [
        ("1 pp", Unit.BYTES, '"pp" is for fractions: write "2%" or "64 KiB"'),
        ("1 pp", Unit.COUNT, '"pp" is for fractions: write "2%" or "1.2 M"'),
        (0.01, Unit.FRACTION, 'write "1 pp" (percentage points) or "2%" (of the other value)'),
        ("-2%", Unit.BYTES, "a negative quantity makes no sense here"),
        (-1.0, Unit.NUMBER, "a negative quantity makes no sense here"),
        (2, Unit.BYTES, 'the unit is missing: write "2 KiB"'),
    ],
)
def test_a_refused_tolerance_says_how_to_write_it(
    written: str | float, unit: Unit, sentence: str
) -> None:
    with pytest.raises(ValueError) as error:
        parse_tolerance(written, unit)

    assert str(error.value) == sentence


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (29900.8, Unit.BYTES, "29.2 KiB"),
        (65536, Unit.BYTES, "64.0 KiB"),
        (1023, Unit.BYTES, "1023 B"),
        (1047552, Unit.BYTES, "1023 KiB"),
        (1048064, Unit.BYTES, "1.00 MiB"),
        (0, Unit.BYTES, "0 B"),
        (-512, Unit.BYTES, "-512 B"),
        (0.008, Unit.SECONDS, "8.00 ms"),
        (300.0, Unit.SECONDS, "300 s"),
        (31_536_000.0, Unit.SECONDS, "365 d"),
        (0.0000009996, Unit.SECONDS, "1.00 us"),
        (0.09996, Unit.SECONDS, "100 ms"),
        (5e-10, Unit.SECONDS, "0.500 ns"),
        (75.0, Unit.SECONDS, "75.0 s"),
        (0.00123, Unit.JOULES, "1.23 mJ"),
        (46_900_000, Unit.HERTZ, "46.9 MHz"),
        (0.9025, Unit.FRACTION, "90.25 %"),
        (1.0, Unit.FRACTION, "100.00 %"),
        (2656768, Unit.COUNT, "2.66 M"),
        (800, Unit.COUNT, "800"),
        (52664, Unit.COUNT, "52.7 k"),
        (0, Unit.COUNT, "0"),
        (0.0123456, Unit.NUMBER, "0.01235"),
        (float("inf"), Unit.BYTES, "inf"),
    ],
)
def test_quantities_are_printed_with_three_figures(value: float, unit: Unit, text: str) -> None:
    assert format_value(value, unit) == text


def test_a_value_just_over_its_bound_is_printed_in_enough_digits_to_see_it() -> None:
    assert format_pair(65537, 65536, Unit.BYTES) == ("64.001 KiB", "64.000 KiB")
    assert format_pair(65536, 65536, Unit.BYTES) == ("64.0 KiB", "64.0 KiB")
    assert format_pair(100, 65536, Unit.BYTES) == ("100 B", "64.0 KiB")


_RANGES = {
    Unit.BYTES: st.integers(0, 2**40),
    Unit.SECONDS: st.floats(1e-9, 1e4),
    Unit.JOULES: st.floats(1e-9, 1e4),
    Unit.HERTZ: st.floats(1, 1e11),
    Unit.FRACTION: st.floats(0, 1),
    Unit.COUNT: st.integers(0, 10**12),
}


@given(st.sampled_from(list(_RANGES)).flatmap(lambda unit: st.tuples(st.just(unit), _RANGES[unit])))
def test_what_is_printed_can_be_read_back_within_its_last_digit(
    case: tuple[Unit, float],
) -> None:
    unit, value = case
    absolute = 5e-5 if unit is Unit.FRACTION else 0.0

    assert parse(format_value(value, unit), unit) == pytest.approx(value, rel=5.1e-3, abs=absolute)


def _sentence(read: Callable[[str, Unit], object], text: str, unit: Unit) -> str:
    try:
        read(text, unit)
    except ValueError as error:
        return str(error)
    return ""


@given(st.text(), st.sampled_from(list(Unit)))
def test_any_text_is_a_quantity_or_one_sentence(text: str, unit: Unit) -> None:
    for read in (parse, parse_tolerance):
        assert "\n" not in _sentence(read, text, unit).replace(text, "")


@given(st.floats(), st.floats(), st.sampled_from(list(Unit)))
def test_any_numbers_can_be_printed(a: float, b: float, unit: Unit) -> None:
    assert format_value(a, unit)
    assert all(format_pair(a, b, unit))


def test_each_unit_says_its_suffixes() -> None:
    assert suffixes(Unit.BYTES) == ("B", "KB", "KiB", "MB", "MiB", "GB", "GiB")
    assert suffixes(Unit.NUMBER) == ()
