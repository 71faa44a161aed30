"""
Data for a model: an ``.npz`` file, or a function that returns arrays.

Arrays are named ``x_SPLIT`` and ``y_SPLIT`` with the splits test, calibration,
val and train; with several inputs or outputs ``x_test/NAME``, ``y_test/NAME``.
Slices are arrays of one value a sample, such as ``speaker_test``. The first
axis is always the samples. Only headers are read here: no numpy is loaded.
"""

from __future__ import annotations

import difflib
import hashlib
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from pytest_edgebudget.data.npz import ArrayInfo as ArrayInfo
from pytest_edgebudget.data.npz import read_headers
from pytest_edgebudget.errors import ModelError
from pytest_edgebudget.jobs import run
from pytest_edgebudget.store import Store
from pytest_edgebudget.store.files import digest
from pytest_edgebudget.types import FunctionRef, Source

SPLITS = ("test", "calibration", "val", "train")
TIMEOUT = 600.0


@dataclass(frozen=True, slots=True)
class DataFile:
    """An ``.npz`` at *path* with its SHA-256 and the shapes and dtypes of its *arrays*."""

    path: Path
    sha256: str
    arrays: Mapping[str, ArrayInfo]

    def has(self, name: str) -> bool:
        """Whether there is an array *name* (``x_val``), or arrays ``x_val/NAME``."""
        return bool(self.named(name))

    def named(self, name: str) -> tuple[str, ...]:
        """The names of the arrays that make up *name*, in the file's order."""
        if name in self.arrays:
            return (name,)
        return tuple(key for key in self.arrays if key.startswith(f"{name}/"))

    def samples(self, split: str) -> int:
        """Number of samples in ``x_SPLIT``; 0 without it."""
        names = self.named(f"x_{split}")
        return self.arrays[names[0]].shape[0] if names else 0

    def digest_of(self, name: str) -> str:
        """The SHA-256 of the arrays that make up *name* (names and bytes)."""
        sha256 = hashlib.sha256()
        with zipfile.ZipFile(self.path) as archive:
            for key in self.named(name):
                sha256.update(f"{key}\0".encode())
                with archive.open(f"{key}.npy") as stream:
                    while block := stream.read(1 << 20):
                        sha256.update(block)
        return sha256.hexdigest()


def load_data(source: Source, *, root: Path, store: Store) -> DataFile:
    """
    Read the headers of the data that *source* names.

    A function is called in a process of its own; it returns a mapping of names
    to arrays, or the path of an ``.npz`` file.

    Raises:
        ModelError: the file is missing or not such an ``.npz``.
        BuildError: the function failed.
    """
    if isinstance(source, FunctionRef):
        return _from_function(source, root, store)
    return _checked(source, digest(_existing(source)), str(source))


def _existing(path: Path) -> Path:
    if path.is_dir():
        raise ModelError(f"{path} is a folder; data is an .npz file")
    if not path.is_file():
        raise ModelError(f"there is no data file {path}")
    return path


def _from_function(ref: FunctionRef, root: Path, store: Store) -> DataFile:
    import tempfile

    with tempfile.TemporaryDirectory(prefix="edgebudget-") as folder:
        reply = run(
            "pytest_edgebudget.data.function:save",
            {"function": str(ref), "out": str(Path(folder) / "data.npz"), "root": str(root)},
            root=root,
            timeout=TIMEOUT,
            purpose=f"calling {ref} for data",
        )
        sha256, path = store.put_file(_existing(Path(str(reply))), ".npz")
    return _checked(path, sha256, str(ref))


def _checked(path: Path, sha256: str, name: str) -> DataFile:
    arrays = read_headers(path, name)
    data = DataFile(path, sha256, arrays)
    if not any(data.has(f"x_{split}") for split in SPLITS):
        raise _no_inputs(name, arrays)
    for split in SPLITS:
        _check_split(name, data, split)
    return data


def _check_split(name: str, data: DataFile, split: str) -> None:
    members = [*data.named(f"x_{split}"), *data.named(f"y_{split}")]
    counts = {member: data.arrays[member].shape[:1] for member in members}
    for member, count in counts.items():
        if not count or not count[0]:
            raise ModelError(
                f"{name}: {member} has no samples", "the first axis of an array is the samples"
            )
        if count != counts[members[0]]:
            raise ModelError(
                f"{name}: {members[0]} has {counts[members[0]][0]} samples,"
                f" but {member} has {count[0]}",
                "inputs and labels of a split belong together, sample by sample",
            )


def _no_inputs(name: str, arrays: Mapping[str, ArrayInfo]) -> ModelError:
    wanted = [f"{kind}_{split}" for split in SPLITS for kind in "xy"]
    close = [m for key in arrays for m in difflib.get_close_matches(key.lower(), wanted, n=1)]
    found = ", ".join(arrays) or "nothing"
    hint = f"did you mean {close[0]}?" if close else "name the inputs to test on x_test"
    return ModelError(f"{name} has no array x_test (it has {found})", hint)
