"""
LiteRT's GPU accelerator, through its CompiledModel interface.

The GPU is asked for alone, without the CPU beside it: then loading fails when
it does not take everything. Only where it says what it leaves out is the CPU
allowed, and then it must say how much it took.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from importlib.metadata import version
from typing import Any

import numpy as np

from ..hearing import hearing
from ..refusal import Refusal, not_imported
from .base import Array, Port
from .gpu_log import GpuLog, read_log
from .interpreter import ports

STATEFUL = frozenset(
    {"VAR_HANDLE", "READ_VARIABLE", "ASSIGN_VARIABLE", "SVDF", "LSTM"}
    | {"UNIDIRECTIONAL_SEQUENCE_LSTM", "BIDIRECTIONAL_SEQUENCE_LSTM"}
)
"""Operators with a state, which CompiledModel cannot reset."""
LISTED = 4  # reasons in a message


def open_gpu(options: Mapping[str, str]) -> GpuRuntime:
    """Import LiteRT; *options* are fields of its GpuOptions, "true" or "false"."""
    try:
        from ai_edge_litert import compiled_model, interpreter
        from ai_edge_litert.gpu_options import GpuOptions
    except ModuleNotFoundError as error:
        if error.name == "ai_edge_litert":
            raise not_imported("ai-edge-litert", error) from error
        found = version("ai-edge-litert")
        message = f"ai-edge-litert {found} has no options for a GPU"
        raise Refusal("accelerator", message, "pip install 'ai-edge-litert>=2.3'") from error
    except ImportError as error:
        raise not_imported("ai-edge-litert", error) from error
    chosen = GpuOptions(**_switches(options, vars(GpuOptions())))
    return GpuRuntime(compiled_model, interpreter.Interpreter, chosen)


def _switches(options: Mapping[str, str], known: Mapping[str, bool]) -> dict[str, bool]:
    for name, value in options.items():
        if name not in known:
            hint = f"known: {', '.join(sorted(known))}"
            raise Refusal("accelerator", f"LiteRT's GPU has no option {name!r}", hint)
        if value not in ("true", "false"):
            raise Refusal(
                "accelerator", f'options.{name}: must be "true" or "false", not {value!r}'
            )
    return {name: value == "true" for name, value in options.items()}


class GpuRuntime:
    """The imported library; see `base.Runtime`."""

    name = "litert"
    warm_model = "warm.tflite"
    keeps_state = False

    def __init__(self, library: Any, interpreter: Callable[..., Any], options: Any) -> None:
        self.version = version("ai-edge-litert")
        self._library = library
        self._interpreter = interpreter
        self._options = options

    def load(self, path: str, threads: int) -> GpuModel:
        """Compile for the GPU alone, or beside the CPU where the GPU leaves something out."""
        plain = self._interpreter(model_path=path)  # nothing is allocated
        operators = [op["op_name"] for op in plain._get_ops_details()]
        if kept := sorted(STATEFUL & set(operators)):
            message = f"its state ({', '.join(kept)}) cannot be reset on LiteRT's GPU"
            raise Refusal("model", message)
        model, log = self._compile(path, threads, alone=True)
        if model is None and log.reasons:
            model, log = self._compile(path, threads, alone=False)
        if model is None or not log.adapter:
            raise _refusal(log)
        on = log.on if log.reasons else len(operators)
        if on is None:
            raise Refusal("accelerator", "LiteRT does not say how much of the model its GPU runs")
        return GpuModel(model, plain, len(operators), on, log)

    def _compile(self, path: str, threads: int, *, alone: bool) -> tuple[Any, GpuLog]:
        """The model, None where LiteRT refuses it; and what it said."""
        library = self._library
        accelerators = library.HardwareAccelerator.GPU
        if not alone:
            accelerators |= library.HardwareAccelerator.CPU
        options = library.Options(
            hardware_accelerators=accelerators,
            cpu_options=library.CpuOptions(num_threads=threads),
            gpu_options=self._options,
        )
        with hearing() as heard:
            try:
                model = library.CompiledModel.from_file(path, options=options)
            except RuntimeError:
                model = None
            return model, read_log(heard())


def _refusal(log: GpuLog) -> Refusal:
    """Why there is no model."""
    said = "; ".join(log.errors[:LISTED]) or "it does not say why"
    if log.adapter:
        return Refusal("model", f"LiteRT's GPU refuses the model: {said}")
    return Refusal(
        "accelerator",
        f"LiteRT finds no GPU: {said}",
        'it needs a Vulkan driver and its loader, libvulkan.so.1; run = "emulate-gpu" needs no GPU',
    )


class GpuModel:
    """
    A compiled model with its inputs in buffers of the GPU's; see `base.Model`.

    An invoke ends when the outputs have been read: before that the GPU has
    been told to work, no more.
    """

    def __init__(self, model: Any, plain: Any, operators: int, on: int, log: GpuLog) -> None:
        self._model = model
        self._operators = operators
        self._on = on
        self._log = log
        signature, key = _signature(model)
        self._signature = signature
        details = (model.get_input_tensor_details(key), model.get_output_tensor_details(key))
        self.inputs = _ports(plain.get_input_details(), details[0])
        self.outputs = _ports(plain.get_output_details(), details[1])
        self._shapes = [tuple(each["shape"]) for each in details[0].values()]
        self._in = model.create_input_buffers(signature)
        self._out = model.create_output_buffers(signature)
        self._sizes = [_output(each) for each in details[1].values()]
        self._answers: list[Array] = []
        for index, port in enumerate(self.inputs):
            self.set_input(index, np.zeros(self._shapes[index], dtype=port.dtype))

    def invoke(self) -> None:
        """Run once, and wait for the outputs."""
        self._model.run_by_index(self._signature, self._in, self._out)
        self._answers = [
            self._out[index].read(int(np.prod(shape, dtype=int)), dtype).reshape(shape)
            for index, (shape, dtype) in enumerate(self._sizes)
        ]

    def set_input(self, index: int, value: Array) -> None:
        """Copy *value* into the GPU's buffer."""
        if value.shape != self._shapes[index]:
            raise Refusal(
                "data",
                f"{self.inputs[index].name}: the GPU was given {list(self._shapes[index])}, "
                f"and a sample has {list(value.shape)}",
            )
        self._in[index].write(value)

    def output(self, index: int) -> Array:
        """An output."""
        return self._answers[index]

    def reset(self) -> None:
        """Nothing: models with a state are refused."""

    @property
    def accelerator(self) -> str:
        """The adapter's name."""
        return self._log.adapter

    @property
    def software(self) -> bool:
        """What the adapter is by its own account."""
        return self._log.software

    @property
    def idle(self) -> str:
        """That the GPU takes nothing; empty where it takes something."""
        return "" if self._on else f"{self._log.adapter} takes not one operator of the model"

    def placement(self) -> dict[str, Any]:
        """How many operators the GPU took, and why not the others."""
        return {
            "how": "counts",
            "api": self._log.api,
            "operators": self._operators,
            "on": self._on,
            "reasons": [list(each) for each in self._log.reasons],
        }


def _signature(model: Any) -> tuple[int, str]:
    """The number and the key of the signature that is run."""
    keys = list(model.get_signature_list())
    key = "serving_default" if "serving_default" in keys else keys[0]
    return model.get_signature_index(key), key


def _ports(details: Sequence[Mapping[str, Any]], named: Mapping[str, Any]) -> list[Port]:
    """In the order of the signature, by the interpreter's details of each tensor."""
    by_tensor = {int(each["index"]): each for each in details}
    try:
        ordered = [by_tensor[int(each["index"])] for each in named.values()]
    except KeyError as error:
        message = "the model's signature is not of its main graph"
        raise Refusal("model", message) from error
    return ports(ordered, {name: int(each["index"]) for name, each in named.items()})


def _output(details: Mapping[str, Any]) -> tuple[tuple[int, ...], Any]:
    return tuple(details["shape"]), np.dtype(details["dtype"])
