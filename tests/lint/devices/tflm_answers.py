"""
What TensorFlow Lite Micro does with each case of tflm_ops.py: run as a script.

``python tflm_answers.py`` prints a JSON object: the case, and what the runtime says
when it refuses it ("" when it does not). Types are refused when the model comes up or
when it runs; a constant that is computed, when it comes up. Each in a fork, since some
cases crash.
"""

from __future__ import annotations

import itertools
import json
import os
import sys
import tempfile

import numpy as np
from tflite_micro.python.tflite_micro import runtime

from tests.lint.devices.tflm_ops import constant_cases, type_cases


def refusal(content: bytes, *, run: bool) -> str:
    """The runtime's own words; "" when it takes the model."""
    with tempfile.TemporaryFile() as said:
        child = os.fork()
        if child == 0:
            os.dup2(said.fileno(), 2)
            os._exit(_taken(content, run))
        ended = os.waitpid(child, 0)[1]
        said.seek(0)
        return (said.read().decode(errors="replace") or f"status {ended}") if ended else ""


def _taken(content: bytes, run: bool) -> int:
    """0 when it is; with ones as the inputs, by which one may divide, and which are indices."""
    try:
        interpreter = runtime.Interpreter.from_bytes(content, arena_size=100_000)
        if run:
            for number in itertools.count():
                try:
                    details = interpreter.get_input_details(number)
                except IndexError:
                    break
                interpreter.set_input(np.ones(details["shape"], details["dtype"]), number)
            interpreter.invoke()
    except Exception as error:
        sys.stderr.write(str(error))
        return 1
    return 0


def main() -> None:
    found = {str(case): refusal(case.pack(), run=True) for case in type_cases()}
    found |= {str(case): refusal(case.pack(), run=False) for case in constant_cases()}
    sys.stdout.write(json.dumps(found))


if __name__ == "__main__":
    main()
