"""A Keras graph walked and built again, with other layers in it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from pytest_edgebudget.errors import BuildError

Model = Any
Layer = Any
Tensor = Any


@dataclass(frozen=True, slots=True)
class Call:
    """A layer or an operation of ``keras.ops``, called once on *inputs* and giving *outputs*."""

    op: Layer
    inputs: tuple[Tensor, ...]
    outputs: tuple[Tensor, ...]
    args: tuple[Any, ...]

    @property
    def kind(self) -> str:
        """The class's name; that of an operation begins with ``ops.``."""
        import keras

        name = type(self.op).__name__
        return name if isinstance(self.op, keras.Layer) else f"ops.{name}"


def functional(model: Model) -> Model:
    """
    *model* as one flat graph of Keras 3: models inside it become their layers.

    The layers are those of *model*, not copies.

    Raises:
        BuildError: it is of another Keras, or its graph is code of its class.
    """
    import keras

    hint = "build it with keras.Sequential or keras.Model(inputs, outputs) of Keras 3"
    if not isinstance(model, keras.Model):
        raise BuildError(f"its layers cannot be changed: {type(model).__module__} made it", hint)
    if isinstance(model, keras.Sequential) and model.built:
        model = keras.Model(model.inputs[0], model.outputs[0], name=model.name)
    if not _is_graph(model):
        raise BuildError(f"{type(model).__name__} has no graph of layers to change", hint)
    if any(isinstance(layer, keras.Model) for layer in model.layers):
        _check_names(model)
        return functional(_clone(model, lambda op: op, _inline))
    return model


def _is_graph(model: Model) -> bool:
    """A subclass of `keras.Model` with code of its own has no operations."""
    return bool(getattr(model, "operations", None))


def _inline(op: Layer, *args: Any, **kwargs: Any) -> Any:
    """Call a model inside a model layer by layer."""
    import keras

    return op.call(*args, **kwargs) if isinstance(op, keras.Model) else op(*args, **kwargs)


def _check_names(model: Model) -> None:
    names = [layer.name for layer in _leaves(model)]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise BuildError(
            f"two layers are named {twice[0]} in the models inside the model",
            "give each layer a name of its own",
        )


def _leaves(model: Model) -> Iterable[Layer]:
    import keras

    for layer in model.layers:
        if isinstance(layer, keras.Model):
            yield from (each for each in _leaves(layer) if type(each).__name__ != "InputLayer")
        else:
            yield layer


def _clone(model: Model, clone: Callable[[Layer], Layer], call: Callable[..., Any]) -> Model:
    import keras

    return keras.models.clone_model(model, clone_function=clone, call_function=call)


def calls(model: Model) -> tuple[tuple[Tensor, ...], tuple[Call, ...], tuple[Tensor, ...]]:
    """
    Inputs, calls in the order of computing, and outputs of a flat *model*.

    The layers are copies by the same names: *model* is not called.
    """
    found: list[Call] = []

    def call(op: Layer, *args: Any, **kwargs: Any) -> Any:
        result = op(*args, **kwargs)
        given = tuple(args) + tuple(kwargs.values())
        found.append(Call(op, tensors((args, kwargs)), tensors(result), given))
        return result

    copy = _clone(model, again, call)
    return tensors(copy.inputs), tuple(found), tensors(copy.outputs)


def tensors(value: Any) -> tuple[Tensor, ...]:
    """The symbolic tensors among nested *value*."""
    import keras

    return tuple(t for t in keras.tree.flatten(value) if isinstance(t, keras.KerasTensor))


def again(layer: Layer, **config: Any) -> Layer:
    """A new layer like *layer*, without its weights, with *config* over its own."""
    return type(layer).from_config({**layer.get_config(), **config})


def rebuild(
    model: Model,
    clone: Callable[[Layer], Layer],
    call: Callable[..., Any] | None = None,
) -> Model:
    """
    A new model: each layer what *clone* makes of it, called by *call* (layer, then inputs).

    Weights of layers whose shapes stayed are those of *model*; the others are as
    their initializers made them.
    """
    new = _clone(model, clone, call or (lambda op, *args, **kwargs: op(*args, **kwargs)))
    layers = {layer.name: layer for layer in new.layers}
    for old in model.layers:
        layer = layers.get(old.name)
        if layer is not None and _shapes(layer) == _shapes(old):
            layer.set_weights(old.get_weights())
    return new


def _shapes(layer: Layer) -> list[tuple[int, ...]]:
    return [tuple(weight.shape) for weight in layer.weights]
