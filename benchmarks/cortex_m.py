"""
What integer models cost as programs of generated C on emulated Cortex-M cores.

    python benchmarks/cortex_m.py MODEL.tflite [...] [--core Cortex-M4 ...]

Flash, RAM and stack in bytes, instructions of an inference (counted twice), and
seconds: to build, of an inference on the emulated core, to count. Inputs are
random numbers; the outputs are compared with TensorFlow Lite Micro's, where it
is installed.
"""

from __future__ import annotations

import argparse
import random
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
SAMPLES = 5
LIMIT = 600.0
NAMES = (
    *("model", "core", "flash", "code", "weights", "RAM", "stack", "instructions"),
    *("build", "run", "count", "exact"),
)


def main() -> None:
    """Print a table."""
    from pytest_edgebudget.devices.cortex_m.boards import CORES
    from pytest_edgebudget.devices.cortex_m.tools import lacks

    parser = argparse.ArgumentParser(description=__doc__.splitlines()[1])
    parser.add_argument("models", nargs="+", type=Path)
    parser.add_argument("--core", nargs="+", choices=CORES, default=["Cortex-M4"])
    given = parser.parse_args()
    if missing := lacks():
        sys.exit("\n".join(f"{lack.what}: {lack.command}" for lack in missing))
    print("| " + " | ".join(NAMES) + " |")
    print("|" + " --- |" * len(NAMES))
    for model in given.models:
        for core in given.core:
            print("| " + " | ".join(row(model, core)) + " |", flush=True)


def row(model: Path, core: str) -> list[str]:
    """One model on one core."""
    from pytest_edgebudget import graph
    from pytest_edgebudget.devices.cortex_m import emulate
    from pytest_edgebudget.devices.cortex_m.boards import CORES
    from pytest_edgebudget.devices.cortex_m.build import Builder, Memory
    from pytest_edgebudget.devices.cortex_m.tools import Keeper

    builder = Builder(CORES[core], Memory(None, None))
    with Keeper() as keeper:
        start = time.perf_counter()
        built = builder.build(graph.read(model), "", keeper)
        made = time.perf_counter()
        size = sum(slot.size for slot in built.program.inputs)
        samples = [random.Random(n).randbytes(size) for n in range(SAMPLES)]
        run = emulate.answers(built, samples, keeper, LIMIT)
        ran = time.perf_counter()
        counts = {sum(emulate.instructions(built, samples[0], keeper, LIMIT)) for _ in range(2)}
        counted = time.perf_counter()
    builder.close()
    sizes = built.sizes
    return [
        *(model.stem, core, f"{sizes.flash:,}", f"{sizes.code:,}", f"{sizes.weights:,}"),
        *(f"{sizes.ram + run.stack:,}", str(run.stack), " ".join(f"{n:,}" for n in counts)),
        *(f"{made - start:.1f}", f"{(ran - made) / SAMPLES:.2f}", f"{(counted - ran) / 2:.1f}"),
        compared(model, samples, run.outputs),
    ]


def compared(model: Path, samples: list[bytes], outputs: tuple[bytes, ...]) -> str:
    """Whether TensorFlow Lite Micro gives the same bytes."""
    try:
        import numpy as np
        from tflite_micro.python.tflite_micro import runtime
    except ImportError:
        return "not compared"
    interpreter = runtime.Interpreter.from_bytes(model.read_bytes(), arena_size=1 << 26)
    shape = interpreter.get_input_details(0)["shape"]
    for sample, output in zip(samples, outputs, strict=True):
        interpreter.set_input(np.frombuffer(sample, np.int8).reshape(shape), 0)
        interpreter.invoke()
        if interpreter.get_output(0).tobytes() != output:
            return "no"
    return "yes"


if __name__ == "__main__":
    main()
