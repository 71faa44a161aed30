"""Data files beside a model."""

from __future__ import annotations

from pathlib import Path

from pytest_edgebudget.errors import ModelError
from pytest_edgebudget.graph.damage import short
from pytest_edgebudget.graph.mapped import Data, contents
from pytest_edgebudget.magic import LFS_POINTER


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
            ModelError: the file is missing, too short, or outside the folder.
        """
        if name not in self._views:
            self._views[name] = memoryview(self._read(name))
        whole = self._views[name]
        end = len(whole) if length is None else offset + length
        if not 0 <= offset <= end <= len(whole):
            raise ModelError(
                f"{self._shown(name)}: bytes {offset:,} to {end:,} of {len(whole):,} are needed",
                "the file does not belong to this model, or is truncated: copy both again",
            )
        return whole[offset:end]

    def _shown(self, name: str) -> str:
        """The path for an error; a damaged file may name anything."""
        plain = name.isprintable() and len(name) <= 80
        return str(self._folder / name) if plain else f"{self._folder}: {short(name)}"

    def _read(self, name: str) -> Data:
        folder = self._folder.resolve()
        try:
            path = (folder / name).resolve()
            if not name or path == folder or not path.is_relative_to(folder):
                raise ModelError(
                    f"{self._folder}: the model names external data {short(name)},"
                    " outside its folder",
                    "external data must lie beside the model: save the model again",
                )
            data = contents(path)
        except (OSError, ValueError) as error:
            raise ModelError(
                f"{self._shown(name)}: the model's external data cannot be read"
                f" ({getattr(error, 'strerror', None) or error})",
                "copy the data file to where the model is, under the same name",
            ) from error
        if data[: len(LFS_POINTER)] == LFS_POINTER:
            raise ModelError(
                f"{self._shown(name)}: a Git LFS pointer, not the model's data",
                "fetch it with `git lfs pull`",
            )
        return data
