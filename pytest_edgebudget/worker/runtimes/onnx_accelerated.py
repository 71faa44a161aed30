"""
An execution provider of ONNX Runtime, and the proof of what it ran.

ONNX Runtime goes on with the CPU when a provider is not there or does not
start, and says so in its log at most: here its own list of what became of each
node counts, and a profile of a run.
"""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from ..acceleration import MAKE, PROVIDERS, Acceleration, Provider
from ..refusal import Refusal
from . import vulkan
from .base import Array
from .onnx import OnnxModel, OnnxRuntime

CPU = "CPUExecutionProvider"
RECORD = "session.record_ep_graph_assignment_info"
"""Session option since 1.24: keep which provider was given which nodes."""
TIMED = "_kernel_time"


def open_provider(plain: OnnxRuntime, library: Any, acceleration: Acceleration) -> ProviderRuntime:
    """The runtime with the provider that was asked for, if this build has it."""
    if acceleration.provider not in PROVIDERS:
        hint = f"known: {', '.join(PROVIDERS)}"
        raise Refusal("accelerator", f"there is no provider {acceleration.provider!r}", hint)
    provider = PROVIDERS[acceleration.provider]
    there = library.get_available_providers()
    if provider.name not in there:
        raise Refusal(
            "accelerator",
            f"this onnxruntime {plain.version} has no {acceleration.provider}: "
            f"it has {', '.join(name.removesuffix('ExecutionProvider') for name in there)}",
            _hint(provider),
        )
    return ProviderRuntime(library, acceleration, provider)


def _hint(provider: Provider) -> str:
    if not provider.published:
        return MAKE
    return (
        f"pip install {provider.distribution} numpy, in an environment of its own: "
        "python = '...' in [device]"
    )


class ProviderRuntime(OnnxRuntime):
    """The imported library with one provider, and the CPU for what that does not run."""

    def __init__(self, library: Any, acceleration: Acceleration, provider: Provider) -> None:
        super().__init__(library)
        self._asked = acceleration
        self._provider = provider

    def load(self, path: str, threads: int) -> ProviderModel:
        """Create a session, and see that the provider is in it."""
        options = self._options(threads)
        options.add_session_config_entry(RECORD, "1")
        return ProviderModel(self, path, threads, self.session(path, options))

    def session(self, path: str, options: Any) -> Any:
        """A session with the provider; refuses to go on without it."""
        name = self._provider.name
        try:
            session = self._library.InferenceSession(
                path,
                sess_options=options,
                providers=[(name, dict(self._asked.options)), CPU],
                enable_fallback=0,
            )
        except Exception as error:
            self._library.InferenceSession(path, providers=[CPU])  # else it is the model's fault
            reason = " ".join(str(error).split())
            message = f"the provider {self._asked.provider} does not start: {reason}"
            raise Refusal("accelerator", message, _START) from error
        if name not in session.get_providers():
            message = f"onnxruntime left out the provider {self._asked.provider} without an error"
            raise Refusal("accelerator", message, _START)
        return session

    @property
    def asked(self) -> str:
        """The provider as a budget file names it."""
        return self._asked.provider

    @property
    def provider(self) -> str:
        """The provider as ONNX Runtime names it."""
        return self._provider.name

    def profiling(self, threads: int, prefix: str) -> Any:
        """Options of a session that writes a profile."""
        options = self._options(threads)
        # The CPU's part is not fused any further then, so that its nodes keep their names;
        # what providers are given is decided before.
        options.graph_optimization_level = self._library.GraphOptimizationLevel.ORT_ENABLE_BASIC
        options.enable_profiling = True
        options.profile_file_prefix = prefix
        return options


_START = "its driver or a library of its own may be missing: see its page in ONNX Runtime's docs"


class ProviderModel(OnnxModel):
    """A session of which a provider runs a part; see `base.Model`."""

    def __init__(self, runtime: ProviderRuntime, path: str, threads: int, session: Any) -> None:
        super().__init__(session)
        self._runtime = runtime
        self._path = path
        self._threads = threads
        self._idle: str | None = None
        drivers = vulkan.software() if runtime.asked == "WebGPU" else []
        self.software = bool(drivers)
        self.accelerator = " on ".join([runtime.asked, *drivers])

    def set_input(self, index: int, value: Array) -> None:
        """Bind a copy: what is bound is copied to the device then, and not when it runs."""
        self._buffers[index] = np.array(value, order="C")
        self._binding.bind_cpu_input(self.inputs[index].tensor, self._buffers[index])

    @property
    def idle(self) -> str:
        """That the provider ran nothing; empty where it did."""
        if self._idle is None:
            named = any(name == self._runtime.provider for name, _ in self._assigned() or ())
            self._idle = "" if named or self._ran() else self._nothing()
        return self._idle

    def _nothing(self) -> str:
        return f"the provider {self._runtime.asked} takes not one node of the model"

    def _ran(self) -> bool:
        """Whether it runs a kernel in truth: the list may leave out what it has."""
        return any(name == self._runtime.provider for name, _, _ in self._profile())

    def placement(self) -> dict[str, Any]:
        """
        Which provider was given which nodes, and which ran some in a profiled run.

        *assigned*: (provider, (kind, name) of each node) of each piece, None where
        this version does not tell: of a provider that compiles, what it took. WebGPU's
        part of it has holes (1.27). *ran*: (provider, kind, name) of each kernel.
        """
        return {
            "how": "nodes",
            "provider": self._runtime.provider,
            "assigned": self._assigned(),
            "ran": self._profile(),
        }

    def _assigned(self) -> list[tuple[str, list[tuple[str, str]]]] | None:
        tell = getattr(self._session, "get_provider_graph_assignment_info", None)
        if tell is None:
            return None
        return [
            (piece.ep_name, [(node.op_type, node.name) for node in piece.get_nodes()])
            for piece in tell()
        ]

    def _profile(self) -> list[tuple[str, str, str]]:
        with tempfile.TemporaryDirectory(prefix="edgebudget-") as folder:
            options = self._runtime.profiling(self._threads, str(Path(folder) / "profile"))
            session = self._runtime.session(self._path, options)
            OnnxModel(session).invoke()
            events = json.loads(Path(session.end_profiling()).read_text(encoding="utf-8"))
        kernels = {
            event["name"]: (event["args"]["provider"], event["args"]["op_name"], _node(event))
            for event in events
            if event.get("cat") == "Node" and event.get("args", {}).get("provider")
        }
        return list(kernels.values())


def _node(event: dict[str, Any]) -> str:
    name: str = event["name"]
    return name[: -len(TIMED)] if name.endswith(TIMED) else name
