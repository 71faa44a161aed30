"""
How often the comparison of times is wrong: false alarms, and slowdowns that it finds.

    python benchmarks/noise.py [MODEL] [--workers 150] [--replays 600] [--live 60]
                               [--busy] [--peers]

Records, once, what fresh workers say of a model beside itself (A/A), as loaded
as the machine is, and with --busy beside a process that keeps one core busy.
Replays comparisons from these traces: workers drawn at random, the second
model's times multiplied for a true slowdown. Beside it the rule of
pytest-benchmark's --benchmark-compare-fail on the same traces: one process a
version, minimum, median or mean of all its runs. With --peers pytest-benchmark and
edgegate themselves judge the traces, from a temporary environment that pip fills. Then live
comparisons of the model with itself. Nothing is kept: traces live in memory. A run with
the defaults takes about four minutes.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import math
import os
import random
import subprocess
import sys
import tempfile
import time
import venv
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean, median, quantiles

from pytest_edgebudget.against.deciding import Ratio, compare, of_worker
from pytest_edgebudget.against.racing import Pair, Race
from pytest_edgebudget.devices.host import HostDevice
from pytest_edgebudget.devices.profile import profile_named
from pytest_edgebudget.types import DeviceChoice

DIGITS = Path(__file__).parent.parent / "examples" / "digits" / "digits.tflite"
CASES = ((1.0, 0.05), (1.0, 0.025), (1.05, 0.025), (1.10, 0.05), (1.05, 0.05))
"""True ratio, limit: A/A; twice the limit; and exactly the limit, a coin by construction."""


@dataclass(frozen=True)
class Trace:
    """What one worker said, and the seconds that it took."""

    log: float
    base: tuple[float, ...]
    new: tuple[float, ...]
    seconds: float


def record(model: Path, workers: int) -> list[Trace]:
    """Fresh workers, one after the other."""
    choice = DeviceChoice(profile=profile_named("host"), run="host", threads=1)
    race, found = Race(device=HostDevice(choice), base=model, new=model), []
    for number in range(workers):
        start = time.perf_counter()
        pairs = race.worker(number, seed=1)
        seconds = time.perf_counter() - start
        found.append(Trace(of_worker(pairs), _all(pairs, "base"), _all(pairs, "new"), seconds))
        _progress(f"recording {number + 1} of {workers}")
    return found


def _all(pairs: Sequence[Pair], which: str) -> tuple[float, ...]:
    return tuple(each for pair in pairs for each in getattr(pair, which))


def replay(traces: Sequence[Trace], ratio: float, limit: float, count: int) -> str:
    """One line of the table: what became of *count* comparisons."""
    outcomes, costs = [], []
    for seed in range(count):
        drawn = random.Random(f"{seed}/{ratio}").sample(traces, len(traces))
        asked: list[Trace] = []

        def worker(number: int, drawn: list[Trace] = drawn, asked: list[Trace] = asked) -> float:
            asked.append(drawn[number])
            return drawn[number].log + math.log(ratio)

        outcomes.append(compare(worker, 1 + limit).outcome)
        costs.append(sum(trace.seconds for trace in asked))
    shares = {name: outcomes.count(name) / count for name in ("broken", "undecided", "kept")}
    p90 = quantiles(costs, n=10)[-1]
    cells = "  ".join(f"{name} {100 * share:5.1f} %" for name, share in shares.items())
    return f"{cells}  cost {median(costs):4.1f} s (90 %: {p90:4.1f} s)"


def peers(traces: Sequence[Trace], ratio: float, limit: float, count: int) -> Iterator[str]:
    """The rule of --benchmark-compare-fail on one process a version."""
    for name, statistic in (("min", min), ("median", median), ("mean", fmean)):
        rule: Callable[[Sequence[float]], float] = statistic
        base = [rule(trace.base) for trace in traces]
        new = [rule(trace.new) for trace in traces]
        drawn = random.Random(7)
        pairs = [drawn.sample(range(len(traces)), 2) for _ in range(count)]
        red = sum(ratio * new[j] > (1 + limit) * base[i] for i, j in pairs) / count
        yield f"{name} {100 * red:5.1f} %"


PEERS = ("edgegate==0.2.0", "pytest-benchmark==5.3.1")


@contextlib.contextmanager
def environment() -> Iterator[Path]:
    """The Python of an environment of its own, which has the peers."""
    with tempfile.TemporaryDirectory(prefix="edgebudget-peers-") as folder:
        venv.create(folder, with_pip=True)
        python = Path(folder, "bin", "python")
        words = ["install", "--quiet", "--quiet", "--disable-pip-version-check", *PEERS]
        pip = [str(python), "-m", "pip", *words]
        subprocess.run(pip, check=True)
        yield python


def by_themselves(python: Path, traces: Sequence[Trace], count: int) -> str:
    """What the peers' own code says of the same traces."""
    drawn = random.Random(7)
    asked = {
        "base": [trace.base for trace in traces],
        "new": [trace.new for trace in traces],
        "cases": CASES,
        "pairs": [drawn.sample(range(len(traces)), 2) for _ in range(count)],
    }
    script = Path(__file__).with_name("noise_peers.py")
    ran = subprocess.run(
        [python, script], input=json.dumps(asked), capture_output=True, text=True, check=True
    )
    return f"  {' and '.join(PEERS)}, one process a version:\n{ran.stdout.rstrip()}"


@contextlib.contextmanager
def one_core_busy() -> Iterator[None]:
    """A process of ours that does nothing, as fast as it can."""
    spinner = subprocess.Popen([sys.executable, "-c", "while True: pass"])
    try:
        yield
    finally:
        spinner.kill()
        spinner.wait()


def live(model: Path, count: int) -> str:
    """Comparisons of the model with itself, as a run of the gate does them."""
    choice = DeviceChoice(profile=profile_named("host"), run="host", threads=1)
    race = Race(device=HostDevice(choice), base=model, new=model)
    found: list[tuple[Ratio, float]] = []
    for number in range(count):
        start, seed = time.perf_counter(), number + 100
        ratio = compare(lambda n, seed=seed: of_worker(race.worker(n, seed)), 1.05)  # type: ignore[misc]
        found.append((ratio, time.perf_counter() - start))
        _progress(f"live {number + 1} of {count}")
    outcomes = [ratio.outcome for ratio, _ in found]
    seconds = median(seconds for _, seconds in found)
    counts = ", ".join(f"{outcomes.count(name)} {name}" for name in ("broken", "undecided", "kept"))
    return f"{counts}; median cost {seconds:.1f} s"


def report(name: str, traces: Sequence[Trace], replays: int, python: Path | None) -> None:
    """Everything that is known of one set of traces."""
    logs = sorted(trace.log for trace in traces)
    usual = median(median(trace.base) for trace in traces)
    off = sum(abs(log) > 0.01 for log in logs)
    print(
        f"\n{name}: {len(traces)} workers, {1e6 * usual:.1f} us an invoke, "
        f"load {os.getloadavg()[0]:.1f}; {off} workers are more than 1 % off, "
        f"the worst {100 * max(map(abs, logs)):.1f} %"
    )
    for ratio, limit in CASES:
        what = "A/A" if ratio == 1 else f"{100 * (ratio - 1):+.0f} %"
        print(
            f"  true {what:5} limit {100 * limit:3.1f} %: {replay(traces, ratio, limit, replays)}"
        )
        shares = "  ".join(peers(traces, ratio, limit, replays))
        print(f"    one process a version, red by {shares}")
    if python is not None:
        print(by_themselves(python, traces, replays))


def _progress(text: str) -> None:
    if sys.stderr.isatty():
        print(f"\r{text:60}\r", end="", file=sys.stderr, flush=True)


def main() -> None:
    """Record, replay, compare live, print."""
    parser = argparse.ArgumentParser(description="How often the comparison of times is wrong.")
    parser.add_argument("model", nargs="?", type=Path, default=DIGITS)
    parser.add_argument("--workers", type=int, default=150)
    parser.add_argument("--replays", type=int, default=600)
    parser.add_argument("--live", type=int, default=60)
    parser.add_argument("--busy", action="store_true", help="record with one core busy, too")
    parser.add_argument("--peers", action="store_true", help="edgegate and pytest-benchmark, too")
    asked = parser.parse_args()
    model = asked.model.absolute()
    print(f"{model.name}, {asked.replays} replays each")
    with environment() if asked.peers else contextlib.nullcontext() as python:
        report("as it is", record(model, asked.workers), asked.replays, python)
        if asked.busy:
            with one_core_busy():
                report("one core busy", record(model, asked.workers), asked.replays, python)
    if asked.live:
        print(f"\nlive, {asked.live} times A/A against 5 %: {live(model, asked.live)}")


if __name__ == "__main__":
    main()
