"""
`.onnx` to Graph.

Source of all field numbers: onnx/onnx.proto of ONNX 1.23.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import NamedTuple

from pytest_edgebudget.graph.damage import DamageError, short
from pytest_edgebudget.graph.external import ExternalFiles
from pytest_edgebudget.graph.ir import Graph, Metadata, Op, Subgraph, Tensor
from pytest_edgebudget.graph.mapped import Data
from pytest_edgebudget.graph.onnx_attributes import constant_value, is_graph, read_attribute
from pytest_edgebudget.graph.onnx_quantization import Scales, with_quantization
from pytest_edgebudget.graph.onnx_scope import Scope, UnmadeError
from pytest_edgebudget.graph.onnx_tensors import (
    Type,
    read_sparse_tensor,
    read_tensor,
    read_value_info,
)
from pytest_edgebudget.graph.protobuf import Message, Source
from pytest_edgebudget.graph.shapes import with_shapes

# ModelProto
_IR, _PRODUCER, _PRODUCER_VERSION, _DOC, _GRAPH, _OPSETS, _PROPERTIES = 1, 2, 3, 6, 7, 8, 14
_FUNCTIONS, _FUNCTION_NAME, _FUNCTION_DOMAIN = 25, 1, 10  # FunctionProto
# OperatorSetIdProto, StringStringEntryProto
_DOMAIN, _VERSION, _KEY, _VALUE = 1, 2, 1, 2
# GraphProto
_NODES, _NAME, _INITIALIZERS, _SPARSE, _INPUTS, _OUTPUTS, _VALUES = 1, 2, 5, 15, 11, 12, 13
# NodeProto
_NODE_INPUTS, _NODE_OUTPUTS, _NODE_NAME, _KIND, _ATTRIBUTES, _NODE_DOMAIN = 1, 2, 3, 4, 5, 7

_STANDARD = ("", "ai.onnx")


@dataclass(slots=True)
class _Model:
    """What all graphs of one file share; *types* and *attributes*: see `Message.each`."""

    files: ExternalFiles
    opsets: Mapping[str, int]
    subgraphs: list[Subgraph | None] = field(default_factory=list)
    scales: Scales = field(default_factory=Scales)
    types: dict[bytes, Type] = field(default_factory=dict)
    attributes: dict[bytes, _Attribute] = field(default_factory=dict)
    versions: dict[str, int] = field(default_factory=dict)

    def version(self, domain: str) -> int:
        """The version of the operator set that a node's domain means."""
        if domain not in self.versions:
            aliases = _STANDARD if domain in _STANDARD else (domain,)
            found = (self.opsets[name] for name in aliases if name in self.opsets)
            self.versions[domain] = next(found, 1)
        return self.versions[domain]


class _Attribute(NamedTuple):
    """Name and plain value; graphs are numbers of subgraphs, which the op then *calls*."""

    name: str
    value: object
    calls: tuple[int, ...] = ()

    @property
    def shared(self) -> bool:
        """Whether two ops may have the same one: a tensor is a constant of its own."""
        return not self.calls and not isinstance(self.value, Tensor) and not _tensors(self.value)


def _tensors(value: object) -> bool:
    return isinstance(value, tuple) and bool(value) and isinstance(value[0], Tensor)


def read_onnx(data: Data, folder: Path) -> Graph:
    """
    Read an `.onnx` from memory; *folder* is where its external data lies.

    Raises:
        DamageError: the file is truncated or contradicts itself.
        ModelError: its external data is missing or outside *folder*.
    """
    message = Source(data).root()
    graph = message.message(_GRAPH)
    opsets = {item.text(_DOMAIN): item.integer(_VERSION) for item in message.messages(_OPSETS)}
    if graph is None or not opsets:
        raise DamageError("not an ONNX model: a graph or its operator set is not there", 0)
    model = _Model(ExternalFiles(folder), opsets)
    _read_graph(graph, model, None)
    return Graph(
        format="onnx",
        subgraphs=tuple(sub for sub in model.subgraphs if sub is not None),
        size=len(data),
        external=model.files.names,
        external_size=model.files.size,
        opset=next((opsets[name] for name in _STANDARD if name in opsets), None),
        opsets=opsets,
        ir_version=message.integer(_IR),
        functions=frozenset(map(_function, message.messages(_FUNCTIONS))),
        producer=f"{message.text(_PRODUCER)} {message.text(_PRODUCER_VERSION)}".strip(),
        description=message.text(_DOC),
        metadata=tuple(
            Metadata(item.text(_KEY), item.view(_VALUE)) for item in message.messages(_PROPERTIES)
        ),
    )


def _function(message: Message) -> str:
    return f"{message.text(_FUNCTION_DOMAIN)}:{message.text(_FUNCTION_NAME)}"


def _read_graph(graph: Message, model: _Model, outer: Scope | None) -> int:
    """Add a graph, and those inside it, to the model; returns its number."""
    number = len(model.subgraphs)
    model.subgraphs.append(None)
    inputs = [read_value_info(item, model.types) for item in graph.messages(_INPUTS)]
    outputs = [read_value_info(item, model.types) for item in graph.messages(_OUTPUTS)]
    values = [read_value_info(item, model.types) for item in graph.messages(_VALUES)]
    if not all(tensor.name for tensor in outputs):
        raise DamageError("an output without a name", graph.start)
    scope = Scope({tensor.name: tensor for tensor in (*values, *outputs)}, outer)
    for tensor in inputs:
        scope.define(tensor.name, tensor)
    constants = _initializers(graph, model, scope)
    ops = _read_nodes(graph, model, scope)
    subgraph = Subgraph(
        name=graph.text(_NAME),
        tensors=tuple(scope.tensors),
        ops=ops,
        # Before IR version 4, initializers had to be listed as inputs, too.
        inputs=tuple(scope.use(t.name) for t in inputs if t.name and t.name not in constants),
        outputs=tuple(scope.use(tensor.name) for tensor in outputs),
    )
    subgraph = replace(subgraph, tensors=tuple(scope.tensors))
    model.subgraphs[number] = with_shapes(with_quantization(subgraph, model.scales))
    return number


def _initializers(graph: Message, model: _Model, scope: Scope) -> set[str]:
    tensors = [read_tensor(item, model.files) for item in graph.messages(_INITIALIZERS)]
    tensors += [read_sparse_tensor(item, model.files) for item in graph.messages(_SPARSE)]
    for tensor in tensors:
        scope.define(tensor.name, tensor)
    return {tensor.name for tensor in tensors}


def _read_nodes(graph: Message, model: _Model, scope: Scope) -> tuple[Op, ...]:
    try:
        return tuple(_read_node(node, model, scope) for node in graph.messages(_NODES))
    except UnmadeError as error:
        if any(error.name in node.texts(_NODE_OUTPUTS) for node in graph.messages(_NODES)):
            raise DamageError(
                f"value {short(error.name)} is used before the op that makes it:"
                " the ops are in a ring, or not in order"
            ) from None
        raise


def _read_node(node: Message, model: _Model, scope: Scope) -> Op:
    domain, kind = node.text(_NODE_DOMAIN), node.text(_KIND)
    custom = domain not in _STANDARD
    inputs = tuple(scope.use(name) for name in node.texts(_NODE_INPUTS))
    attributes, calls = _attributes(node, model, scope)
    names = node.texts(_NODE_OUTPUTS)
    constant = constant_value(attributes, names[0]) if kind == "Constant" and names else None
    outputs = tuple(scope.define(name, constant) for name in names)
    return Op(
        kind=f"{domain}:{kind}" if custom else kind,
        name=node.text(_NODE_NAME) or next(iter(names), ""),
        inputs=inputs,
        outputs=outputs,
        attributes=attributes,
        version=model.version(domain),
        custom=custom,
        subgraphs=calls,
    )


def _attributes(
    node: Message, model: _Model, scope: Scope
) -> tuple[dict[str, object], tuple[int, ...]]:
    """The attributes of a node, and the subgraphs among them."""
    found = list(
        node.each(
            _ATTRIBUTES,
            lambda message: _attribute(message, model, scope),
            model.attributes,
            lambda attribute: attribute.shared,
        )
    )
    calls = tuple(number for attribute in found for number in attribute.calls)
    return {attribute.name: attribute.value for attribute in found}, calls


def _attribute(message: Message, model: _Model, scope: Scope) -> _Attribute:
    name = message.text(1)
    if is_graph(message):
        graphs = [_read_graph(graph, model, scope) for graph in message.messages(6)]
        graphs += [_read_graph(graph, model, scope) for graph in message.messages(11)]
        return _Attribute(name, graphs[0] if len(graphs) == 1 else tuple(graphs), tuple(graphs))
    return _Attribute(name, read_attribute(message, model.files))
