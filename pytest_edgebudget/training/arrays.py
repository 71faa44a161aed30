"""Arrays of the train data, in the form that a model's inputs and outputs want."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pytest_edgebudget.errors import BuildError
from pytest_edgebudget.facts import Array


@dataclass(frozen=True, slots=True)
class Samples:
    """*inputs* in the order of the model's inputs; *labels* by output, or empty."""

    inputs: tuple[Array, ...]
    labels: Mapping[str, Array]

    def __len__(self) -> int:
        return len(self.inputs[0])


def read_samples(path: Path | None, split: str, model: Any, step: object) -> Samples:
    """
    The samples of *split* ("train", "val", "calibration") for *model*.

    Numbers are cast to the input's dtype; axes of 1 may be left out, and one flat
    axis stands for all. Labels are found by the output's name, where there are several.

    Raises:
        BuildError: they are not there, are not finite, or do not fit the model.
    """
    arrays = _arrays(path, split)
    inputs = _named(arrays, f"x_{split}")
    if not inputs:
        raise BuildError(
            f"{step} needs samples to train on, but the data have no x_{split}",
            f"add arrays x_{split} and y_{split} to the data",
        )
    placed = tuple(_input(tensor, inputs, model, split, step) for tensor in model.inputs)
    labels = _labels(_named(arrays, f"y_{split}"), model, split, step)
    return Samples(placed, labels)


def _arrays(path: Path | None, split: str) -> dict[str, Array]:
    import numpy as np

    if path is None:
        return {}
    wanted = (f"x_{split}", f"y_{split}")
    with np.load(path, allow_pickle=False) as file:
        return {name: file[name] for name in file.files if name.partition("/")[0] in wanted}


def _named(arrays: Mapping[str, Array], name: str) -> dict[str, Array]:
    """Arrays ``name`` (under "") and ``name/PART`` (under PART)."""
    parts = {key: key.partition("/") for key in arrays}
    return {part[2]: arrays[key] for key, part in parts.items() if part[0] == name}


def _input(tensor: Any, arrays: Mapping[str, Array], model: Any, split: str, step: object) -> Array:
    from pytest_edgebudget.worker.samples import same_order

    single = len(model.inputs) == 1
    array = next(iter(arrays.values())) if single else arrays.get(tensor.name)
    if array is None:
        found = _listed(f"x_{split}", arrays)
        raise BuildError(
            f"{step} finds no x_{split} for the input {tensor.name} (there is {found})",
            f"name the array x_{split}/{tensor.name}",
        )
    shape = tuple(tensor.shape[1:])
    given = tuple(array.shape[1:])
    if len(shape) == len(given) and None in shape:
        both = zip(shape, given, strict=True)
        shape = tuple(there if size is None else size for size, there in both)
    if None in shape or _count(shape) != _count(given) or not same_order(given, shape):
        raise BuildError(
            f"{step}: a sample of x_{split} has shape {given}, the input {tensor.name} {shape}"
        )
    _check_finite(array, f"x_{split}", step)
    return array.reshape(len(array), *shape).astype(tensor.dtype)


def _listed(name: str, parts: Iterable[str]) -> str:
    """The arrays' names as they are written in the data."""
    return ", ".join(f"{name}/{part}" if part else name for part in parts)


def _count(shape: tuple[Any, ...]) -> int:
    count = 1
    for size in shape:
        count *= size
    return count


def _check_finite(array: Array, name: str, step: object) -> None:
    import numpy as np

    if array.dtype.kind != "f":
        return
    wrong = len(array) - int(np.isfinite(array).reshape(len(array), -1).all(axis=1).sum())
    if wrong:
        raise BuildError(
            f"{step}: {wrong} of {len(array)} samples of {name} hold NaN or infinity",
            "remove or repair them: one is enough to destroy every weight",
        )


def output_names(model: Any) -> list[str]:
    """
    What labels of several outputs are called: as in the exported file.

    That is the key where the model returns a dict, else the name of the last layer.
    """
    structure = getattr(model, "output", None)  # a Sequential that was read has none
    if isinstance(structure, dict):
        return sorted(structure)  # the order of model.outputs
    return list(getattr(model, "output_names", None) or [model.layers[-1].name])


def _labels(
    arrays: Mapping[str, Array], model: Any, split: str, step: object
) -> Mapping[str, Array]:
    names = output_names(model)
    for name, array in arrays.items():
        _check_finite(array, _listed(f"y_{split}", [name]), step)
    if len(names) == 1:
        return dict(zip(names, arrays.values(), strict=False))
    unknown = [name for name in arrays if name not in names]
    if unknown or (arrays and len(arrays) < len(names)):
        found = _listed(f"y_{split}", arrays)
        raise BuildError(
            f"{step}: the model's outputs are {', '.join(names)}, the labels {found}",
            f"name each array y_{split}/OUTPUT",
        )
    return arrays


def as_given(model: Any, inputs: Sequence[Array]) -> Any:
    """One array for each input, as *model* takes them: alone, in a list, or by name."""
    import keras

    structure = getattr(model, "_inputs_struct", None)  # a Sequential has none, and one input
    return inputs[0] if structure is None else keras.tree.pack_sequence_as(structure, list(inputs))
