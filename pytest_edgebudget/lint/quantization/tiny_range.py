"""
Activations whose whole range is next to nothing: calibrated on zeros.

What it finds
    8-bit and 16-bit activations whose scale reaches less than 1e-5 from the smallest
    integer to the largest. Constants (weights of tiny channels) and 32-bit biases are not
    meant.

Why it hurts
    It is the usual accident of full integer quantization: a representative dataset that
    yields zeros or one constant, because samples were normalised twice, were not loaded,
    or are integers where the model takes 0 to 1. TensorFlow's converter then writes a
    range of 1e-6 to both sides without a word, litert-quantizer one of 1e-9. All real
    data lie beyond it and become the smallest or largest integer: the digits classifier
    of examples/ falls from 0.98 to 0.12 when its samples are zeros.

Example
    2 activations have a range of less than 1e-05, an input among them: 2e-06 for x

Instead
    Print the first sample that the calibration yields, and quantize again with real ones,
    prepared as the model takes them. A quantity that is so small by its unit (volts of an
    EEG, teslas) is scaled up before the model.
"""

from __future__ import annotations

from collections.abc import Iterator

from pytest_edgebudget.graph.dtypes import BITS, SMALL_INTEGERS
from pytest_edgebudget.graph.ir import Tensor
from pytest_edgebudget.lint.base import Finding, ModelFile, Rule, Severity
from pytest_edgebudget.lint.quantization._layers import short, sound

_TINY = 1e-5


def _check(model: ModelFile) -> Iterator[Finding]:
    tensors = (tensor for subgraph in model.graph.subgraphs for tensor in subgraph.tensors)
    tiny = [tensor for tensor in tensors if 0 < _reach(tensor) < _TINY]
    if not tiny:
        return
    count = "1 activation has" if len(tiny) == 1 else f"{len(tiny)} activations have"
    main = model.graph.main
    inputs = [tensor for tensor in tiny if any(main.tensors[i] is tensor for i in main.inputs)]
    among = ", an input among them" if inputs and len(tiny) > 1 else ""
    first = (inputs or tiny)[0]
    reach = f"{_reach(first):.2g} for {short(first.name)}"
    message = f"{count} a range of less than {_TINY:g}{among}: {reach}"
    yield Finding(message, where=short(first.name))


def _reach(tensor: Tensor) -> float:
    """From the smallest to the largest number of an integer activation; 0 for all else."""
    quantization = tensor.quantization
    if quantization is None or tensor.constant or tensor.dtype not in SMALL_INTEGERS:
        return 0.0
    if len(quantization.scales) != 1 or sound(quantization) is None:
        return 0.0
    return quantization.scales[0] * ((1 << BITS[tensor.dtype]) - 1)


RULE = Rule(
    code="EB315",
    name="tiny-range",
    severity=Severity.WARNING,
    needs=ModelFile,
    check=_check,
)
