"""
Ops that belong to training.

What it finds
    Dropout and BatchNormalization in training mode; random numbers; simulated
    quantization (FAKE_QUANT); losses, gradients and optimizers, and the variables of
    an optimizer.

Why it hurts
    Dropout in training mode sets values to zero by chance, and batch normalization uses
    the statistics of the one sample at hand instead of those that were learnt - in
    onnxruntime 1.32 its answers to one input even drift from run to run: the model
    answers wrongly (an error). Random numbers make two inferences of one input differ.
    FAKE_QUANT rounds in float: the model pays for quantization and gains none. Gradients
    and optimizers cost bytes - Adam has two more numbers for each weight - and are never
    needed to infer.

Example
    A PyTorch model that was exported without `model.eval()`; the SavedModel of a training
    step.

Instead
    Export the model in inference mode (`model.eval()`; `model.export` in Keras), from a
    function that only infers. Convert quantization-aware training with
    `Optimize.DEFAULT`, which turns FAKE_QUANT into scales.
"""

from __future__ import annotations

from collections.abc import Iterator

from pytest_edgebudget.graph.ir import Op
from pytest_edgebudget.graph.values import numbers
from pytest_edgebudget.lint.base import Finding, ModelFile, Rule, Severity
from pytest_edgebudget.lint.links import Links
from pytest_edgebudget.lint.structure._ops import input_of, shown

_RANDOM = frozenset({
    "MULTINOMIAL", "RANDOM_STANDARD_NORMAL", "RANDOM_UNIFORM", "STABLEHLO_RNG_BIT_GENERATOR",
    "Bernoulli", "Multinomial", "RandomNormal", "RandomNormalLike", "RandomUniform",
    "RandomUniformLike",
})  # fmt: skip
_LOSSES = frozenset({"NegativeLogLikelihoodLoss", "SoftmaxCrossEntropyLoss"})
_TRAINING_DOMAIN = "ai.onnx.preview.training:"
_GRADIENTS = ("Grad", "GradV2", "BackpropInput", "BackpropFilter", "CrossEntropyWithLogits")
_UPDATES = ("ResourceApply", "ResourceSparseApply", "Apply")
_OPTIMIZER_WORDS = frozenset({"adam", "momentum", "optimizer", "rmsprop", "sgd"})


def check(model: ModelFile) -> Iterator[Finding]:
    """Look at each op alone."""
    for links in model.links:
        for op in links.subgraph.ops:
            found = _finding(op, links)
            if found is not None:
                yield found


def _finding(op: Op, links: Links) -> Finding | None:
    name = shown(op)
    if op.kind == "Dropout" and _drops(op, links):
        return Finding("Dropout in training mode zeroes by chance", name, severity=Severity.ERROR)
    if op.kind == "BatchNormalization" and _normalizes_batch(op, links):
        text = "BatchNormalization in training mode uses the statistics of the batch at hand"
        return Finding(text, name, severity=Severity.ERROR)
    if op.kind in _RANDOM:
        return Finding(f"{op.kind}: two inferences of one input differ", name)
    if op.kind == "FAKE_QUANT":
        return Finding("FAKE_QUANT rounds in float: the model is not quantized", name)
    if op.kind in _LOSSES or op.kind.startswith(_TRAINING_DOMAIN) or _trains(op):
        return Finding(f"{op.kind} is needed to train only", name)
    if op.kind == "VAR_HANDLE" and _of_optimizer(op):
        variable = op.attributes.get("shared_name")
        return Finding(f"the variable '{variable}' belongs to an optimizer", name)
    return None


def _drops(op: Op, links: Links) -> bool:
    """Dropout 12 and later has the mode as third input, 1 to 6 as an attribute."""
    if op.version < 7:
        return op.attributes.get("is_test", 0) == 0
    mode, ratio = (input_of(links.subgraph, op, position) for position in (2, 1))
    return any(numbers(mode) or ()) and numbers(ratio) != (0.0,)


def _normalizes_batch(op: Op, links: Links) -> bool:
    """The attribute of version 14; before it, outputs beyond the first say so."""
    if "training_mode" in op.attributes:
        return bool(op.attributes["training_mode"])
    return 7 <= op.version < 14 and any(links.used(i) for i in op.outputs[1:] if i >= 0)


def _trains(op: Op) -> bool:
    """Custom ops, such as the TensorFlow ops of the Flex delegate."""
    kind = op.kind.rpartition(":")[2].removeprefix("Flex")
    return op.custom and (kind.endswith(_GRADIENTS) or kind.startswith(_UPDATES))


def _of_optimizer(op: Op) -> bool:
    name = str(op.attributes.get("shared_name", "")).lower()
    return not _OPTIMIZER_WORDS.isdisjoint(name.replace("_", "/").split("/"))


RULE = Rule(
    code="EB210",
    name="training-ops",
    severity=Severity.WARNING,
    needs=ModelFile,
    check=check,
)
