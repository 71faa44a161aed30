"""The keys of ``[device]`` that name what runs models beside the CPU: a delegate, a provider."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from pytest_edgebudget.budget.load import Loader
from pytest_edgebudget.budget.mistakes import Mistakes, suggest
from pytest_edgebudget.budget.tree import Node
from pytest_edgebudget.devices.runtimes import RUNTIMES
from pytest_edgebudget.devices.ways import ADDRESSES, WAYS
from pytest_edgebudget.types import Profile
from pytest_edgebudget.worker.acceleration import GPU, PROVIDERS

ONNX = "onnxruntime"
INTERPRETERS = ("litert", "tflite-runtime")
EMULATED = "emulate-gpu"
WEBGPU = "WebGPU"
ABLE = ("host", EMULATED, "ssh", "adb")
"""Ways to run that have something beside the CPU; those of extensions may."""
LIBRARIES = (".so", ".dylib", ".dll")
SUFFIX = "ExecutionProvider"


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """
    What it is for: *profile*, its chosen *runtimes*, and how it *runs*.

    *run* is empty where that is wrong already.
    """

    profile: Profile
    runtimes: tuple[str, ...]
    run: str

    @property
    def way(self) -> str:
        """The way to run, without its address."""
        return self.run.partition("://")[0]


@dataclass(frozen=True, slots=True)
class AccelerationReader:
    """Reads ``delegate``, ``provider`` and ``options``; what is wrong goes to *mistakes*."""

    loader: Loader
    mistakes: Mistakes

    def delegate(self, node: Node | None, target: Target) -> str | None:
        """The delegate: "gpu", a library's absolute path, or its plain name for the loader."""
        if node is None:
            return None
        name = node.text
        if not self._able(node, target):
            return None
        if not set(INTERPRETERS) & set(target.runtimes):
            said = (
                f"a delegate is LiteRT's, and {target.profile.name} runs {_words(target.runtimes)}"
            )
            self.mistakes.add(node.place, said, f"write provider = ... for {ONNX}")
        elif name == GPU and "litert" not in target.runtimes:
            self.mistakes.add(node.place, f'{_words(target.runtimes)} has no delegate "{GPU}"')
        elif name != GPU and target.way == EMULATED:
            self._no_such_gpu(node, name, GPU)
        elif name != GPU and not _is_library(name):
            near = suggest(name, [GPU])
            hint = near if near.startswith("did") else f'write "{GPU}", or "path/to/delegate.so"'
            said = f'delegate = "{name}" is neither "{GPU}" nor a library'
            self.mistakes.add(node.place, said, hint)
        elif os.sep in name and target.way not in ADDRESSES:
            return self._library(node)
        return name

    def _library(self, node: Node) -> str:
        path = self.loader.absolute(node.text, node)
        if not _is_file(path):
            self.mistakes.add(node.place, f"there is no library {node.text}")
        return str(path)

    def provider(self, node: Node | None, target: Target) -> str | None:
        """The provider, as `PROVIDERS` names it."""
        if node is None or not self._able(node, target):
            return None
        name = {key.lower(): key for key in PROVIDERS}.get(_short(node.text).lower())
        if name is None:
            said = f'there is no execution provider "{node.text}"'
            self.mistakes.add(node.place, said, suggest(_short(node.text), PROVIDERS))
            return None
        if ONNX not in target.runtimes:
            runs = _words(target.runtimes)
            said = f"a provider is ONNX Runtime's, and {target.profile.name} runs {runs}"
            self.mistakes.add(node.place, said, "write delegate = ... for LiteRT")
        elif target.way == EMULATED and name != WEBGPU:
            self._no_such_gpu(node, name, WEBGPU)
        return name

    def options(
        self, node: Node | None, delegate: Node | None, provider: Node | None
    ) -> tuple[tuple[str, str], ...]:
        """Names and values, of the one that is named."""
        if node is None:
            return ()
        if delegate is None and provider is None:
            said = "options of what? there is neither a delegate nor a provider"
            self.mistakes.add(node.place, said, f'write delegate = "{GPU}", or provider = "CUDA"')
        elif delegate is not None and provider is not None:
            said = "options of the delegate, or of the provider?"
            self.mistakes.add(node.place, said, "give each its own budget file")
        return tuple((name, value.text) for name, value in _items(node.table))

    def _able(self, node: Node, target: Target) -> bool:
        if not target.run or target.way in ABLE or target.way not in WAYS:
            return True
        self.mistakes.add(
            node.place,
            f'run = "{target.way}" runs models on nothing of that kind',
            f"ways that do: {', '.join(name for name in ABLE if name in WAYS)}",
        )
        return False

    def _no_such_gpu(self, node: Node, name: str, known: str) -> None:
        said = f'the emulated GPU is reached by "{known}", not by "{name}"'
        self.mistakes.add(node.place, said, f'write "{known}", or leave it out')


def _items(table: Mapping[str, Node]) -> list[tuple[str, Node]]:
    return sorted(table.items())


def _short(name: str) -> str:
    """A provider's name without what ONNX Runtime puts behind all of them."""
    return name.removesuffix(SUFFIX)


def _is_library(name: str) -> bool:
    """A path, or what a loader of libraries looks for: ``libedgetpu.so.1``."""
    return os.sep in name or any(f"{suffix}." in f"{name}." for suffix in LIBRARIES)


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except (OSError, ValueError):
        return False


def _words(runtimes: tuple[str, ...]) -> str:
    return " and ".join(name for name in runtimes if name in RUNTIMES)
