"""delegate, provider and options of [device]: what they mean, and every mistake with its line."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.budget.project import Project

GPU = """
title = "a GPU"
runtimes = ["litert", "onnxruntime"]
accelerator = "gpu-delegate"
default_run = "emulate-gpu"
"""


@pytest.fixture
def project(project: Project) -> Project:
    """With a profile of a GPU, and a library."""
    (project.root / "gpu.toml").write_text(GPU)
    project.write("budgets/libs/delegate.so", b"\x7fELF")
    profiles = {**project.registry.profiles, "gpu": project.root / "gpu.toml"}
    return Project(project.root, replace(project.registry, profiles=profiles))


def budget(project: Project, device: str) -> str:
    model = project.model('size = "1 KiB"')
    return f"[device]\n{device}\n{model}"


def test_they_are_in_the_choice(project: Project) -> None:
    path = str(project.root / "budgets/libs/delegate.so")
    for written, delegate, provider, options in (
        ("", None, None, ()),
        ('delegate = "gpu"', "gpu", None, ()),
        (
            'delegate = "libs/delegate.so"\noptions.b = "2"\noptions.a = "1"',
            path,
            None,
            (("a", "1"), ("b", "2")),
        ),
        ('delegate = "libedgetpu.so.1"', "libedgetpu.so.1", None, ()),
        ('provider = "cuda"', None, "CUDA", ()),
        ('provider = "TensorrtExecutionProvider"', None, "TensorRT", ()),
        ('delegate = "gpu"\nprovider = "OpenVINO"', "gpu", "OpenVINO", ()),
        ('profile = "gpu"', None, None, ()),
        ('profile = "gpu"\ndelegate = "gpu"\nprovider = "WebGPU"', "gpu", "WebGPU", ()),
        (
            'profile = "raspberry-pi-4"\nrun = "ssh://pi@pi"\ndelegate = "/opt/there.so"',
            "/opt/there.so",
            None,
            (),
        ),
    ):
        choice = project.read(budget(project, written)).device
        assert (choice.delegate, choice.provider, choice.options) == (delegate, provider, options)


@pytest.mark.parametrize(
    ("device", "mistake"),
    [
        ('delegate = "GPU"', '2: device.delegate: delegate = "GPU" is neither "gpu" nor a library (did you mean gpu?)'),
        ('delegate = "coral"', '2: device.delegate: delegate = "coral" is neither "gpu" nor a library (write "gpu", or "path/to/delegate.so")'),
        ('delegate = "libs/none.so"', "2: device.delegate: there is no library libs/none.so"),
        ("delegate = true", '2: device.delegate: must be a string (such as: delegate = "gpu")'),
        ('delgate = "gpu"', '2: device.delgate: unknown key "delgate" (did you mean delegate?)'),
        ('runtime = "onnxruntime"\ndelegate = "gpu"', "3: device.delegate: a delegate is LiteRT's, and host runs onnxruntime (write provider = ... for onnxruntime)"),
        ('profile = "raspberry-pi-4"\nruntime = "tflite-runtime"\ndelegate = "gpu"', '4: device.delegate: tflite-runtime has no delegate "gpu"'),
        ('provider = "CUBA"', '2: device.provider: there is no execution provider "CUBA" (did you mean CUDA?)'),
        ('profile = "raspberry-pi-4"\nprovider = "ACL"', "3: device.provider: a provider is ONNX Runtime's, and raspberry-pi-4 runs litert and tflite-runtime (write delegate = ... for LiteRT)"),
        ('options.a = "1"', '2: device.options: options of what? there is neither a delegate nor a provider (write delegate = "gpu", or provider = "CUDA")'),
        ('delegate = "gpu"\nprovider = "CUDA"\noptions.a = "1"', "4: device.options: options of the delegate, or of the provider? (give each its own budget file)"),
        ('provider = "CUDA"\noptions.device_id = 1', '3: device.options.device_id: must be a string (such as: NAME = "true")'),
        ('run = "static"\ndelegate = "gpu"', '3: device.delegate: run = "static" runs models on nothing of that kind (ways that do: host, emulate-gpu, ssh'),
        ('run = "hosst"\ndelegate = "gpu"', '2: device.run: there is no way to run called "hosst" (did you mean host?)'),
        ('profile = "gpu"\nprovider = "CUDA"', '3: device.provider: the emulated GPU is reached by "WebGPU", not by "CUDA" (write "WebGPU", or leave it out)'),
        ('profile = "gpu"\ndelegate = "libedgetpu.so.1"', '3: device.delegate: the emulated GPU is reached by "gpu", not by "libedgetpu.so.1" (write "gpu", or leave it out)'),
    ],
)  # fmt: skip
def test_mistakes_name_the_line_and_what_to_write(
    project: Project, device: str, mistake: str
) -> None:
    (found,) = project.mistakes(budget(project, device))
    assert found.startswith(f"budgets/pi4.toml:{mistake}")
