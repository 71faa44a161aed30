"""What a model shall run on beside the CPU: a delegate of LiteRT, or a provider of ONNX Runtime."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from .refusal import Refusal

GPU = "gpu"


@dataclass(frozen=True)
class Acceleration:
    """
    What was asked for.

    Attributes:
        delegate: "gpu", or the library of an external delegate; "" for none.
        provider: of ONNX Runtime, as in `PROVIDERS`; "" for none.
        options: of either.
        emulated: whether it shall be a program on the CPU, as a stand-in: else it must not.
    """

    delegate: str = ""
    provider: str = ""
    options: Mapping[str, str] = field(default_factory=dict)
    emulated: bool = False

    def __bool__(self) -> bool:
        return bool(self.delegate or self.provider)


NOTHING = Acceleration()


@dataclass(frozen=True)
class Provider:
    """
    An execution provider of ONNX Runtime.

    Attributes:
        name: ONNX Runtime's own.
        distribution: what pip calls the build that has it.
        published: whether PyPI has that build; else it must be made.
        processor: whether it computes on the CPU, in the process's own memory.
    """

    name: str
    distribution: str = "onnxruntime"
    published: bool = True
    processor: bool = False


# ONNX Runtime documentation, "Execution Providers"; setup.py for the names of builds of one's
# own; the lists of files on PyPI for the others.
PROVIDERS: Mapping[str, Provider] = {
    "ACL": Provider("ACLExecutionProvider", "onnxruntime-acl", published=False, processor=True),
    "ArmNN": Provider("ArmNNExecutionProvider", "onnxruntime-armnn", published=False),
    "CANN": Provider("CANNExecutionProvider", "onnxruntime-cann"),
    "CoreML": Provider("CoreMLExecutionProvider"),
    "CUDA": Provider("CUDAExecutionProvider", "onnxruntime-gpu"),
    "DirectML": Provider("DmlExecutionProvider", "onnxruntime-directml"),
    "MIGraphX": Provider("MIGraphXExecutionProvider", "onnxruntime-migraphx"),
    "NNAPI": Provider("NnapiExecutionProvider", published=False),
    "OneDNN": Provider(
        "DnnlExecutionProvider", "onnxruntime-dnnl", published=False, processor=True
    ),
    "OpenVINO": Provider("OpenVINOExecutionProvider", "onnxruntime-openvino"),
    "QNN": Provider("QNNExecutionProvider", "onnxruntime-qnn"),
    "RKNPU": Provider("RknpuExecutionProvider", published=False),
    "ROCm": Provider("ROCMExecutionProvider", "onnxruntime-rocm"),
    "TensorRT": Provider("TensorrtExecutionProvider", "onnxruntime-gpu"),
    "VitisAI": Provider("VitisAIExecutionProvider", "onnxruntime-vitisai", published=False),
    "WebGPU": Provider("WebGpuExecutionProvider", "onnxruntime-webgpu"),
    "XNNPACK": Provider("XnnpackExecutionProvider", published=False, processor=True),
}
"""By the names that a budget file writes."""
MAKE = "no build on PyPI has it: build ONNX Runtime with it, for the python in [device]"


def check(asked: Acceleration, name: str, *, software: bool) -> None:
    """
    Refuse a program that passes for an accelerator, and the other way round.

    Vulkan's loader may find SwiftShader or llvmpipe where there is no GPU.
    """
    if software and not asked.emulated:
        raise Refusal(
            "accelerator",
            f"there is no GPU but {name}, which is a program on the CPU",
            'run = "emulate-gpu" asks for one',
        )
    if asked.emulated and not software:
        raise Refusal("accelerator", f"the emulated GPU was asked for, and {name} answered")


def refuse(acceleration: Acceleration, runtime: str) -> None:
    """Refuse what a runtime has not: a provider is ONNX Runtime's alone, a delegate is not."""
    asked = (
        f"delegate {acceleration.delegate!r}"
        if acceleration.delegate
        else f"provider {acceleration.provider!r}"
    )
    raise Refusal("accelerator", f"{runtime} has no {asked}")
