"""The helper runs on old boards, and keeps a folder of files within bounds."""

from __future__ import annotations

import ast
import hashlib
import os
import time
from pathlib import Path

import pytest

from pytest_edgebudget.devices.remote import bundle
from pytest_edgebudget.devices.remote.agent.refusal import Refusal
from pytest_edgebudget.devices.remote.agent.shelf import RECENT, Shelf


@pytest.mark.parametrize("path", [bundle.MACHINE, *sorted(bundle.AGENT.glob("*.py"))], ids=str)
def test_the_helper_is_written_for_old_pythons(path: Path) -> None:
    tree = ast.parse(path.read_text(), feature_version=bundle.OLDEST)
    imported = {
        alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.Import)
        for alias in node.names
    }
    assert not imported & {"numpy", "pytest_edgebudget", "tomllib"}


def test_all_of_the_helper_is_sent() -> None:
    files = {path.stem for path in bundle.AGENT.glob("*.py")} - {"__init__"}
    assert files == set(bundle.MODULES)


def put(shelf: Shelf, content: bytes) -> str:
    sha = hashlib.sha256(content).hexdigest()
    shelf.write(sha, len(content), 0, content)
    return shelf.tree(sha, {"file": sha})


def age(path: str, seconds: float) -> None:
    old = time.time() - seconds
    for each in (Path(path), Path(path).parents[1] / "blobs" / Path(path).name):
        os.utime(each, (old, old))


def test_what_was_not_used_for_longest_goes_when_there_is_no_room(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path / "cache", limit=25_000)
    first, second = put(shelf, os.urandom(10_000)), put(shelf, os.urandom(10_000))
    age(first, 2 * RECENT)
    age(second, 3 * RECENT)
    third = put(shelf, os.urandom(10_000))
    assert [Path(path).exists() for path in (first, second, third)] == [True, False, True]
    blobs = {path.name for path in (tmp_path / "cache" / "blobs").iterdir()}
    assert blobs == {Path(first).name, Path(third).name}


def test_what_may_be_in_use_stays_though_the_bounds_are_broken(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path / "cache", limit=15_000)
    found = [put(shelf, os.urandom(10_000)) for _ in range(2)]
    assert all(Path(path).exists() for path in found)


def test_a_file_that_arrived_damaged_is_not_kept(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path / "cache", limit=1 << 20)
    sha = hashlib.sha256(b"right").hexdigest()
    with pytest.raises(Refusal, match="arrived damaged"):
        shelf.write(sha, 5, 0, b"wrong")
    assert shelf.missing({sha: 5}) == [sha]
    assert list((tmp_path / "cache" / "blobs").iterdir()) == []
    shelf.write(sha, 5, 0, b"right")
    assert shelf.missing({sha: 5}) == []


def test_a_file_that_a_power_cut_left_empty_is_made_anew(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path / "cache", limit=1 << 20)
    path = put(shelf, b"right")
    sha = Path(path).name
    (tmp_path / "cache" / "blobs" / sha).write_bytes(b"")  # and its link
    assert shelf.missing({sha: 5}) == [sha]
    assert (Path(put(shelf, b"right")) / "file").read_bytes() == b"right"


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("a file")
    with pytest.raises(Refusal, match=r"the board cannot keep files: .*cache"):
        Shelf(tmp_path / "cache", limit=1 << 20)
