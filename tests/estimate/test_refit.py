"""The shipped table is what the shipped rows give, and its bands keep their word."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest

from pytest_edgebudget.errors import EdgeBudgetError
from pytest_edgebudget.estimate.pools import DOMAINS, level_names
from pytest_edgebudget.estimate.predict import costs, milliseconds
from pytest_edgebudget.estimate.refit import TABLE, refit
from pytest_edgebudget.estimate.rows import LICENCES, SHIPPED, joined, licence, of_domain, read_rows
from pytest_edgebudget.estimate.samples import Sample
from pytest_edgebudget.estimate.table import parse
from pytest_edgebudget.estimate.validate import coverage, leave_families_out


def test_every_shipped_row_names_its_source_and_a_permissive_licence() -> None:
    rows = read_rows(SHIPPED / "latency.csv")
    assert len(rows) > 2000
    for row in rows:
        assert row["source"]
        assert row["licence"] == licence(row) != ""
    assert set(LICENCES.values()) <= {"Apache-2.0", "BSD-3-Clause", "MIT"}


@pytest.mark.slow
@pytest.mark.parametrize("domain", ["gpu", "mcu", "cpu"])
def test_the_shipped_fits_are_those_of_the_shipped_rows(domain: str) -> None:
    again = parse(json.loads(refit([domain], bands=False)))
    table = parse(json.loads(TABLE.read_text()))
    for row, pool, x in of_domain(joined(SHIPPED), DOMAINS[domain]):
        names = level_names(row, pool)
        ours, theirs = (milliseconds(costs(each.fits[domain], names), x) for each in (table, again))
        assert math.isclose(ours, theirs, rel_tol=0.01), row["group"]
    assert again.powers == table.powers
    assert again.groups == tuple(g for g in table.groups if g.domain == domain)


@pytest.mark.slow
def test_the_shipped_bands_are_those_of_the_shipped_rows() -> None:
    # One domain: the others take minutes, tools/published_rows.py makes them all.
    again = parse(json.loads(refit(["gpu"])))
    table = parse(json.loads(TABLE.read_text()))
    for pool, band in again.bands.items():
        assert table.bands[pool].rows == band.rows
        assert math.isclose(table.bands[pool].half_width, band.half_width, rel_tol=0.02)


@pytest.mark.slow
def test_a_band_covers_what_it_says_for_families_left_out() -> None:
    samples = [Sample(*row) for row in of_domain(joined(SHIPPED), ["gpu"])]
    errors = leave_families_out(samples, "gpu")
    assert len(errors) >= 100
    assert 0.74 <= coverage(errors) <= 0.86


def test_damaged_rows_are_named(tmp_path: Path) -> None:
    with pytest.raises(EdgeBudgetError, match=r"features\.csv"):
        joined(tmp_path)
    (tmp_path / "features.csv").write_text("model,precision\n")
    (tmp_path / "latency.csv").write_text("model,precision,latency_ms\na,int8,3\n")
    with pytest.raises(EdgeBudgetError, match="damaged"):
        joined(tmp_path)
