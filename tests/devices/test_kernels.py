"""The build of CMSIS-NN that a CPU tells."""

from __future__ import annotations

from dataclasses import replace

from pytest_edgebudget.devices import load_profile, profiles
from pytest_edgebudget.devices.kernels import kernels_of

ETHOS_U = (
    *(f"ethos-u55-{macs}" for macs in (32, 64, 128, 256)),
    *(f"ethos-u65-{macs}" for macs in (256, 512)),
    *(f"ethos-u85-{macs}" for macs in (128, 256, 512, 1024, 2048)),
)


def test_each_microcontroller_of_ours_tells_its_build_of_cmsis_nn() -> None:
    found = {name: load_profile(path) for name, path in profiles().items()}
    builds = {name: kernels_of(it) for name, it in found.items() if it.kernels == "cmsis-nn"}
    assert builds == {
        "nrf52840-tflm": "cmsis-nn-dsp",
        **dict.fromkeys(ETHOS_U, "cmsis-nn-mve"),
        "stm32h743-tflm": "cmsis-nn-dsp",
        "stm32h7a3-tflm": "cmsis-nn-dsp",
        "stm32l4r5-tflm": "cmsis-nn-dsp",
        "stm32u575-tflm": "cmsis-nn-dsp",
        "rp2040-tflm": "cmsis-nn-plain",
        "stm32f746-tflm": "cmsis-nn-dsp",
    }


def test_a_cpu_that_is_not_known_leaves_all_builds_possible() -> None:
    pico = load_profile(profiles()["rp2040-tflm"])
    assert kernels_of(replace(pico, cpu="Cortex-M99")) == "cmsis-nn"
    assert kernels_of(replace(pico, cpu="")) == "cmsis-nn"


def test_other_kernels_have_no_builds() -> None:
    pico = load_profile(profiles()["rp2040-tflm"])
    assert kernels_of(replace(pico, kernels="reference")) == "reference"
    assert kernels_of(replace(pico, kernels="")) == ""
