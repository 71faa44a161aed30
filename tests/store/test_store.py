from __future__ import annotations

import hashlib
import os
import signal
import stat
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

from pytest_edgebudget.errors import EdgeBudgetError
from pytest_edgebudget.store import Store
from pytest_edgebudget.store.eviction import GRACE

MIB = 1 << 20


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "cache", limit=100 * MIB)


def file_of(folder: Path, name: str, data: bytes) -> Path:
    path = folder / name
    path.write_bytes(data)
    return path


def age(path: Path, seconds: float) -> None:
    then = time.time() - seconds
    os.utime(path, (then, then))


def test_a_file_is_addressed_by_its_sha256_and_kept_as_it_is(store: Store, tmp_path: Path) -> None:
    sha256, place = store.put_file(file_of(tmp_path, "a", b"model"), ".tflite")
    assert sha256 == hashlib.sha256(b"model").hexdigest()
    assert place.name == f"{sha256}.tflite"
    assert place.read_bytes() == b"model"
    assert store.file(sha256, ".tflite") == place


def test_a_file_in_the_cache_is_read_only(store: Store, tmp_path: Path) -> None:
    _, place = store.put_file(file_of(tmp_path, "a", b"model"), ".tflite")
    assert stat.S_IMODE(place.stat().st_mode) == 0o444


def test_an_unknown_address_is_none(store: Store) -> None:
    assert store.file("0" * 64, ".tflite") is None


def test_a_flipped_byte_is_noticed_removed_and_said(store: Store, tmp_path: Path) -> None:
    sha256, place = store.put_file(file_of(tmp_path, "a", b"model"), ".tflite")
    place.chmod(0o644)
    place.write_bytes(b"modem")
    assert store.file(sha256, ".tflite") is None
    assert not place.exists()
    assert store.repairs == [
        f"damaged cache entry {place.name} removed: its bytes are not those that it is named after"
    ]


def test_putting_a_file_over_its_damaged_copy_mends_it(store: Store, tmp_path: Path) -> None:
    source = file_of(tmp_path, "a", b"model")
    _, place = store.put_file(source, ".tflite")
    place.chmod(0o644)
    place.write_bytes(b"")
    store.put_file(source, ".tflite")
    assert place.read_bytes() == b"model"
    assert len(store.repairs) == 1


def test_data_files_beside_a_model_are_kept_beside_it(store: Store, tmp_path: Path) -> None:
    model = file_of(tmp_path, "net.onnx", b"graph")
    weights = file_of(tmp_path, "w.bin", b"weights")
    sha256, place = store.put_file(model, ".onnx", {"parts/w.bin": weights})
    assert place.read_bytes() == b"graph"
    assert (place.parent / "parts" / "w.bin").read_bytes() == b"weights"
    assert store.file(sha256, ".onnx") == place
    assert store.put_file(model, ".onnx", {"parts/w.bin": weights}) == (sha256, place)
    weights.write_bytes(b"others")
    assert store.put_file(model, ".onnx", {"parts/w.bin": weights})[0] != sha256


def test_damage_in_a_data_file_beside_a_model_is_noticed(store: Store, tmp_path: Path) -> None:
    model = file_of(tmp_path, "net.onnx", b"graph")
    weights = file_of(tmp_path, "w.bin", b"weights")
    sha256, place = store.put_file(model, ".onnx", {"w.bin": weights})
    (place.parent / "w.bin").chmod(0o644)
    (place.parent / "w.bin").write_bytes(b"weighty")
    assert store.file(sha256, ".onnx") is None
    assert store.put_file(model, ".onnx", {"w.bin": weights}) == (sha256, place)
    assert (place.parent / "w.bin").read_bytes() == b"weights"


def test_a_record_comes_back_as_it_was_written(store: Store) -> None:
    key = {"model": "abc", "recipe": "int8"}
    assert store.record("build", key) is None
    store.write_record("build", key, {"sha256": "d", "sizes": [1, 2.5, None]})
    assert store.record("build", dict(reversed(key.items()))) == {
        "sha256": "d",
        "sizes": [1, 2.5, None],
    }
    assert store.record("export", key) is None


@pytest.mark.parametrize("damage", [b"", b"{", b"\xff\xfe", b"0" * 200])
def test_a_damaged_record_is_removed_and_said(store: Store, damage: bytes) -> None:
    store.write_record("build", {"a": "b"}, 1)
    (place,) = (store.folder / "records" / "build").iterdir()
    place.chmod(0o644)
    place.write_bytes(damage)
    assert store.record("build", {"a": "b"}) is None
    assert store.repairs == [f"damaged cache entry {place.name} removed: its checksum is wrong"]
    store.write_record("build", {"a": "b"}, 2)
    assert store.record("build", {"a": "b"}) == 2


def test_info_counts_entries_and_bytes_and_clear_removes_them(store: Store, tmp_path: Path) -> None:
    store.put_file(file_of(tmp_path, "a", b"x" * 1000), ".tflite")
    store.put_file(
        file_of(tmp_path, "b", b"y" * 500), ".onnx", {"w": file_of(tmp_path, "w", b"z" * 24)}
    )
    info = store.info()
    assert (info.entries, info.bytes, info.limit) == (2, 1524, 100 * MIB)
    store.clear()
    assert (store.info().entries, store.info().bytes) == (0, 0)


def test_git_and_backups_ignore_the_cache(store: Store) -> None:
    assert (store.folder / ".gitignore").read_text() == "*\n"
    # The signature of https://bford.info/cachedir/.
    tag = (store.folder / "CACHEDIR.TAG").read_text()
    assert tag.startswith("Signature: 8a477f597d28d172789f06886806bc55\n")


def test_over_the_limit_the_least_recently_used_goes(tmp_path: Path) -> None:
    store = Store(tmp_path / "cache", limit=2500)
    places = {}
    for letter in "abc":
        source = file_of(tmp_path, letter, letter.encode() * 1000)
        places[letter] = store.put_file(source, ".tflite")
    for letter, hours in (("a", 30), ("b", 20), ("c", 10)):
        age(places[letter][1], hours * 3600)
    store.file(places["a"][0], ".tflite")  # used now
    store.put_file(file_of(tmp_path, "d", b"d" * 100), ".tflite")
    assert [places[letter][1].exists() for letter in "abc"] == [True, False, True]


def test_what_a_run_may_be_using_stays_even_over_the_limit(tmp_path: Path) -> None:
    store = Store(tmp_path / "cache", limit=10)
    _, first = store.put_file(file_of(tmp_path, "a", b"a" * 1000), ".tflite")
    _, second = store.put_file(file_of(tmp_path, "b", b"b" * 1000), ".tflite")
    assert first.exists()
    assert second.exists()


def test_what_a_killed_run_left_half_written_goes_in_time(store: Store, tmp_path: Path) -> None:
    leftover = file_of(store.folder / "objects", ".part-old", b"half")
    fresh = file_of(store.folder / "objects", ".part-new", b"half")
    age(leftover, GRACE + 60)
    store.write_record("build", {"a": "b"}, 1)
    assert (leftover.exists(), fresh.exists()) == (False, True)


@pytest.mark.skipif(hasattr(os, "geteuid") and os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_that_cannot_be_written_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "locked").mkdir(mode=0o555)
    with pytest.raises(EdgeBudgetError, match="cannot be used: Permission denied"):
        Store(tmp_path / "locked" / "cache", limit=MIB)


def test_a_file_where_the_cache_should_be_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(EdgeBudgetError, match="cannot be used: Not a directory"):
        Store(file_of(tmp_path, "cache", b""), limit=MIB)


# --- several processes at once ---------------------------------------------------

WRITER = """
    import sys
    from pathlib import Path
    from pytest_edgebudget.store import Store

    folder, source, rounds = Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3])
    store = Store(folder, limit=1 << 30)
    print("ready", flush=True)
    for number in range(rounds):
        sha256, place = store.put_file(source, ".tflite")
        store.write_record("build", {"n": str(number % 7)}, {"sha256": sha256, "n": number % 7})
        found = store.record("build", {"n": str(number % 7)})
        assert found == {"sha256": sha256, "n": number % 7}, found
        if number % 5 == 4:
            place.unlink(missing_ok=True)
    assert store.repairs == [], store.repairs
"""

BUILDER = """
    import sys, time
    from pathlib import Path
    from pytest_edgebudget.store import Store

    store = Store(Path(sys.argv[1]), limit=1 << 30)
    with store.lock("kws+int8"):
        if store.record("build", {"m": "kws"}) is None:
            time.sleep(0.3)
            store.write_record("build", {"m": "kws"}, "built")
            print("built")
"""


def python(code: str, *args: object) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(code), *map(str, args)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_concurrent_writers_never_see_each_others_halves(store: Store, tmp_path: Path) -> None:
    source = file_of(tmp_path, "m", os.urandom(MIB))
    writers = [python(WRITER, store.folder, source, 25) for _ in range(3)]
    for writer in writers:
        _, errors = writer.communicate(timeout=60)
        assert writer.returncode == 0, errors
    assert not list(store.folder.rglob(".part-*"))


def test_under_a_lock_one_of_several_processes_builds(store: Store) -> None:
    builders = [python(BUILDER, store.folder) for _ in range(3)]
    said = [builder.communicate(timeout=60)[0].strip() for builder in builders]
    assert sorted(said) == ["", "", "built"]


@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
def test_a_kill_in_mid_write_leaves_nothing_wrong(store: Store, tmp_path: Path) -> None:
    source = file_of(tmp_path, "m", os.urandom(4 * MIB))
    sha256 = hashlib.sha256(source.read_bytes()).hexdigest()
    for delay in (0.0, 0.01, 0.02, 0.05):
        with python(WRITER, store.folder, source, 10_000) as writer:
            assert writer.stdout is not None
            writer.stdout.readline()
            time.sleep(delay)
            writer.send_signal(signal.SIGKILL)
        after = Store(store.folder, limit=100 * MIB)
        assert after.file(sha256, ".tflite") in (None, after._place(sha256, ".tflite"))
        for number in range(7):
            assert after.record("build", {"n": str(number)}) in (
                None,
                {"sha256": sha256, "n": number},
            )
        assert after.repairs == []
        with after.lock("free again"):
            assert after.put_file(source, ".tflite")[1].read_bytes() == source.read_bytes()
