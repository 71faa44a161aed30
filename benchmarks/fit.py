"""
What `optimize = "fit"` reaches, beside brute force over all recipes in the same run.

    python benchmarks/fit.py MODELS [--combinations 40] [--olive install|PYTHON]

MODELS is the folder of shared models (kws_dscnn, ic_resnet8, fsdd_trainable, mnist_cnn_onnx).

1. Goals: at most so many per cent of the float file, at most one point lost, no training:
   CPU of all processes, the largest one's memory, accuracy evaluations, and whether
   TensorFlow was imported.
2. A request that cannot be met: how long until that is said.
3. Random limits of size, arena and accuracy: feasible whenever brute force is, how near
   the objective is to brute force's best, and with how many of its evaluations.
4. With --olive: the ONNX files by Olive 0.13, too, with the same goals on the same samples,
   right after ours. PYTHON has olive-ai and onnxruntime; "install" makes an environment that
   has them (6 GB), and goes on without where that fails.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import random
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from pytest_edgebudget.fit.space import Space
from pytest_edgebudget.graph import read
from pytest_edgebudget.passes.mixed import FOUR, layers
from pytest_edgebudget.session import GateSession
from pytest_edgebudget.types import Trial
from pytest_edgebudget.wiring import command_line_manager, registry_of

EDGEBUDGET = [sys.executable, "-c", "from pytest_edgebudget.cli import main; exit(main())"]
HOST, BOARD = 'profile = "host"', 'profile = "stm32h743-tflm"'
SPY = "import pathlib; pathlib.Path(r'{mark}').touch()\nraise ImportError('not here')\n"


def kws(folder: Path) -> dict[str, np.ndarray]:
    """The keyword windows as the float models want them."""
    with np.load(folder / "kws_dscnn" / "data.npz") as data:
        return {
            name: (data[name].astype(np.float32) - 83) * np.float32(0.5847029)
            if name.startswith("x")
            else data[name]
            for name in data.files
        }


def images(folder: Path) -> dict[str, np.ndarray]:
    """CIFAR images, 0..255."""
    with np.load(folder / "ic_resnet8" / "data.npz") as data:
        return {n: data[n].astype(np.float32) if n[0] == "x" else data[n] for n in data.files}


def speech(folder: Path) -> dict[str, np.ndarray]:
    """Spoken digits, 0..1."""
    with np.load(folder / "fsdd_trainable" / "data.npz") as data:
        names = ("x_test", "y_test", "x_calibration", "y_calibration")
        return {n: data[n].astype(np.float32) / 255 if n[0] == "x" else data[n] for n in names}


def digits(folder: Path) -> dict[str, np.ndarray]:
    """MNIST digits."""
    with np.load(folder / "mnist_cnn_onnx" / "data.npz") as data:
        names = ("x_test", "y_test", "x_calibration", "y_calibration")
        return {n: data[n].astype(np.float32) if n[0] == "x" else data[n] for n in names}


@dataclass(frozen=True)
class Case:
    """A model file with its data."""

    name: str
    path: Path
    data: Path
    size: int


def case(name: str, path: Path, arrays: dict[str, np.ndarray], folder: Path) -> Case:
    """Write the data: half of the test samples select, the other half judges."""
    data = folder / f"{name}.npz"
    half = len(arrays["x_test"]) // 2
    np.savez(
        data,
        x_calibration=arrays["x_calibration"],
        y_calibration=arrays["y_calibration"],
        x_val=arrays["x_test"][:half],
        y_val=arrays["y_test"][:half],
        x_test=arrays["x_test"][half:],
        y_test=arrays["y_test"][half:],
    )
    np.savez(
        folder / f"{name}.oracle.npz",
        x_calibration=arrays["x_calibration"],
        x_test=arrays["x_test"][:half],
        y_test=arrays["y_test"][:half],
    )
    whole = {n: a for n, a in arrays.items() if n.endswith(("_test", "_calibration"))}
    np.savez(folder / f"{name}.whole.npz", **whole)
    return Case(name, path, data, path.stat().st_size)


def budget(case: Case, data: Path, limits: str, more: str = "", device: str = "") -> str:
    """A budget file for one model."""
    return (
        f'[lint]\nlevel = "off"\n[device]\n{device or HOST}\n'
        f'[models.m]\npath = "{case.path}"\ndata = "{data}"\n{more}\n[models.m.budget]\n{limits}\n'
    )


def exported(source: Path, data: Path, folder: Path) -> Path:
    """The ``.onnx`` of a Keras model."""
    text = budget(
        Case("m", source, data, 0),
        data,
        'size = "1 GiB"',
        device=f'{HOST}\nruntime = "onnxruntime"',
    )
    (folder / "export.toml").write_text(text)
    done = subprocess.run(
        [*EDGEBUDGET, "check", "export.toml", "--artifacts", "exported"],
        cwd=folder, capture_output=True, text=True, check=False,
    )  # fmt: skip
    found = list((folder / "exported").rglob("*.onnx"))
    if not found:
        sys.exit(f"the export failed:\n{done.stdout}\n{done.stderr}")
    path = folder / f"{source.stem}.onnx"
    found[0].rename(path)
    return path


def gate(text: str, folder: Path) -> tuple[dict[str, Any], float, float, float, int]:
    """Run `edgebudget check` on an empty cache: report, CPU, wall, MB of the largest, code."""
    with tempfile.TemporaryDirectory(dir=folder) as name:
        place = Path(name)
        (place / "pyproject.toml").write_text("")
        (place / "b.toml").write_text(text)
        (place / "spy" / "tensorflow").mkdir(parents=True)
        mark = place / "imported"
        (place / "spy" / "tensorflow" / "__init__.py").write_text(SPY.format(mark=mark))
        environment = {**os.environ, "PYTHONPATH": str(place / "spy")}
        started = time.perf_counter()
        child = subprocess.Popen(
            [*EDGEBUDGET, "check", "b.toml", "--report", "json:r.json"],
            cwd=place, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
        )  # fmt: skip
        assert child.stderr is not None
        words = child.stderr.read().decode()
        _, status, used = os.wait4(child.pid, 0)  # of it and of all that it waited for
        wall = time.perf_counter() - started
        if not (place / "r.json").is_file():
            sys.exit(words)
        report = json.loads((place / "r.json").read_text())
        report["tensorflow"] = mark.exists()
    cpu = used.ru_utime + used.ru_stime
    return report, cpu, wall, used.ru_maxrss / 1024, os.waitstatus_to_exitcode(status)


def evaluations(trials: list[dict[str, Any]]) -> int:
    """Candidates whose accuracy was looked at, if only on a slice."""
    return sum("accuracy" in trial["readings"] for trial in trials)


def goals(cases: list[tuple[Case, float]], folder: Path) -> None:
    """Print what each goal takes; the selection is on the calibration split, as for Olive."""
    print("goal                size      accuracy (float)   evals   CPU s  wall s  MB   recipe")
    for each, share in cases:
        limits = f'size = "{int(share * each.size)} B"\naccuracy = {{ max_drop = "1 pp" }}'
        data = each.data.with_suffix(".whole.npz")
        report, cpu, wall, mb, code = gate(budget(each, data, limits, 'optimize = "fit"'), folder)
        model = report["models"][0]
        found = {row["metric"]: row for row in report["limits"]}
        accuracy = found["accuracy"]
        print(
            f"{each.name:12} {100 * share:4.0f} % {100 * model['size'] / each.size:7.1f} %"
            f"   {accuracy['after']['value']:.4f} ({accuracy['before']['value']:.4f})"
            f"   {evaluations(model['trials']):5d}   {cpu:5.2f}  {wall:5.2f}  {mb:4.0f}"
            f"  {model['recipe']}{'' if code == 0 else '  NOT MET'}"
            f"{'  TENSORFLOW' if report['tensorflow'] else ''}"
        )


OLIVE = ["olive-ai==0.13.0", "onnxruntime", "requests", "tabulate"]
SEARCH = Path(__file__).parent / "olive_search.py"
LONGEST = 120.0
"""Seconds for a goal that Olive does not reach."""


def olive_python(asked: str, folder: Path) -> str:
    """The interpreter that has Olive; empty where there is none."""
    if asked != "install":
        return asked
    subprocess.run([sys.executable, "-m", "venv", folder / "olive"], check=True)
    python = str(folder / "olive" / "bin" / "python")
    done = subprocess.run(
        [python, "-m", "pip", "install", "-q", *OLIVE], capture_output=True, text=True, check=False
    )
    if done.returncode:
        print(f"Olive cannot be installed here:\n{done.stderr[-500:]}")
        return ""
    return python


def beside_olive(cases: list[tuple[Case, float]], python: str, folder: Path) -> None:
    """Print what each goal takes Olive."""
    print("Olive               size      accuracy   evals   CPU s  wall s  MB")
    for each, share in cases:
        data = each.data.with_suffix(".whole.npz")
        started = time.perf_counter()
        child = subprocess.Popen(
            [python, str(SEARCH), str(each.path), str(data), str(int(share * each.size))],
            cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            env={**os.environ, "OLIVE_DISABLE_TELEMETRY": "1", "HF_HUB_OFFLINE": "1"},
        )  # fmt: skip
        name = f"{each.name:12} {100 * share:4.0f} %"
        try:
            out, err = child.communicate(timeout=LONGEST)
        except subprocess.TimeoutExpired:
            child.kill()
            child.communicate()
            print(f"{name}  nothing in {LONGEST:.0f} s")
            continue
        if child.returncode:
            print(f"{name}  failed: {err.strip().splitlines()[-1]}")
            continue
        said = json.loads(out.strip().splitlines()[-1])
        size = f"{100 * said['size'] / each.size:5.1f} %" if said["size"] else "none"
        accuracy = f"{said['accuracy']:.4f}" if said["size"] else ""
        print(
            f"{name} {size:>9}   {accuracy:8}   {said['looks']:5d}   {said['cpu']:5.2f}"
            f"  {time.perf_counter() - started:5.2f}  {said['mb']:4.0f}"
        )


def infeasible(each: Case, share: float, folder: Path) -> None:
    """Print how long it takes to say that nothing does, and what is said."""
    limits = f'size = "{int(share * each.size)} B"\naccuracy = {{ max_drop = "1 pp" }}'
    data = each.data.with_suffix(".whole.npz")
    report, cpu, wall, _, code = gate(budget(each, data, limits, 'optimize = "fit"'), folder)
    model = report["models"][0]
    print(f"{each.name}, {100 * share:.0f} %: exit {code} after {wall:.1f} s ({cpu:.1f} s CPU),"
          f" {model['recipe']} {100 * model['size'] / each.size:.1f} %")  # fmt: skip
    lines = report["models"][0]["infeasible"]
    print("\n".join(f"  {line}" for line in lines))


@dataclass(frozen=True)
class Point:
    """What brute force knows of a recipe."""

    recipe: str
    size: float
    accuracy: float
    arena: float


def points(each: Case, device: str, folder: Path) -> list[Point]:
    """Every recipe, built and judged on the samples that the search may see."""
    found = []
    arena = "arena" if "stm32" in device else ""
    limits = 'size = "1 GiB"\naccuracy = 0' + ('\narena = "1 GiB"' if arena else "")
    for recipe in everything(each, device, folder):
        text = budget(
            each, each.data.with_suffix(".oracle.npz"), limits, f'optimize = ["{recipe}"]', device
        )
        session = opened(text, folder)
        (one,) = session.budgets.values()
        try:
            fit = session.fit(one, one.models[0])
        except Exception as error:
            print(f"  {recipe}: {str(error).splitlines()[0]}")
            continue
        values = {name: r.value for name, r in fit.after.readings.items()}
        if "accuracy" in values:
            found.append(
                Point(recipe, values["size"], values["accuracy"], values.get("arena", 0.0))
            )
        session.close()
    return found


def opened(text: str, folder: Path) -> GateSession:
    """A session of one budget file, over a cache that all share."""
    file = folder / "oracle.toml"
    file.write_text(text)
    session = GateSession(root=folder, registry=registry_of(command_line_manager()))
    session.read([file])
    return session


def everything(each: Case, device: str, folder: Path) -> list[str]:
    """All recipes of one pass, each cleaned, too; and int4 in the n largest layers."""
    session = opened(budget(each, each.data, 'size = "1 GiB"', "", device), folder)
    (one,) = session.budgets.values()
    graph = read(each.path)
    space = Space(graph, one.device, session.registry.passes, calibrated=True)
    recipes = [str(recipe) for recipe in space.base()]
    recipes += [str(r) for recipe in space.base() if (r := space.cleaned(recipe))]
    if space.mixes():
        order = sorted(
            (i for i, w in enumerate(layers(graph)) if w.op.kind in FOUR),
            key=lambda i: -(layers(graph)[i].tensor.elements or 0),
        )
        for count in range(1, len(order) + 1):
            marks = "".join("4" if i in order[:count] else "8" for i in range(len(layers(graph))))
            recipes.append(f"mixed({marks})+clean")
    return recipes


def combinations(cases: list[tuple[Case, str]], count: int, folder: Path) -> None:
    """Print how the search does on random limits."""
    rng = random.Random(0)
    known = {(each.name, device): points(each, device, folder) for each, device in cases}
    for (name, device), some in known.items():
        print(f"  {name} ({device}): {len(some)} recipes by brute force")
    missed, worse, shares, feasible = [], [], [], 0
    for number in range(count):
        each, device = cases[number % len(cases)]
        some = known[each.name, device]
        limit = {
            "size": rng.choice(some).size * rng.uniform(0.98, 1.1),
            "accuracy": rng.choice(some).accuracy - rng.uniform(0, 0.02),
            "arena": rng.choice(some).arena * rng.uniform(1.0, 1.3),
        }
        objective = rng.choice(["size", "accuracy", ""])
        inside = [p for p in some if keeps(p, limit)]
        feasible += bool(inside)
        tried = searched(each, device, limit, objective, folder)
        chosen = next((t for t in tried if t.state == "chosen"), None)
        shares.append(sum("accuracy" in t.readings for t in tried) / len(some))
        if inside and chosen is None:
            missed.append(f"{each.name} {limit}")
        if inside and chosen is not None and objective:
            worse.append(behind(chosen, inside, objective))
            if worse[-1] > 0.02:
                best = min(inside, key=lambda p: p.size if objective == "size" else -p.accuracy)
                print(f"  {each.name} ({device}), {objective}: {chosen.recipe}, best {best}")
    print(f"{count} combinations, {feasible} feasible by brute force")
    print(f"  missed: {len(missed)}", *missed, sep="\n    ")
    late = sum(share > 0.02 for share in worse)
    print(f"  objective more than 2 % behind brute force's best: {late} of {len(worse)}"
          f" (worst {100 * max(worse, default=0):.1f} %)")  # fmt: skip
    print(f"  evaluations: {100 * sum(shares) / len(shares):.0f} % of brute force's on average,"
          f" at most {100 * max(shares):.0f} %")  # fmt: skip


def keeps(point: Point, limit: dict[str, float]) -> bool:
    """Whether brute force's point keeps the limits."""
    arena = not point.arena or point.arena <= limit["arena"]
    return point.size <= limit["size"] and point.accuracy >= limit["accuracy"] and arena


def behind(chosen: Trial, inside: list[Point], objective: str) -> float:
    """How far the chosen one is behind the best, as a share of it; negative when better."""
    value = chosen.readings[objective].value
    if objective == "size":
        return value / min(p.size for p in inside) - 1
    return 1 - value / max(p.accuracy for p in inside)


def searched(
    each: Case, device: str, limit: dict[str, float], objective: str, folder: Path
) -> list[Trial]:
    """The trials of a search under these limits."""
    limits = f'size = "{math.floor(limit["size"])} B"\naccuracy = {max(limit["accuracy"], 0):.6f}'
    if "stm32" in device:
        limits += f'\narena = "{math.floor(limit["arena"])} B"'
    more = 'optimize = "fit"'
    if objective:
        more += f'\nfit = {{ objective = "{objective}" }}'
    session = opened(budget(each, each.data, limits, more, device), folder)
    (one,) = session.budgets.values()
    with_trials = session.search(one, one.models[0], lambda trial: None)
    session.close()
    return list(with_trials.trials)


def main() -> None:
    """All three parts."""
    parser = argparse.ArgumentParser()
    parser.add_argument("models", type=Path)
    parser.add_argument("--combinations", type=int, default=40)
    parser.add_argument("--olive", metavar="install|PYTHON", help="the environment of Olive")
    options = parser.parse_args()
    shared = options.models.resolve()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "pyproject.toml").write_text("")
        words, pictures = kws(shared), images(shared)
        kws_tflite = case(
            "kws.tflite", shared / "kws_dscnn/models/kws_float32.tflite", words, folder
        )
        kws_h5 = shared / "kws_dscnn/models/kws_model.h5"
        kws_onnx = case("kws.onnx", exported(kws_h5, kws_tflite.data, folder), words, folder)
        alibaba = case("alibaba", shared / "kws_dscnn/models/kws_alibaba_float.onnx", words, folder)
        resnet = case(
            "resnet8", shared / "ic_resnet8/models/resnet8_float32.tflite", pictures, folder
        )
        speaker = case(
            "speech",
            shared / "fsdd_trainable/models/baseline_float32.tflite",
            speech(shared),
            folder,
        )
        mnist = case("mnist", shared / "mnist_cnn_onnx/models/mnist.onnx", digits(shared), folder)
        goals([(kws_tflite, 0.38), (kws_onnx, 0.36), (resnet, 0.21)], folder)
        if options.olive and (python := olive_python(options.olive, folder)):
            resnet_h5 = shared / "ic_resnet8/models/resnet8.h5"
            resnet_onnx = case(
                "resnet8.onnx", exported(resnet_h5, resnet.data, folder), pictures, folder
            )
            both = [(each, share) for each in (kws_onnx, resnet_onnx) for share in (0.45, 0.36)]
            goals(both, folder)
            beside_olive(both, python, folder)
        for share in (0.45, 0.3):
            infeasible(alibaba, share, folder)
        if not options.combinations:
            return
        combinations(
            [
                (kws_tflite, HOST), (resnet, HOST), (speaker, HOST), (mnist, HOST),
                (kws_onnx, HOST), (kws_tflite, BOARD), (resnet, BOARD), (speaker, BOARD),
            ],
            options.combinations, folder,
        )  # fmt: skip


if __name__ == "__main__":
    main()
