"""What benchmark_model prints is read, as its authors and users have published it."""

from __future__ import annotations

import pytest

from pytest_edgebudget.devices.adb.report import Report, read
from pytest_edgebudget.errors import DeviceError

# The format of TensorFlow Lite's tools/benchmark/README.md, with a first block for the warm-up.
LOG = """\
INFO: STARTING!
INFO: Log parameter values verbosely: [0]
INFO: Graph: [mobilenet_v2_224.tflite]
INFO: Loaded model mobilenet_v2_224.tflite
INFO: Initialized TensorFlow Lite runtime.
INFO: The input model file size (MB): 13.9786
INFO: Initialized session in 17.404ms.
INFO: Running benchmark for at least 1 iterations and at least 0.5 seconds but terminate if \
exceeding 150 seconds.
INFO: count=9 first=64126 curr=54022 min=53992 max=64126 avg=55297 std=3121

INFO: Running benchmark for at least 50 iterations and at least 1 seconds but terminate if \
exceeding 150 seconds.
INFO: count=50 first=54160 curr=51540 min=51536 max=56574 avg=54074.1 std=1042

INFO: Inference timings in us: Init: 17404, First inference: 64126, Warmup (avg): 55297, \
Inference (avg): 54074.1
INFO: Note: as the benchmark tool itself affects memory footprint, the following is only \
APPROXIMATE to the actual memory footprint of the model at runtime. Take the information at \
your discretion.
INFO: Memory footprint delta from the start of the tool (MB): init=6.14844 overall=109.848
"""


def test_times_are_microseconds_and_memory_is_mebibytes() -> None:
    assert read(LOG) == Report(
        start=pytest.approx(0.017404),
        first=pytest.approx(0.064126),
        mean=pytest.approx(0.0540741),
        runs=50,
        memory=pytest.approx(109.848 * 1024 * 1024),
    )


def test_large_numbers_newer_counts_and_androids_log_are_read() -> None:
    # Numbers of public logs: C++ writes large ones with an exponent.
    found = read(
        "07-08 15:34:26.202 I/tflite  ( 5395): count=11 first=2950340 curr=2950340 min=2941000 "
        "max=2990000 avg=2.95034e+06 std=1 p5=2941000 median=2950340 p95=2990000\n"
        "07-08 15:34:26.202 I/tflite  ( 5395): Inference timings in us: Init: 120331, "
        "First inference: 3512390, Warmup (avg): 3.51239e+06, Inference (avg): 2.95034e+06\n"
    )
    assert found.mean == pytest.approx(2.95034)
    assert (found.runs, found.memory) == (11, None)


def test_a_tool_that_fails_is_told_with_its_last_words() -> None:
    said = "INFO: STARTING!\nERROR: Model file m.tflite not found.\nERROR: Benchmarking failed.\n"
    with pytest.raises(DeviceError, match="benchmark_model told no times") as caught:
        read(said)
    assert caught.value.hint.endswith(
        "Model file m.tflite not found.\n  ERROR: Benchmarking failed."
    )
