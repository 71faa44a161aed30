from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest

from pytest_edgebudget.data import ArrayInfo, load_data
from pytest_edgebudget.errors import BuildError, ModelError
from pytest_edgebudget.store import Store
from pytest_edgebudget.types import FunctionRef


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "cache", limit=1 << 30)


def saved(folder: Path, **arrays: object) -> Path:
    path = folder / "data.npz"
    np.savez_compressed(path, **arrays)
    return path


@pytest.mark.parametrize(
    "dtype", ["float16", "float32", "float64", "int8", "uint8", "int64", "bool", ">f4"]
)
def test_shapes_and_dtypes_are_those_that_numpy_reads(
    dtype: str, tmp_path: Path, store: Store
) -> None:
    path = saved(tmp_path, x_test=np.zeros((5, 3, 2), dtype))
    with np.load(path) as file:
        expected = ArrayInfo(file["x_test"].shape, file["x_test"].dtype.name)
    assert load_data(path, root=tmp_path, store=store).arrays == {"x_test": expected}


def test_text_arrays_are_read_as_slices(tmp_path: Path, store: Store) -> None:
    path = saved(tmp_path, x_test=np.zeros(2), speaker_test=np.array(["ann", "bob"]))
    data = load_data(path, root=tmp_path, store=store)
    assert data.arrays["speaker_test"] == ArrayInfo((2,), "str")


def test_several_inputs_are_named_after_a_slash(tmp_path: Path, store: Store) -> None:
    arrays = {"x_test/a": np.zeros((4, 2)), "x_test/b": np.zeros((4, 3)), "y_test": np.zeros(4)}
    data = load_data(saved(tmp_path, **arrays), root=tmp_path, store=store)
    assert data.named("x_test") == ("x_test/a", "x_test/b")
    assert (data.has("x_test"), data.has("x_val")) == (True, False)
    assert (data.samples("test"), data.samples("val")) == (4, 0)


def test_the_digest_of_an_array_ignores_the_others(tmp_path: Path, store: Store) -> None:
    x = np.arange(6.0)
    first = load_data(saved(tmp_path, x_calibration=x, a=x), root=tmp_path, store=store)
    one = first.digest_of("x_calibration")
    second = load_data(saved(tmp_path, x_calibration=x, a=-x), root=tmp_path, store=store)
    assert one == second.digest_of("x_calibration")
    assert first.sha256 != second.sha256


def test_pickled_objects_are_refused(tmp_path: Path, store: Store) -> None:
    path = saved(tmp_path, x_test=np.array([{"a": 1}, None], dtype=object))
    with pytest.raises(ModelError, match=r"x_test\.npy in it holds pickled Python objects"):
        load_data(path, root=tmp_path, store=store)


def test_structured_arrays_are_refused(tmp_path: Path, store: Store) -> None:
    path = saved(tmp_path, x_test=np.zeros(2, dtype=[("a", "f4"), ("b", "O")]))
    with pytest.raises(ModelError, match="has fields; plain arrays only"):
        load_data(path, root=tmp_path, store=store)


def test_a_zip_of_other_things_is_refused(tmp_path: Path, store: Store) -> None:
    with zipfile.ZipFile(tmp_path / "data.npz", "w") as archive:
        archive.writestr("readme.txt", "hello")
    with pytest.raises(ModelError, match=r"readme\.txt in it is not an array"):
        load_data(tmp_path / "data.npz", root=tmp_path, store=store)


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "is not an .npz file"),
        (b"hello", "is not an .npz file"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n", "is a Git LFS pointer"),
    ],
    ids=["empty", "text", "lfs"],
)
def test_a_file_that_is_not_npz_is_a_sentence(
    content: bytes, sentence: str, tmp_path: Path, store: Store
) -> None:
    (tmp_path / "data.npz").write_bytes(content)
    with pytest.raises(ModelError, match=sentence):
        load_data(tmp_path / "data.npz", root=tmp_path, store=store)


def test_a_truncated_file_is_a_sentence(tmp_path: Path, store: Store) -> None:
    path = saved(tmp_path, x_test=np.arange(1000))
    path.write_bytes(path.read_bytes()[:300])
    with pytest.raises(ModelError, match="is not an"):
        load_data(path, root=tmp_path, store=store)


def test_a_missing_file_and_a_folder_are_sentences(tmp_path: Path, store: Store) -> None:
    with pytest.raises(ModelError, match="there is no data file"):
        load_data(tmp_path / "none.npz", root=tmp_path, store=store)
    with pytest.raises(ModelError, match="is a folder"):
        load_data(tmp_path, root=tmp_path, store=store)


def test_a_misspelt_array_is_answered_with_the_right_name(tmp_path: Path, store: Store) -> None:
    with pytest.raises(ModelError) as caught:
        load_data(saved(tmp_path, X_test=np.zeros(3)), root=tmp_path, store=store)
    assert str(caught.value).endswith(
        "data.npz has no array x_test (it has X_test)\n  did you mean x_test?"
    )


def test_inputs_and_labels_of_different_length_are_refused(tmp_path: Path, store: Store) -> None:
    path = saved(tmp_path, x_test=np.zeros((3, 2)), y_test=np.zeros(4))
    with pytest.raises(ModelError, match="x_test has 3 samples, but y_test has 4"):
        load_data(path, root=tmp_path, store=store)


@pytest.mark.parametrize("shape", [(), (0, 4)], ids=["scalar", "empty"])
def test_an_array_without_samples_is_refused(
    shape: tuple[int, ...], tmp_path: Path, store: Store
) -> None:
    with pytest.raises(ModelError, match="x_test has no samples"):
        load_data(saved(tmp_path, x_test=np.zeros(shape)), root=tmp_path, store=store)


def test_a_function_of_the_users_gives_data(tmp_path: Path, store: Store) -> None:
    (tmp_path / "feed.py").write_text(
        "import numpy as np\ndef load(): return {'x_test': np.ones((2, 3)), 'y_test': [0, 1]}\n"
    )
    data = load_data(FunctionRef("feed", "load"), root=tmp_path, store=store)
    with np.load(data.path) as file:
        assert file["x_test"].tolist() == [[1.0] * 3] * 2
        assert file["y_test"].tolist() == [0, 1]
    again = load_data(FunctionRef("feed", "load"), root=tmp_path, store=store)
    assert again == data


def test_a_function_may_return_a_path_from_the_root(tmp_path: Path, store: Store) -> None:
    saved(tmp_path, x_test=np.arange(3))
    (tmp_path / "feed.py").write_text("def load():\n    return 'data.npz'\n")
    data = load_data(FunctionRef("feed", "load"), root=tmp_path, store=store)
    assert data.samples("test") == 3


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        ("return 3", "feed:load returned int"),
        ("return {'x_test': [object()]}", "feed:load returned Python objects as x_test"),
        ("raise KeyError('gone')", "while calling feed:load for data: KeyError: 'gone'"),
    ],
)
def test_a_function_that_gives_no_arrays_is_a_sentence(
    body: str, sentence: str, tmp_path: Path, store: Store
) -> None:
    (tmp_path / "feed.py").write_text(f"def load():\n    {body}\n")
    with pytest.raises(BuildError, match=sentence):
        load_data(FunctionRef("feed", "load"), root=tmp_path, store=store)


def test_reading_headers_loads_no_numpy(tmp_path: Path) -> None:
    path = saved(tmp_path, x_test=np.zeros(3))
    code = (
        "import sys; from pathlib import Path\n"
        "from pytest_edgebudget.data import load_data; from pytest_edgebudget.store import Store\n"
        f"load_data(Path({str(path)!r}), root=Path('.'), store=Store(Path({str(tmp_path)!r}), 1))\n"
        "sys.exit('numpy' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
