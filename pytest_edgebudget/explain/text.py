"""The account of a model as text for a terminal."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from textwrap import wrap

from pytest_edgebudget.explain.account import Account
from pytest_edgebudget.explain.memory_map import memory_map
from pytest_edgebudget.explain.peak import peak_lines
from pytest_edgebudget.explain.table import layer_table
from pytest_edgebudget.explain.words import (
    WIDTH,
    count,
    many,
    printable,
    shape,
    share,
    shorten,
    size,
)
from pytest_edgebudget.graph.arena import Band

_FORMATS = {"tflite": "TensorFlow Lite", "onnx": "ONNX"}
_MOST_ENDS = 4
_KINDS = {"fully_connected": "fully connected", "matmul": "matmul (attention)"}


def as_text(account: Account, width: int = WIDTH) -> str:
    """
    Header, layers, time, memory map, peak and advice.

    No line but the first, the model's path, has more than *width* columns (40 at least).
    """
    lines = [*_header(account, width), "", *layer_table(account, width)]
    if account.times:
        from pytest_edgebudget.explain.time_text import time_lines  # loaded with a profile only

        lines += ["", *time_lines(account.times, account.named, width)]
    blocks = [*memory_map(account, width)]
    if blocks:
        lines += ["", f"Memory map{_open(account)}", *blocks]
    peak = [*peak_lines(account, width, _open(account))]
    if peak:
        lines += ["", *peak]
    return "\n".join(lines) + "\n"


def _header(account: Account, width: int) -> Iterator[str]:
    graph = account.graph
    opset = f", opset {graph.opset}" if graph.opset else ""
    outside = f", and {size(graph.external_size)} beside it" if graph.external else ""
    yield printable(str(account.path))
    file = f"{_FORMATS[graph.format]}{opset}, {size(graph.size)}{outside}"
    yield from _field("format", file, width)
    for item in (_ends(account), _arithmetic(account), _sizes(account), _memory(account)):
        for title, text in item:
            yield from _field(title, text, width)


def _field(title: str, text: str, width: int) -> Iterator[str]:
    lines = wrap(text, width, initial_indent=f"  {title:11}", subsequent_indent=" " * 13)
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
    unsure = bool(totals.uncounted)
    kinds = _parts(totals.macs_by_kind, totals.macs, count)
    yield "MACs", _sum(totals.macs, count(totals.macs), unsure) + kinds
    others = f"{count(totals.operations)} operations"
    what = ": biases, activations, pooling ..."
    yield "other", _sum(totals.operations, others, unsure) + what
    moved = f"{size(totals.read)} read, {size(totals.written)} written by all ops"
    yield "traffic", _sum(totals.read + totals.written, moved, unsure)
    whole = sum(totals.stored.values())
    yield "weights", f"{count(totals.parameters)} parameters (exact)"
    yield "constants", f"{size(whole)} (exact){_parts(totals.stored, whole, size)}"
    if totals.uncounted:
        yield "", f"{many(totals.uncounted, 'op')} cannot be counted from the file"


def _sum(value: int, words: str, unsure: bool) -> str:
    if not unsure:
        return f"{words} (exact)"
    return f"{words} (at least)" if value else "not known"


def _sizes(account: Account) -> Iterator[tuple[str, str]]:
    """What was taken for sizes that the file leaves open."""
    if account.batch:
        yield "batch", "dynamic: all figures are for a batch of one"
    for opened in account.open_sizes:
        axes = " and ".join(map(str, opened.axes))
        which = f"dimensions {axes}" if len(opened.axes) > 1 else f"dimension {axes}"
        name = shorten(printable(opened.tensor.name), 30)
        yield (
            "open",
            f"{which} of {name} (the first is 0): memory counts 1 for each, and is more in a "
            "real run",
        )


def _open(account: Account) -> str:
    return ", with 1 for each open size" if account.open_sizes else ""


def _parts(parts: Mapping[str, int], whole: int, words: Callable[[int], str]) -> str:
    items = sorted(parts.items(), key=lambda item: -item[1])
    texts = [f"{_KINDS.get(name, name)} {words(n)} ({share(n, whole)})" for name, n in items if n]
    return ": " + ", ".join(texts) if texts else ""


def _memory(account: Account) -> Iterator[tuple[str, str]]:
    plan = account.plan
    evidence = "exact" if account.exact else "at least"
    where = f"{account.runtime}, on the CPU alone" if account.compiler else account.runtime
    yield "memory", f"{size(plan.size)} of activations in {where} ({evidence}); {_bound(account)}"
    if account.compiler:
        yield (
            "",
            (f"what {account.compiler} runs is planned anew for it: this is the plan without it"),
        )
    yield from (("", reason) for reason in plan.reasons)
    if plan.persistent and plan.persistent.high:
        yield "", f"and {_band(plan.persistent)} that stays beside it"
    if plan.arena and plan.runtime == "tflm":
        yield "arena", f"{_band(plan.arena)} in all"
        if plan.transient > plan.size:
            yield "", f"to plan takes {size(plan.transient)}, in the place of the activations"
    yield from _device(account)


def _band(band: Band) -> str:
    low, high = size(band.low), size(band.high)
    spread = "estimated" if low == high else f"estimated: {low} to {high}"
    return f"{size(band.value)} ({spread})"


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
    alone = ", planned for the CPU alone," if account.compiler else ""
    for kind, what, needed in (
        ("ram", f"activations{alone} take", account.plan.size),
        ("flash", "the model takes", account.graph.size + account.graph.external_size),
    ):
        there = profile.largest(kind)
        if there:
            part = f"{share(needed, there) or '0 %'} of the {size(there)} of {kind}"
            yield "device", f"{profile.name}: {what} {part}{_fits(needed, there)}"


def _fits(needed: int, there: int) -> str:
    return "" if needed <= there else ", which is too much"
