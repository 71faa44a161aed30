"""Keras 3 models read from and written to `.keras` files, the same bytes each time."""

from __future__ import annotations

import json
import re
import tempfile
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pytest_edgebudget.errors import BuildError

FOREIGN = re.compile(r"[Cc]ould not (?:locate|deserialize) (?:class|function) '([^']+)'")


def read_model(path: Path, purpose: str) -> Any:
    """
    Load the `.keras` file at *path*, uncompiled, for *purpose* ("finetune").

    Raises:
        BuildError: it holds code of its own (Lambda, custom layers), or Keras
            cannot read it.
        MissingExtra: Keras is not installed.
    """
    from pytest_edgebudget.passes._libraries import load  # passes import this module

    load("tensorflow", f"the pass {purpose}")
    keras = load("keras", f"the pass {purpose}")
    try:
        return keras.saving.load_model(str(path), compile=False)
    except Exception as error:  # Keras raises anything
        if path.suffix == ".h5":
            raise BuildError(
                f"{purpose}: the model is one of Keras 2 (tf-keras), and what is trained here is"
                " Keras 3",
                "build the same layers in Keras 3, model.load_weights() of the .h5, save a .keras",
            ) from None
        raise _unreadable(error, purpose) from None


def _unreadable(error: Exception, purpose: str) -> BuildError:
    text = " ".join(str(error).split())
    if "lambda" in text.lower() and ("safe_mode" in text or "unsafe" in text):
        return BuildError(
            f"{purpose}: the model has a Lambda layer, which would run code from the file",
            "replace it by a layer of Keras (Rescaling, Reshape ...) and save the model again",
        )
    if found := FOREIGN.search(text):
        return BuildError(
            f"{purpose}: the model has a layer of its own, {found[1].rpartition('>')[2]}",
            "only layers that come with Keras can be trained here",
        )
    return BuildError(f"{purpose}: Keras cannot read the model: {text[:300]}")


def write_model(model: Any, path: Path, note: Mapping[str, Any] | None = None) -> None:
    """
    Save the uncompiled *model* of Keras 3 at *path*, the same bytes each time.

    *note* goes into the file as ``edgebudget.json``.
    """
    from pytest_edgebudget.devices.fpga.note import write_with_note

    with tempfile.TemporaryDirectory(prefix="edgebudget-") as name:
        dated, undated = Path(name, "dated.keras"), Path(name, "undated.keras")
        model.save(str(dated))
        with zipfile.ZipFile(dated) as old, zipfile.ZipFile(undated, "w") as new:
            for member in old.namelist():
                new.writestr(member, _steady(member, old.read(member)))
            if note is not None:
                new.writestr(NOTE, json.dumps(note, indent=1, sort_keys=True))
        write_with_note(undated, None, path)


def save_with_batch_of_one(model: Any, folder: Path) -> None:
    """
    Save *model* of Keras 3 as a SavedModel whose signature takes one sample.

    Raises BuildError for a model without inputs.
    """
    import keras

    def one(tensor: Any) -> Any:
        shape = (1, *tensor.shape[1:])
        return keras.InputSpec(shape=shape, dtype=tensor.dtype, name=tensor.name)

    if not model.built or not model.inputs:
        raise BuildError("the Keras model has no inputs yet", "call it once, or give it an Input")
    structure = getattr(model, "_inputs_struct", None)
    tensors = model.inputs[0] if structure is None else structure
    signature = [keras.tree.map_structure(one, tensors)]
    model.export(str(folder), format="tf_saved_model", input_signature=signature, verbose=False)


NOTE = "edgebudget.json"
"""What a pass wrote into a `.keras` file for the pass behind it."""


def read_note(path: Path) -> Mapping[str, Any]:
    """The note that a pass left in the `.keras` file at *path*; empty without one."""
    try:
        with zipfile.ZipFile(path) as archive:
            found = json.loads(archive.read(NOTE))
    except (KeyError, zipfile.BadZipFile):
        return {}
    return found if isinstance(found, dict) else {}


def _steady(name: str, content: bytes) -> bytes:
    """A member of a `.keras` file without the day, and without addresses in memory."""
    if name == "metadata.json":
        return json.dumps({**json.loads(content), "date_saved": ""}).encode()
    if name != "config.json":
        return content
    config = json.loads(content)
    _forget_addresses(config, {})
    return json.dumps(config).encode()


def _forget_addresses(part: Any, numbers: dict[int, int]) -> None:
    """
    Number the shared objects of a model's configuration by their order.

    Types of numbers are shared or not as memory happens to be used: they have no number.
    """
    if isinstance(part, dict):
        if "shared_object_id" in part:
            address = part.pop("shared_object_id")
            if part.get("class_name") != "DTypePolicy":
                part["shared_object_id"] = numbers.setdefault(address, len(numbers))
        part = list(part.values())
    for each in part if isinstance(part, list) else ():
        _forget_addresses(each, numbers)
