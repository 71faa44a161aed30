"""
Olive's search for one ONNX model, in an environment that has olive-ai: see fit.py.

    python olive_search.py MODEL.onnx DATA.npz BYTES

Every 8-bit quantization that Olive has for ONNX Runtime (dynamic and static, its default
choices of each parameter), its goals the same as ours: at most BYTES, at most a point lost on
the calibration split; it stops when they are met. Prints a line of JSON.
"""

from __future__ import annotations

import json
import resource
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

CALIBRATION = 200


def accuracy(model: str, split: str) -> float:
    """Share of right answers of the file on a split, one sample at a time."""
    import numpy as np
    import onnxruntime

    with np.load(sys.argv[2]) as data:
        inputs, labels = data[f"x_{split}"], data[f"y_{split}"]
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(model, options, ["CPUExecutionProvider"])
    port = session.get_inputs()[0]
    shape = [size if isinstance(size, int) else 1 for size in port.shape]
    right = [
        int(session.run(None, {port.name: sample.reshape(shape)})[0].argmax()) == int(label)
        for sample, label in zip(inputs, labels.ravel(), strict=True)
    ]
    return sum(right) / len(right)


LOOKS: list[int] = []
"""One for each answer that Olive judged."""


def top(output: Any, **_: Any) -> Any:
    """The class that a model answers, as Olive asks for it."""
    LOOKS.append(1)
    answer = output if hasattr(output, "argmax") else next(iter(output.values()))
    return answer.argmax(-1).reshape(-1)


class Samples:
    """The calibration split as Olive reads it: inputs by name, and the label."""

    def __init__(self, name: str, count: int | None = None) -> None:
        import numpy as np

        with np.load(sys.argv[2]) as data:
            self.inputs = data["x_calibration"][:count]
            self.labels = data["y_calibration"].ravel()[:count].astype("int64")
        self.name = name

    def __len__(self) -> int:
        return len(self.inputs)

    def __getitem__(self, index: int) -> tuple[dict[str, Any], int]:
        return {self.name: self.inputs[index]}, int(self.labels[index])


def samples(kind: str) -> dict[str, Any]:
    """How Olive gets at them."""
    return {
        "name": kind,
        "load_dataset_config": {"type": kind},
        "pre_process_data_config": {"type": "skip_pre_process"},
        "post_process_data_config": {"type": "top"},
        "dataloader_config": {"type": "default_dataloader", "params": {"batch_size": 1}},
    }


def classes() -> int:
    """How many there are."""
    import numpy as np

    with np.load(sys.argv[2]) as data:
        return int(data["y_calibration"].max()) + 1


def search(model: Path, size: int, folder: Path) -> Path | None:
    """Run Olive; the file that it chose."""
    import onnx
    from olive.data.registry import Registry
    from olive.search.search_results import SearchResults
    from olive.workflows import run

    # A candidate that fails ends 0.13 with a TypeError when it asks whether the goals are met.
    record = SearchResults.record_feedback_signal
    SearchResults.record_feedback_signal = lambda self, index, result, ids: (
        record(self, index, result, ids) if result else None
    )

    name = onnx.load(str(model)).graph.input[0].name
    Registry.register_dataset("all")(lambda **_: Samples(name))
    Registry.register_dataset("few")(lambda **_: Samples(name, CALIBRATION))
    Registry.register_post_process("top")(top)
    goals = [
        {
            "name": "accuracy",
            "type": "accuracy",
            "data_config": "all",
            "sub_types": [
                {
                    "name": "accuracy_score",
                    "priority": 1,
                    "metric_config": {"task": "multiclass", "num_classes": classes()},
                    "goal": {"type": "max-degradation", "value": 0.01},
                }
            ],
        },
        {
            "name": "size",
            "type": "size_on_disk",
            "sub_types": [
                {"name": "bytes", "priority": 2, "goal": {"type": "threshold", "value": size}}
            ],
        },
    ]
    out = run(
        {
            "input_model": {"type": "ONNXModel", "model_path": str(model)},
            "systems": {
                "here": {
                    "type": "LocalSystem",
                    "accelerators": [
                        {"device": "cpu", "execution_providers": ["CPUExecutionProvider"]}
                    ],
                }
            },
            "data_configs": [samples("all"), samples("few")],
            "evaluators": {"goals": {"type": "OnnxEvaluator", "metrics": goals}},
            "passes": {"quantize": {"type": "OnnxQuantization", "data_config": "few"}},
            "search_strategy": {
                "execution_order": "joint",
                "sampler": "tpe",
                "sampler_config": {"max_samples": 100, "seed": 0},
                "stop_when_goals_met": True,
            },
            "evaluator": "goals",
            "host": "here",
            "target": "here",
            "evaluate_input_model": True,
            "cache_dir": str(folder / "cache"),
            "output_dir": str(folder / "out"),
            "log_severity_level": 3,
        }
    )
    best = out.get_best_candidate() if out.has_output_model() else None
    return Path(best.model_path) if best is not None else None


def main() -> None:
    """Search, and say what it took."""
    started, used = time.perf_counter(), time.process_time()
    with tempfile.TemporaryDirectory() as folder:
        found = search(Path(sys.argv[1]), int(sys.argv[3]), Path(folder))
        wall, cpu = time.perf_counter() - started, time.process_time() - used
        said = {
            "wall": wall,
            "cpu": cpu,
            "mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
            "looks": len(LOOKS) // len(Samples("")) - 1,  # the first is of the float model
            "size": found.stat().st_size if found else None,
            "accuracy": accuracy(str(found), "test") if found else None,
        }
    print(json.dumps(said))


if __name__ == "__main__":
    main()
