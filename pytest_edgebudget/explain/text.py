"""The account of a model as text for a terminal."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from textwrap import wrap

from pytest_edgebudget.explain.account import Account
from pytest_edgebudget.explain.memory_map import memory_map
from pytest_edgebudget.explain.peak import peak_lines
from pytest_edgebudget.explain.table import WIDTH, layer_table
from pytest_edgebudget.explain.words import count, printable, shape, share, shorten, size
from pytest_edgebudget.graph.arena import Band

_FORMATS = {"tflite": "TensorFlow Lite", "onnx": "ONNX"}
_MOST_ENDS = 4
_KINDS = {"fully_connected": "fully connected", "matmul": "matmul (attention)"}


def as_text(account: Account) -> str:
    """Header, layers, memory map, peak and advice; no line is wider than 100 columns."""
    lines = [*_header(account), "", *layer_table(account)]
    blocks = [*memory_map(account)]
    if blocks:
        lines += ["", "Memory map", *blocks]
    peak = [*peak_lines(account)]
    if peak:
        lines += ["", *peak]
    return "\n".join(lines) + "\n"


def _header(account: Account) -> Iterator[str]:
    graph = account.graph
    opset = f", opset {graph.opset}" if graph.opset else ""
    outside = f", and {size(graph.external_size)} beside it" if graph.external else ""
    yield printable(str(account.path))
    yield from _field("format", f"{_FORMATS[graph.format]}{opset}, {size(graph.size)}{outside}")
    for item in (_ends(account), _arithmetic(account), _memory(account)):
        for title, text in item:
            yield from _field(title, text)


def _field(title: str, text: str) -> Iterator[str]:
    lines = wrap(text, WIDTH, initial_indent=f"  {title:11}", subsequent_indent=" " * 13)
    yield from lines


def _ends(account: Account) -> Iterator[tuple[str, str]]:
    main = account.graph.main
    for title, indices in (("input", main.inputs), ("output", main.outputs)):
        for index in indices[:_MOST_ENDS]:
            tensor = main.tensors[index]
            name = shorten(printable(tensor.name), 60)
            yield title, f"{name}: {shape(tensor.shape)} {tensor.dtype}"
        if len(indices) > _MOST_ENDS:
            yield title, f"and {len(indices) - _MOST_ENDS} more"


def _arithmetic(account: Account) -> Iterator[tuple[str, str]]:
    totals = account.totals
    note = "at least" if totals.uncounted else "exact"
    kinds = _parts(totals.macs_by_kind, totals.macs, count)
    yield "MACs", f"{count(totals.macs)} ({note}){kinds}"
    yield (
        "other",
        f"{count(totals.operations)} operations ({note}): biases, activations, pooling ...",
    )
    yield "traffic", f"{size(totals.read)} read, {size(totals.written)} written by all ops ({note})"
    whole = sum(totals.stored.values())
    yield "weights", f"{count(totals.parameters)} parameters (exact)"
    yield "constants", f"{size(whole)} (exact){_parts(totals.stored, whole, size)}"
    if totals.uncounted:
        yield "", f"{totals.uncounted} ops cannot be counted from the file"
    if account.batch:
        yield "batch", "dynamic: all figures are for a batch of one"


def _parts(parts: Mapping[str, int], whole: int, words: Callable[[int], str]) -> str:
    items = sorted(parts.items(), key=lambda item: -item[1])
    texts = [f"{_KINDS.get(name, name)} {words(n)} ({share(n, whole)})" for name, n in items if n]
    return ": " + ", ".join(texts) if texts else ""


def _memory(account: Account) -> Iterator[tuple[str, str]]:
    plan = account.plan
    evidence = "exact" if plan.exact else "at least"
    kernels = account.profile.kernels if account.profile else ""
    runtime = f"{plan.runtime} with {kernels} kernels" if kernels else plan.runtime
    yield "memory", f"{size(plan.size)} of activations in {runtime} ({evidence}); {_bound(account)}"
    yield from (("", reason) for reason in plan.reasons)
    if plan.persistent and plan.persistent.high:
        yield "", f"and {_band(plan.persistent)} that stays beside it"
    if plan.arena and plan.runtime == "tflm":
        yield "arena", f"{_band(plan.arena)} in all"
    yield from _device(account)


def _band(band: Band) -> str:
    return f"{size(band.value)} (estimated: {size(band.low)} to {size(band.high)})"


def _bound(account: Account) -> str:
    plan = account.plan
    if not account.placed:
        return "what is held at the fullest op"
    if plan.size <= plan.lower_bound:
        return "no placement needs less in this order of ops"
    return f"{size(plan.size - plan.lower_bound)} more than its fullest op uses"


def _device(account: Account) -> Iterator[tuple[str, str]]:
    profile = account.profile
    if profile is None:
        return
    for kind, what, needed in (
        ("ram", "activations take", account.plan.size),
        ("flash", "the model takes", account.graph.size + account.graph.external_size),
    ):
        there = profile.largest(kind)
        if there:
            part = f"{share(needed, there) or '0 %'} of the {size(there)} of {kind}"
            yield "device", f"{profile.name}: {what} {part}{_fits(needed, there)}"


def _fits(needed: int, there: int) -> str:
    return "" if needed <= there else ", which is too much"
