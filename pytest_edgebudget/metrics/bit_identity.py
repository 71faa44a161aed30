"""`bit_identity`: whether this machine computes what the device computes."""

from __future__ import annotations

from collections.abc import Mapping

from pytest_edgebudget.errors import ModelError
from pytest_edgebudget.facts import Array, TwinAnswers
from pytest_edgebudget.metrics.base import RUN, Metric, Options, Value
from pytest_edgebudget.types import Better, Unit


def read(answers: TwinAnswers, options: Options) -> Value:
    """
    Share of output values that are equal bit for bit on the device and on this machine, 0..1.

    Over all outputs of all declared samples, with the same runtime on either
    side; quantized outputs as their dequantized values. 1 means that what is
    measured here, such as accuracy, is the device's own. Float models are
    rarely equal: kernels add in another order. The note has the largest
    difference, and how many samples have their largest value elsewhere: of a
    classifier these are other answers.

    Outputs that are constant or saturated agree whatever the kernels do.
    """
    import numpy as np

    equal = total = moved = 0
    largest = 0.0
    for name, there in answers.there.items():
        here = _same_shape(name, there, answers.here)
        bits = _bits(there) == _bits(here)
        equal, total = equal + int(bits.sum()), total + bits.size
        with np.errstate(invalid="ignore"):
            difference = np.abs(there.astype(float) - here.astype(float))
        largest = max(largest, float(np.nanmax(np.where(bits, 0.0, difference), initial=0.0)))
        moved += int((_first_largest(there) != _first_largest(here)).sum())
    note = f"{equal:,} of {total:,} values; against {answers.twin}"
    if equal < total:
        note += f"; largest difference {largest:.3g}, largest value elsewhere in {moved:,} samples"
    return Value(equal / total if total else 1.0, note=note)


def _same_shape(name: str, there: Array, outputs: Mapping[str, Array]) -> Array:
    here = outputs.get(name)
    if here is None or here.shape != there.shape or here.dtype != there.dtype:
        raise ModelError(f"the output {name!r} is another one on the device and on this machine")
    return here


def _bits(values: Array) -> Array:
    """The values as whole numbers of the same bits."""
    import numpy as np

    return np.ascontiguousarray(values).view(f"u{values.dtype.itemsize}")


def _first_largest(values: Array) -> Array:
    flat: Array = values.reshape(len(values), -1).argmax(axis=1)
    return flat


METRIC = Metric(
    name="bit_identity",
    unit=Unit.FRACTION,
    better=Better.HIGHER,
    needs=TwinAnswers,
    read=read,
    accepts=RUN,
)
