"""SavedModels: their signature with a batch of one, and what is made of them."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from pytest_edgebudget.errors import BuildError, ModelError
from pytest_edgebudget.passes._libraries import load

SIGNATURE = "serving_default"
OPSET = 17
WRAPPED = re.compile(r"^(StatefulPartitionedCall/)+")
NUMBERED = re.compile(r"(.*)__\d+")


def with_batch_of_one(source: Path, folder: Path) -> None:
    """Save *source* again, with an unknown batch in its serving signature fixed to 1."""
    import tensorflow as tf

    model = tf.saved_model.load(str(source))
    serving = _signature(model, source)
    _, inputs = serving.structured_input_signature
    specs = {
        name: tf.TensorSpec(_one(spec.shape), spec.dtype, name=name)
        for name, spec in inputs.items()
    }

    @tf.function  # type: ignore[untyped-decorator]
    def serve(**tensors: Any) -> Any:
        return serving(**tensors)

    concrete = serve.get_concrete_function(**specs)
    tf.saved_model.save(model, str(folder), signatures={SIGNATURE: concrete})


def _one(shape: Any) -> Any:
    if shape.rank is None:
        return shape
    sizes = shape.as_list()
    return [1, *sizes[1:]] if sizes and sizes[0] is None else sizes


def _signature(model: Any, source: Path) -> Any:
    signatures = model.signatures
    if SIGNATURE in signatures:
        return signatures[SIGNATURE]
    if len(signatures) == 1:
        return next(iter(signatures.values()))
    found = ", ".join(signatures) or "none"
    raise ModelError(
        f"{source} has no signature {SIGNATURE} (it has {found})", "save it with signatures="
    )


def to_tflite(folder: Path, out: Path) -> None:
    """Convert to a float `.tflite`."""
    import tensorflow as tf

    converter = tf.lite.TFLiteConverter.from_saved_model(str(folder), signature_keys=[SIGNATURE])
    try:
        out.write_bytes(converter.convert())
    except Exception as error:  # the converter raises anything
        raise BuildError(f"TensorFlow cannot convert the model: {_reason(error)}") from None


def to_onnx(folder: Path, out: Path) -> None:
    """Convert to a float `.onnx`."""
    import tensorflow as tf

    convert = load("tf2onnx.convert", "converting to .onnx")
    model = tf.saved_model.load(str(folder))
    serving = _signature(model, folder)
    _, inputs = serving.structured_input_signature
    names = list(inputs)

    @tf.function(input_signature=[inputs[name] for name in names])  # type: ignore[untyped-decorator]
    def serve(*tensors: Any) -> Any:
        return serving(**dict(zip(names, tensors, strict=True)))

    signature = [inputs[name] for name in names]
    model_proto, _ = convert.from_function(serve, input_signature=signature, opset=OPSET)
    if not _branches(model_proto.graph):
        _shorten_names(model_proto.graph)
        _number_constants(model_proto.graph)
    out.write_bytes(model_proto.SerializeToString(deterministic=True))


def _branches(graph: Any) -> bool:
    """Whether nodes have graphs of their own, which use names from outside."""
    return any(attribute.HasField("g") for node in graph.node for attribute in node.attribute)


def _shorten_names(graph: Any) -> None:
    """
    Drop what wrapping a function in a function put before every name.

    Layers are then called as in Keras. Names stay where two would become one.
    """
    names = {name for node in graph.node for name in (node.name, *node.input, *node.output)}
    short = {name: WRAPPED.sub("", name) for name in names}
    if len(set(short.values())) < len(names):
        return
    for node in graph.node:
        node.name = short[node.name]
        for values in (node.input, node.output):
            values[:] = [short[name] for name in values]
    for item in (*graph.initializer, *graph.value_info):
        item.name = short.get(item.name, item.name)


def _number_constants(graph: Any) -> None:
    """
    Number the constants that tf2onnx made by their first use, and sort them.

    Its own numbers differ from run to run, and a model that did not change has
    to have the same address.
    """
    constants = {item.name: item for item in graph.initializer}
    renamed: dict[str, str] = {}
    for node in graph.node:
        for position, name in enumerate(node.input):
            match = NUMBERED.fullmatch(name)
            if match and name in constants:
                new = renamed.setdefault(name, f"{match[1]}__constant{len(renamed)}")
                constants[name].name = node.input[position] = new
    ordered = sorted(graph.initializer, key=lambda item: str(item.name))
    kept = [type(item).FromString(item.SerializeToString()) for item in ordered]
    del graph.initializer[:]
    graph.initializer.extend(kept)


def _reason(error: Exception) -> str:
    """The line of the converter's message that names the op or the reason."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    telling = [line for line in lines if "error:" in line or "needs" in line]
    return (telling or lines or [type(error).__name__])[0][:400]
