"""Data files beside a model."""

from __future__ import annotations

from pathlib import Path

from pytest_edgebudget.errors import ModelError
from pytest_edgebudget.graph.damage import short
from pytest_edgebudget.graph.mapped import Data, contents
from pytest_edgebudget.magic import LFS_POINTER


class ExternalError(ModelError):
    """What is wrong with a data file; `graph.read` puts the model's path in front."""


class ExternalFiles:
    """
    The data files of a model, read once each.

    A model may come from anywhere: a name that leaves its folder is refused.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._views: dict[str, memoryview] = {}

    @property
    def names(self) -> tuple[str, ...]:
        """The files read so far, relative to the folder, in order of first use."""
        return tuple(self._views)

    @property
    def size(self) -> int:
        """Bytes of all files read so far."""
        return sum(len(view) for view in self._views.values())

    def view(self, name: str, offset: int, length: int | None) -> memoryview:
        """
        Bytes of one file; *length* None: to its end.

        Raises:
            ExternalError: the file is missing, too short, or outside the folder.
        """
        if name not in self._views:
            self._views[name] = memoryview(self._read(name))
        whole = self._views[name]
        end = len(whole) if length is None else offset + length
        if not 0 <= offset <= end <= len(whole):
            raise ExternalError(
                f"of its external data {short(name)}, bytes {offset:,} to {end:,} are needed,"
                f" and there are {len(whole):,}",
                "the file does not belong to this model, or is truncated: copy both again",
            )
        return whole[offset:end]

    def _read(self, name: str) -> Data:
        if "://" in name:
            raise ExternalError(
                f"its external data {short(name)} is an address, and nothing is fetched",
                "download the file to beside the model, and save the model with the file's name",
            )
        folder = self._folder.resolve()
        try:
            path = (folder / name).resolve()
            if not name or path == folder or not path.is_relative_to(folder):
                raise ExternalError(
                    f"it names external data {short(name)}, outside its folder",
                    "external data must lie beside the model: save the model again",
                )
            data = contents(path)
        except (OSError, ValueError) as error:
            raise ExternalError(
                f"its external data {short(name)} cannot be read"
                f" ({getattr(error, 'strerror', None) or error})",
                "copy the data file to where the model is, under the same name",
            ) from error
        if data[: len(LFS_POINTER)] == LFS_POINTER:
            raise ExternalError(
                f"its external data {short(name)} is a Git LFS pointer, not the data",
                "fetch it with `git lfs pull`",
            )
        return data
