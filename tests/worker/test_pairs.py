"""Two models in one worker, timed in turns."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from pytest_edgebudget.devices.host import RACING
from tests.worker.talk import Talk

DIGITS = Path(__file__).parent.parent.parent / "examples" / "digits"


@pytest.fixture
def talk() -> Iterator[Talk]:
    pytest.importorskip("ai_edge_litert", reason="runs the models")
    with Talk(RACING) as talk:
        talk.ok("hello", runtime="litert")
        yield talk


def test_blocks_come_in_the_order_that_was_asked_for(talk: Talk) -> None:
    model, data = str(DIGITS / "digits.tflite"), str(DIGITS / "data.npz")
    talk.ok("pair", paths=[model, model], threads=1, data=data, split="test")
    blocks = talk.ok("interleave", order=[0, 1, 1, 0], runs=[3, 7])["ns"]

    assert [len(block) for block in blocks] == [3, 7, 7, 3]
    assert all(time > 0 for block in blocks for time in block)


def test_data_of_another_shape_leave_the_inputs_at_zeros(talk: Talk, tmp_path: Path) -> None:
    np = pytest.importorskip("numpy")
    np.savez(tmp_path / "data.npz", x_test=np.zeros((2, 3), np.float32))
    model = str(DIGITS / "digits.tflite")
    talk.ok("pair", paths=[model, model], threads=1, data=str(tmp_path / "data.npz"))
    assert talk.ok("interleave", order=[1], runs=[2, 2])["ns"]


def test_a_model_that_the_runtime_refuses_is_told_by_its_fault(talk: Talk, tmp_path: Path) -> None:
    broken = tmp_path / "broken.tflite"
    broken.write_bytes(b"no model")
    paths = [str(DIGITS / "digits.tflite"), str(broken)]
    reply = talk.ask("pair", paths=paths, threads=1)

    assert reply["error"]["kind"] == "model"


def test_nothing_is_timed_before_there_are_models(talk: Talk) -> None:
    reply = talk.ask("interleave", order=[0], runs=[1, 1])

    assert reply["error"]["message"] == "no model of that number: pair some first"
