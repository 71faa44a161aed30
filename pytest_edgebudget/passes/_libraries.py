"""Optional libraries, imported where they are used."""

from __future__ import annotations

import importlib
from typing import Any

from pytest_edgebudget.errors import MissingExtra

DISTRIBUTIONS = {
    "ai_edge_litert": ("ai-edge-litert", "litert"),
    "litert_quantizer": ("litert-quantizer", "litert"),
    "onnx": ("onnx", "onnx"),
    "onnxruntime": ("onnxruntime", "onnx"),
    "onnxconverter_common": ("onnxconverter-common", "onnx"),
    "tflite_runtime": ("tflite-runtime", "tflite-runtime"),
    "tensorflow": ("tensorflow", "tensorflow"),
    "keras": ("keras", "tensorflow"),
    "tf_keras": ("tf-keras", "tensorflow"),
    "tf2onnx": ("tf2onnx", "tensorflow"),
    "sklearn": ("scikit-learn", "search"),
    "optuna": ("optuna", "search"),
    "hls4ml": ("hls4ml", "fpga"),
    "ethosu": ("ethos-u-vela", "ethos-u"),
}
"""Module to distribution and the extra of ours that brings it."""


def load(module: str, purpose: str) -> Any:
    """
    Import *module* for *purpose* ("the pass int8").

    Raises:
        MissingExtra: it is not installed.
    """
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        package = module.split(".")[0]
        if error.name is None or error.name.split(".")[0] != package:
            raise
        library, extra = DISTRIBUTIONS[package]
        raise MissingExtra(library, extra, purpose) from None
