"""Keras models as graphs that can be made anew, layer by layer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

Call = Callable[..., Any]


def functional(model: Any) -> Any:
    """*model* as a functional one with the same layers; a Sequential has one input."""
    import keras

    if isinstance(model, keras.Sequential):
        return keras.Model(model.inputs[0], model.outputs[0], name=model.name)
    return model


def rebuilt(model: Any, call: Call) -> Any:
    """
    The functional *model* anew: *call* gets each layer and its new inputs, and calls it.

    Models inside the model are taken apart. Layers are shared with *model* unless
    *call* makes others.
    """
    import keras

    def called(layer: Any, *args: Any, **kwargs: Any) -> Any:
        if isinstance(layer, keras.Sequential):
            layer = functional(layer)
        if isinstance(layer, keras.Model) and hasattr(layer, "_run_through_graph"):
            return layer._run_through_graph(args[0], operation_fn=_itself, call_fn=called)
        return call(layer, *args, **kwargs)

    return keras.models.clone_model(functional(model), clone_function=_itself, call_function=called)


def _itself(layer: Any) -> Any:
    return layer


def copied(layer: Any, **changes: Any) -> Any:
    """A new layer like *layer*, but for some of its arguments; it has no weights yet."""
    return type(layer).from_config({**layer.get_config(), **changes})


def consumers(layer: Any) -> list[Any]:
    """The layers that read what *layer* gives."""
    return [node.operation for node in getattr(layer, "_outbound_nodes", ())]


def makers(layer: Any) -> list[Any]:
    """The layers whose outputs *layer* reads, wherever it is called."""
    return [
        tensor._keras_history.operation
        for node in layer._inbound_nodes
        for tensor in node.input_tensors
    ]
