"""
Each layer in C answers to the bit as TensorFlow Lite Micro and LiteRT's reference kernels do.

The C is compiled by this machine's gcc here; `test_emulate` runs it on cores.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from pytest_edgebudget.devices.cortex_m.generator import Program, generate
from pytest_edgebudget.graph.files import read
from tests.devices.cortex_m.here import Here, Job, random_samples
from tests.devices.cortex_m.one_op import MAKERS
from tests.devices.cortex_m.runtimes import micro, reference

MODELS = 24  # of each kind: 360 in all
SAMPLES = 4


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Here:
    return Here(tmp_path_factory.mktemp("here"))


def compiled(model: bytes, folder: Path) -> Program:
    path = folder / "model.tflite"
    path.write_bytes(model)
    return generate(read(path))


@pytest.mark.parametrize("kind", MAKERS)
def test_a_layer_of_random_shape_and_scale_answers_as_the_reference_kernels(
    kind: str, here: Here, tmp_path: Path
) -> None:
    models = [MAKERS[kind](seed) for seed in range(MODELS)]
    programs = [compiled(model, tmp_path) for model in models]
    jobs = [Job(p, random_samples(p, SAMPLES, seed)) for seed, p in enumerate(programs)]
    answers = here.run(jobs)

    wanted = [micro(model, job.samples) for model, job in zip(models, jobs, strict=True)]
    assert answers == wanted
    others = [reference(model, job.samples) for model, job in zip(models, jobs, strict=True)]
    assert sum(other is not None for other in others) > MODELS / 2
    for mine, other in zip(answers, others, strict=True):
        if other is not None:
            assert furthest(mine, other) <= (1 if kind == "dense" else 0)


def furthest(mine: list[bytes], other: list[bytes]) -> int:
    """
    The largest difference, in steps of the output (or bits of its floats).

    LiteRT's FULLY_CONNECTED rounds once even among its reference kernels, where
    TensorFlow Lite Micro, and LiteRT itself in convolutions, round twice.
    """
    pairs = [
        (np.frombuffer(pair, np.int8).astype(int)) for pair in (b"".join(mine), b"".join(other))
    ]
    return int(np.abs(pairs[0] - pairs[1]).max())
