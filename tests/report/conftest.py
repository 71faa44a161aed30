"""One run with everything in it: kept, broken, undecided, waived, an error."""

from __future__ import annotations

import pytest

from pytest_edgebudget.report.base import (
    BoundRow,
    ErrorRow,
    FileRow,
    LayerRow,
    LimitRow,
    ModelRow,
    ReadingRow,
    Run,
    TrialRow,
)

FILE = "budgets/pi4.toml"


def read(value: float, low: float | None = None, high: float | None = None) -> ReadingRow:
    return ReadingRow(
        value=value,
        low=value if low is None else low,
        high=value if high is None else high,
        evidence="exact" if low is None else "host",
        noisy=low is not None,
        key={},
    )


def bound(kind: str, at: float, headroom: float, outcome: str) -> BoundRow:
    return BoundRow(kind=kind, bound=at, headroom=headroom, outcome=outcome)


def trial(recipe: str, state: str, size: float, accuracy: float, *binding: str) -> TrialRow:
    return TrialRow(
        recipe=recipe,
        state=state,
        readings={"size": size, "accuracy": accuracy},
        units={"size": "B", "accuracy": "fraction"},
        binding=binding,
        reason="",
        seconds=0.5,
        from_lock=False,
    )


@pytest.fixture
def size() -> LimitRow:
    return LimitRow(
        id=f"{FILE}::digits::size",
        file=FILE,
        model="digits",
        metric="size",
        unit="B",
        better="lower",
        outcome="broken",
        status="broken",
        fails=True,
        line=14,
        where=f"{FILE}:14",
        after=read(39321.0),
        before=read(76864.0),
        bounds=(bound("max", 32768.0, -0.2, "broken"),),
        layers=(
            LayerRow(name="dense", kind="FULLY_CONNECTED", value=20480.0),
            LayerRow(name="conv", kind="CONV_2D", value=9216.0),
        ),
        layers_of="size",
        layers_unit="B",
        layers_total=39321.0,
    )


@pytest.fixture
def model() -> ModelRow:
    return ModelRow(
        file=FILE,
        name="digits",
        recipe="float16",
        artifact="cache/ab.tflite",
        sha256="ab" * 32,
        size=39321,
        source_sha256="cd" * 32,
        selected_on="val",
        trials=(
            trial("none", "rejected", 76864.0, 0.989, "size"),
            trial("float16", "rejected", 39321.0, 0.989, "size"),
            trial("int4_weights", "rejected", 18432.0, 0.914, "accuracy"),
        ),
        fits=False,
    )


@pytest.fixture
def run(size: LimitRow, model: ModelRow) -> Run:
    def limit(
        metric: str, unit: str, status: str, after: ReadingRow, *bounds: BoundRow
    ) -> LimitRow:
        return LimitRow(
            id=f"{FILE}::digits::{metric}",
            file=FILE,
            model="digits",
            metric=metric,
            unit=unit,
            better="higher" if unit == "fraction" else "lower",
            outcome="broken" if status == "waived" else status,
            status=status,
            fails=False,
            line=15,
            after=after,
            bounds=bounds,
        )

    return Run(
        version="0.1.0",
        files=(
            FileRow(
                file=FILE,
                profile="raspberry-pi-4",
                run="host",
                threads=1,
                runtimes={"litert": "2.3.0"},
            ),
        ),
        models=(model,),
        limits=(
            size,
            limit("accuracy", "fraction", "kept", read(0.985), bound("min", 0.96, 0.026, "kept")),
            limit(
                "ram",
                "B",
                "undecided",
                read(1048576.0, 1000000.0, 1100000.0),
                bound("max", 1048000.0, -0.0005, "undecided"),
            ),
            limit("macs", "count", "waived", read(2.0e6), bound("max", 1e6, -1.0, "broken")),
        ),
        errors=(
            ErrorRow(
                id=f"{FILE}::gestures::size",
                file=FILE,
                model="gestures",
                message="the worker was killed by SIGKILL (9) while loading gestures.tflite",
            ),
        ),
    )
