"""A budget file of one model, to which tests add limits."""

from __future__ import annotations

from collections.abc import Callable

from pytest_edgebudget.lint.base import Finding

DEVICE = '[device]\nprofile = "raspberry-pi-4"\n'
MODEL = '[models.digits]\npath = "digits.tflite"\ndata = "data.npz"\n'
HEAD = DEVICE + MODEL + "[models.digits.budget]\n"
QUALITY = 'accuracy = { min = 0.9, max_drop = "3 pp" }\n'

Find = Callable[..., list[Finding]]
