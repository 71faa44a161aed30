"""`edgebudget explain MODEL --format json`: a stable shape with plain numbers."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import pytest_edgebudget.explain.json as module

Explain = Callable[..., str]


def small(explained: Explain) -> Any:
    import tflite_models as tfl

    return json.loads(explained(tfl.pack(tfl.small_cnn()), format="json", profile="stm32l4r5-tflm"))


def test_totals_and_layers_are_the_same_facts_as_the_text(explained: Explain) -> None:
    found = small(explained)
    assert found["totals"] == {
        "macs": 864 + 240,
        "macs_by_kind": {"convolution": 864, "fully_connected": 240},
        "operations": 96,
        "read_bytes": 356 + 1152,
        "written_bytes": 192 + 20,
        "parameters": 297,
        "constant_bytes": 1196,
        "constant_bytes_by_dtype": {"float32": 1188, "int32": 8},
        "uncounted_ops": 0,
        "evidence": "exact",
    }
    assert found["layers"][0] == {
        "subgraph": 0,
        "op": 0,
        "kind": "CONV_2D",
        "name": "features",
        "shape": [1, 4, 4, 3],
        "dtype": "float32",
        "parameters": 57,
        "macs": 864,
        "macs_by_kind": {"convolution": 864},
        "operations": 96,
        "read_bytes": 356,
        "written_bytes": 192,
        "constant_bytes": 228,
        "constant_bytes_by_dtype": {"float32": 228},
        "live_bytes": 128 + 192,
    }
    assert found["inputs"] == [{"name": "input", "shape": [1, 4, 4, 2], "dtype": "float32"}]
    assert (found["format"], found["opset"], found["batch_of_one"]) == ("tflite", None, False)


def test_the_memory_says_which_buffer_lies_where_and_when(explained: Explain) -> None:
    memory = small(explained)["memory"]
    assert memory["size_bytes"] == 384
    assert memory["peak"] == {"step": 1, "subgraph": 0, "op": 1, "live_bytes": 384}
    assert [step["live_bytes"] for step in memory["steps"]] == [320, 384, 212]
    (scores,) = [item for item in memory["buffers"] if item["name"] == "scores"]
    assert (scores["size_bytes"], scores["first_step"], scores["last_step"]) == (20, 2, 2)
    assert (memory["runtime"], memory["kernels"]) == ("tflm", "cmsis-nn")
    assert memory["profile"] == "stm32l4r5-tflm"


def keys(value: Any) -> Iterator[str]:
    """All keys of the shape; those of tables by kind or type are data."""
    if isinstance(value, list):
        for item in value:
            yield from keys(item)
    elif isinstance(value, dict):
        for key, item in value.items():
            yield key
            if not key.endswith(("_by_kind", "_by_dtype")):
                yield from keys(item)


def test_each_key_is_documented(explained: Explain) -> None:
    words = set(re.findall(r"[a-z_]+", module.__doc__ or ""))
    assert set(keys(small(explained))) <= words


def test_bytes_are_named_so_and_nothing_has_a_unit_in_its_text(explained: Explain) -> None:
    found = small(explained)
    sizes = {key for key in keys(found) if "size" in key or "offset" in key}
    assert all(key.endswith("_bytes") for key in sizes)
    assert "KiB" not in json.dumps({**found, "advice": []})


@pytest.mark.reference
def test_every_real_model_has_an_account(explained: Explain, reference_models: Path) -> None:
    models = [p for p in reference_models.glob("*/models/*") if p.suffix in (".tflite", ".onnx")]
    assert len(models) >= 14
    for path in models:
        found = json.loads(explained(path, format="json"))
        assert found["size_bytes"] == path.stat().st_size
        assert found["totals"]["macs"] == sum(layer["macs"] for layer in found["layers"])
        assert (
            max(step["live_bytes"] for step in found["memory"]["steps"])
            <= (found["memory"]["size_bytes"])
        )
