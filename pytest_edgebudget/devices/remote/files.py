"""Files by SHA-256 on the board, so that nothing is copied twice."""

from __future__ import annotations

import base64
import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from pytest_edgebudget import graph
from pytest_edgebudget.devices.remote.board import Board, pieces

PIECE = 1 << 20  # bytes in a message
SLOWEST = 20e3  # bytes a second that a connection must manage
WORKER = Path(__file__).parents[2] / "worker"


@dataclass(slots=True, eq=False)
class BoardFiles:
    """Files of *board*; *copied* counts the bytes that had to be sent."""

    board: Board
    copied: int = 0
    _digests: dict[tuple[str, int, int], str] = field(default_factory=dict)

    def put(self, path: Path) -> str:
        """The path over there of a file from here; external data beside a model goes along."""
        files = {path.name: path}
        if path.suffix == ".onnx":
            files |= {name: path.parent / name for name in graph.read(path).external}
        return f"{self._tree(files, path.name)}/{path.name}"

    def worker(self) -> str:
        """The folder of the worker program over there."""
        found = sorted(p for p in WORKER.rglob("*") if p.is_file() and p.suffix != ".pyc")
        return self._tree({str(p.relative_to(WORKER)): p for p in found}, "the worker")

    def out(self, path: Path) -> str:
        """Where the worker writes what shall become *path* here."""
        return f"{self.board.ask('scratch', 'asking for a folder')['path']}/{path.name}"

    def fetch(self, path: Path) -> None:
        """Bring what the worker wrote for *path*."""
        doing = f"fetching {path.name}"
        with path.open("wb") as file:
            while True:
                answer = self.board.ask(
                    "read", doing, _patience(PIECE), name=path.name, offset=file.tell(), size=PIECE
                )
                data = base64.b64decode(answer["data"])
                file.write(data)
                if len(data) < PIECE:
                    break
        self.board.ask("forget", doing, name=path.name)

    def _tree(self, files: Mapping[str, Path], what: str) -> str:
        """The folder over there with these *files*, by their names in it."""
        shas = {name: self._sha256(path) for name, path in files.items()}
        self._send({shas[name]: path for name, path in files.items()}, f"copying {what}")
        name = hashlib.sha256(json.dumps(shas, sort_keys=True).encode()).hexdigest()
        answer = self.board.ask("tree", f"copying {what}", name=name, files=shas)
        return str(answer["path"])

    def _send(self, files: Mapping[str, Path], doing: str) -> None:
        sizes = {sha: path.stat().st_size for sha, path in files.items()}
        for sha in self.board.ask("missing", doing, sizes=sizes)["missing"]:
            with files[sha].open("rb") as file:
                for offset in pieces(sizes[sha], PIECE):
                    data = file.read(PIECE)
                    self.board.ask(
                        "write",
                        doing,
                        _patience(len(data)),
                        sha=sha,
                        size=sizes[sha],
                        offset=offset,
                        data=base64.b64encode(data).decode("ascii"),
                    )
                    self.copied += len(data)

    def _sha256(self, path: Path) -> str:
        found = path.stat()
        key = os.fspath(path), found.st_mtime_ns, found.st_size
        if key not in self._digests:
            with path.open("rb") as file:
                self._digests[key] = hashlib.file_digest(file, "sha256").hexdigest()
        return self._digests[key]


def _patience(size: int) -> float:
    """Seconds for a piece of so many bytes."""
    return 30 + size / SLOWEST
