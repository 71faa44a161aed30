"""
How the published rows are grouped: pools of like runtimes, domains that are fitted together.

Prior costs are relative to a multiply-accumulate of a 1x1 convolution; they are
what is assumed of a kind of operator where no row tells: round numbers from what
chips do (an element that misses the cache costs as much as several
multiply-accumulates; a launch on a GPU as much as millions). They, and the noise and
deviations of each domain, were revised after a look at the errors of families left out,
and those of the Edge TPU at its published rows: figures of that validation are a little
better than those of families that nobody has seen, the Edge TPU's most. Of settings
alike, those amid a plateau were taken and not the best: chosen anew for each family by
the errors of the others, the best of many settings did worse than a plain one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pytest_edgebudget.estimate.features import FEATURES

CACHE = 8 * 2**20
"""Bytes of parameters that an Edge TPU keeps (coral.ai: "roughly 8 MB of SRAM")."""

DOMAINS: Mapping[str, tuple[str, ...]] = {
    "cpu": ("cpu-float", "cpu-int8", "ncnn-float", "ncnn-int8"),
    "mcu": ("xcube-old", "xcube-new", "mcu-int8", "mcu-float", "tinymaix"),
    "gpu": ("gpu", "gpu-int8"),
    "edge-tpu": ("edge-tpu",),
}
"""Pools of runtimes by domain; the rows of a domain are fitted, and families left out, together."""

LEVELS = ("runtime", "era", "core", "threads", "device", "group", "pool", "precision", "pool-core")
"""What a row shares with others, coarse and fine: each has its own deviation."""


@dataclass(frozen=True, slots=True)
class Prior:
    """
    What is assumed before a row is read.

    *costs*: relative cost of each feature. *shape*: by level, how far (standard
    deviation of the logarithm) the costs of one member are from those of all.
    *scale*: the same for the speed as a whole. *noise*: standard deviations of the
    logarithm of a reading, of a model and of a family around the fit; that of a reading
    has in it what a kernel does to one model on one core, and no feature tells.
    *alike*: correlations of like operators, one for each fit. *plain*: whether fits by
    plain least squares are averaged in, too. *base*: by how much the costs of all are
    freer (or less free) than `fit` assumes.
    """

    costs: tuple[float, ...]
    shape: Mapping[str, float]
    scale: Mapping[str, float]
    noise: tuple[float, float, float] = (0.12, 0.2, 0.2)
    alike: tuple[float, ...] = (0.75, 0.0)
    base: float = 1.0
    plain: bool = False


def pool_of(row: Mapping[str, str]) -> str:
    """The pool of a row of ``latency.csv``."""
    runtime, group = row["runtime"].lower(), row["group"]
    whole = row["precision"] == "int8"
    if "edge tpu" in runtime:
        return "edge-tpu"
    if any(word in runtime for word in ("gpu", "vulkan", "nnapi", "tensorrt")):
        return "gpu-int8" if whole else "gpu"
    if "x-cube" in runtime:
        return "xcube-new" if group.startswith(("xcubeai_v8.1", "xcubeai_v9")) else "xcube-old"
    if "tinymaix" in runtime:
        return "tinymaix"
    cpu = ("ncnn",) if runtime.startswith("ncnn") else ("tflite", "xnnpack", "armnn", "paddle")
    kind = "mcu" if not any(word in runtime for word in cpu) else "ncnn" if len(cpu) == 1 else "cpu"
    return f"{kind}-{'int8' if whole else 'float'}"


def domain_of(pool: str) -> str:
    """The domain of a pool."""
    return next(name for name, pools in DOMAINS.items() if pool in pools)


def kin(runtime: str, other: str) -> bool:
    """Whether what one runtime does on a core tells well what the other does there."""
    return (runtime == "ncnn") == (other == "ncnn")


def level_names(row: Mapping[str, str], pool: str) -> tuple[str, ...]:
    """The members that a row belongs to, in the order of LEVELS."""
    runtime, core = row["runtime"], row["core"]
    return (
        runtime,
        f"{runtime}|{row['runtime_version']}",
        core,
        row["threads"] or "?",
        row["device"],
        row["group"],
        pool,
        row["precision"],
        f"{pool}|{core}",
    )


def vector(features: Mapping[str, float], domain: str, bytes_each: float) -> tuple[float, ...]:
    """Features times prior costs; an Edge TPU streams only what its cache does not hold."""
    found = dict(features)
    if domain == "edge-tpu":
        whole = (features["weight"] + features["fc_weight"]) * bytes_each
        found["weight"], found["fc_weight"] = 0.0, max(whole - CACHE, 0.0)
    costs = PRIORS[domain].costs
    return tuple(found[name] * cost for name, cost in zip(FEATURES, costs, strict=True))


def _costs(macs: str, moved: str, rest: str) -> tuple[float, ...]:
    return tuple(float(word) for word in f"{macs} {moved} {rest}".split())


_SHAPE = dict(zip(LEVELS, (0.3, 0.2, 0.2, 0.2, 0.1, 0.15, 0.5, 0.3, 0.2), strict=True))
_SCALE = dict(zip(LEVELS, (0.5, 0.3, 0.7, 0.5, 0.3, 0.5, 0.7, 0.5, 0.2), strict=True))
_MCU_SHAPE = dict(zip(LEVELS, (0.36, 0.12, 0.24, 0, 0.09, 0.18, 0.36, 0.24, 0.18), strict=True))
_MCU_SCALE = dict(zip(LEVELS, (0.4, 0.2, 0.4, 0.0, 0.2, 0.3, 0.3, 0.3, 0.2), strict=True))

PRIORS: Mapping[str, Prior] = {
    "cpu": Prior(
        # A large kernel saves arithmetic (Winograd) and moves each element several times;
        # a hard-swish is three operators in some graphs and one in what was measured.
        _costs(".6 1 3 1 2", "15 3 5 3 1.5 1.5 1.5 2", "6 6 2e4 1e4"),
        _SHAPE,
        _SCALE,
        (0.3, 0.2, 0.2),
        alike=(0.75,),
        base=0.5,
    ),
    "mcu": Prior(
        _costs("1 1 2 1 2", "4 4 4 3 6 4 2 30", ".05 .5 400 400"),
        _MCU_SHAPE,
        _MCU_SCALE,
        (0.2, 0.2, 0.2),
        base=0.5,
    ),
    "gpu": Prior(
        _costs("1 1 4 1 2", "20 20 20 20 20 20 20 20", "40 40 2e6 2e7"),
        _SHAPE,
        _SCALE,
        plain=True,  # each group has rows of eight families and more
    ),
    "edge-tpu": Prior(
        _costs("1 1 5 1 5", "60 60 60 60 60 60 100 200", "0 1500 3e6 1e8"),
        _SHAPE,
        _SCALE,
        (0.2, 1.0, 0.5),  # some end in operators of the host, which no feature tells
    ),
}
