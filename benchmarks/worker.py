"""
The worker's timing against a bare loop in the same runtime.

Both run one model in a fresh process each, and take turns
block by block in random order, so that waves of other load hit both; several
pairs, because a process can be slow for all its life. Of each process counts
its fastest block, by the median of its runs; of a side, the median process.
The two sides should differ by less than 3 %. The table also has the ratio of
the CPU time that the processes took, runs and everything around them.

Run: python benchmarks/worker.py MODEL.tflite|MODEL.onnx [...]
Without arguments: the models that are bundled with the worker.
"""

from __future__ import annotations

import argparse
import json
import random
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from statistics import median
from typing import Any

from pytest_edgebudget import locks
from pytest_edgebudget.devices.client import Limits, WorkerClient
from pytest_edgebudget.devices.connection import Connection
from pytest_edgebudget.devices.host import WORKER

PAIRS = 9
ROUNDS = 12
BLOCK = 0.02  # seconds
TARGET = 0.03

BARE = """
import json, sys, time
import numpy as np
path = sys.argv[1]
if path.endswith(".onnx"):
    import onnxruntime
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    binding = session.io_binding()
    for value in session.get_inputs():
        shape = [n if isinstance(n, int) else 1 for n in value.shape]
        binding.bind_cpu_input(value.name, np.zeros(shape, np.float32))
    for value in session.get_outputs():
        binding.bind_output(value.name, "cpu")
    invoke = lambda: session.run_with_iobinding(binding)
else:
    from ai_edge_litert.interpreter import Interpreter
    interpreter = Interpreter(model_path=path, num_threads=1)
    interpreter.allocate_tensors()
    invoke = interpreter.invoke
def block(runs, clock=time.perf_counter_ns, invoke=invoke):
    times = []
    for _ in range(runs):
        start = clock()
        invoke()
        times.append(clock() - start)
    return times
out = sys.stdout
for line in sys.stdin:
    print(json.dumps(block(int(line))), file=out, flush=True)
"""

Timer = Callable[[int], "list[float]"]


def cpu_seconds(pid: int) -> float:
    """User and system time of a process so far (proc_pid_stat(5))."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / 100


def start_worker(model: Path, stack: ExitStack) -> tuple[Timer, int]:
    """A worker with the model: what times it, and its process id."""
    runtime = "onnxruntime" if model.suffix == ".onnx" else "litert"
    command = [sys.executable, "-E", "-B", str(WORKER)]
    connection = stack.enter_context(Connection(command, what="the worker"))
    client = WorkerClient(connection, runtime=runtime, threads=1, python="", limits=Limits())
    client.hello()
    client.load(model)
    return lambda runs: list(client.time(runs)), client.pid


def start_bare(model: Path, stack: ExitStack) -> tuple[Timer, int]:
    """The bare loop with the model: what times it, and its process id."""
    process = stack.enter_context(
        subprocess.Popen(
            [sys.executable, "-E", "-B", "-c", BARE, str(model)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
    )

    def timer(runs: int) -> list[float]:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(f"{runs}\n")
        process.stdin.flush()
        return [ns / 1e9 for ns in json.loads(process.stdout.readline())]

    return timer, process.pid


def compare(model: Path) -> dict[str, Any]:
    """Seconds of a run in both, and the ratio of their CPU time."""
    order = random.Random(0)
    fastest: dict[str, list[float]] = {"worker": [], "bare": []}
    spent, runs = dict.fromkeys(fastest, 0.0), 0
    with locks.quiet():
        for _ in range(PAIRS):
            with ExitStack() as stack:
                timers = {"worker": start_worker(model, stack), "bare": start_bare(model, stack)}
                size = max(1, min(1000, round(BLOCK / min(timers["bare"][0](50)))))
                timers["worker"][0](50)
                before = {name: cpu_seconds(pid) for name, (_, pid) in timers.items()}
                blocks: dict[str, list[float]] = {name: [] for name in timers}
                for _ in range(ROUNDS):
                    runs += size
                    for name in order.sample(sorted(timers), 2):
                        blocks[name].append(median(timers[name][0](size)))
                for name, (_, pid) in timers.items():
                    fastest[name].append(min(blocks[name]))
                    spent[name] += cpu_seconds(pid) - before[name]
    return {
        "worker": median(fastest["worker"]),
        "bare": median(fastest["bare"]),
        "runs": runs,
        "cpu": spent["worker"] / spent["bare"] if spent["bare"] else 1.0,
    }


LINE = "{:26} {:>10} {:>10} {:>8} {:>12} {:>10}"


def main() -> int:
    """Compare the models that were named; 1 when one differs by more than 3 %."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("models", nargs="*", type=Path)
    models = parser.parse_args().models or [WORKER / "warm.tflite", WORKER / "warm.onnx"]
    print(LINE.format("model", "bare loop", "worker", "ratio", "of CPU time", "runs each"))
    worst, began = 0.0, time.perf_counter()
    for model in models:
        found = compare(model.resolve())
        ratio = found["worker"] / found["bare"]
        worst = max(worst, abs(ratio - 1))
        row = (
            model.name,
            f"{found['bare'] * 1e6:.2f} us",
            f"{found['worker'] * 1e6:.2f} us",
            f"{ratio:.4f}",
            f"{found['cpu']:.3f}",
            str(found["runs"]),
        )
        print(LINE.format(*row), flush=True)
    verdict = "within" if worst <= TARGET else "MORE than"
    print(f"{verdict} 3 %, in {time.perf_counter() - began:.0f} s")
    return int(worst > TARGET)


if __name__ == "__main__":
    sys.exit(main())
