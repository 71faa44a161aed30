"""
MLPerf Tiny's integer models, compiled, on emulated cores.

Their answers are compared with TensorFlow Lite Micro's. LiteRT's reference
kernels give the same but for FULLY_CONNECTED, where they round once.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from pytest_edgebudget import graph
from pytest_edgebudget.devices import profile_named
from pytest_edgebudget.devices.cortex_m import emulate
from pytest_edgebudget.devices.cortex_m.boards import CORES
from pytest_edgebudget.devices.cortex_m.build import Builder, Memory
from pytest_edgebudget.devices.cortex_m.tools import Keeper
from tests.devices.cortex_m.runtimes import Sample, micro, reference
from tests.devices.cortex_m.tools import needs_tools

pytestmark = [pytest.mark.reference, needs_tools]

MODELS = {
    "kws_dscnn/models/kws_int8": (1, 49, 10, 1),
    "ic_resnet8/models/resnet8_int8": (1, 32, 32, 3),
    "ic_resnet8/models/resnet8_large_int8": (1, 32, 32, 3),
    "ad_autoencoder/models/ad01_int8": (1, 640),
}
DEVICES = {
    "Cortex-M0+": "rp2040-tflm",
    "Cortex-M4": "stm32l4r5-tflm",
    "Cortex-M7": "stm32f746-tflm",
    "Cortex-M33": "stm32u575-tflm",
}


@pytest.fixture(scope="module")
def keeper() -> Iterator[Keeper]:
    with Keeper() as keeper:
        yield keeper


def samples_of(models: Path, name: str, count: int) -> list[Sample]:
    """Real ones where there are any, else numbers drawn at random."""
    shape = MODELS[name]
    data = models / name.partition("/")[0] / "data.npz"
    if not data.is_file():
        draw = np.random.default_rng(0)
        return [[draw.integers(-128, 128, shape, dtype=np.int8)] for _ in range(count)]
    with np.load(data) as arrays:
        given = arrays["x_test"][:: len(arrays["x_test"]) // count][:count]
    if given.dtype == np.uint8:
        given = (given.astype(np.int16) - 128).astype(np.int8)
    return [[each.reshape(shape)] for each in given]


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("core", ["Cortex-M4"])
def test_a_reference_model_answers_to_the_bit_on_a_core_and_fits_its_board(
    name: str, core: str, keeper: Keeper, reference_models: Path
) -> None:
    built_and_compared(name, core, keeper, reference_models, count=4)


@pytest.mark.slow
@pytest.mark.parametrize("name", list(MODELS)[:2] + list(MODELS)[3:])
@pytest.mark.parametrize("core", ["Cortex-M0+", "Cortex-M7", "Cortex-M33", "Cortex-M55"])
def test_it_does_so_on_other_cores(
    name: str, core: str, keeper: Keeper, reference_models: Path
) -> None:
    built_and_compared(name, core, keeper, reference_models, count=2)


def built_and_compared(name: str, core: str, keeper: Keeper, models: Path, count: int) -> None:
    path = models / f"{name}.tflite"
    model, samples = path.read_bytes(), samples_of(models, name, count)
    profile = profile_named(DEVICES.get(core, "stm32l4r5-tflm"))
    builder = Builder(CORES[core], Memory(profile.largest("flash"), profile.largest("ram")))
    try:
        built = builder.build(graph.read(path), "sha", keeper)
        given = [sample[0].tobytes() for sample in samples]
        run = emulate.answers(built, given, keeper, 300.0)
        counts = emulate.instructions(built, given[0], keeper, 300.0)
    finally:
        builder.close()

    assert list(run.outputs) == micro(model, samples)
    assert built.fits
    assert built.sizes.flash < len(model) + 8192
    assert len(counts) == len(built.program.layers)
    assert min(counts) > 0


def test_litert_rounds_dense_layers_otherwise_and_nothing_else(
    keeper: Keeper, reference_models: Path
) -> None:
    """ResNet-8 has one small dense layer, and answers as LiteRT's reference kernels do."""
    name = "ic_resnet8/models/resnet8_int8"
    path = reference_models / f"{name}.tflite"
    samples = samples_of(reference_models, name, 8)
    builder = Builder(CORES["Cortex-M4"], Memory(None, None))
    try:
        built = builder.build(graph.read(path), "sha", keeper)
        given = [sample[0].tobytes() for sample in samples]
        outputs = emulate.answers(built, given, keeper, 300.0).outputs
    finally:
        builder.close()
    assert list(outputs) == reference(path.read_bytes(), samples)
