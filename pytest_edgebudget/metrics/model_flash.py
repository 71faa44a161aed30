"""`model_flash`: what the model takes of a microcontroller's flash."""

from __future__ import annotations

from pytest_edgebudget.facts import FileFacts
from pytest_edgebudget.metrics.base import STATIC, Metric, Options, Value
from pytest_edgebudget.metrics.size import read_size
from pytest_edgebudget.types import Better, Unit

ALIGNMENT = 16  # of a model's array in flash: tensors in it must be aligned, too


def read_model_flash(facts: FileFacts, options: Options) -> Value:
    """
    Bytes of flash that the model takes: its file, up to the next multiple of 16.

    Unit: bytes. Lower is better. Exact. The model's part only: code and
    constants of the runtime are not in it, nor a second slot for updates.

    Source: models of TensorFlow Lite Micro are arrays with ``alignas(16)``,
    tensorflow/lite/micro/tools/generate_cc_arrays.py.
    """
    size = int(read_size(facts, options).value)
    return Value(-(-size // ALIGNMENT) * ALIGNMENT)


METRIC = Metric(
    name="model_flash",
    unit=Unit.BYTES,
    better=Better.LOWER,
    needs=FileFacts,
    read=read_model_flash,
    accepts=STATIC,
    additive=True,
    exact=True,
)
