"""Model and data files that are not what they should be."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import pytest

from tests.budget.project import LFS, ONNX, TFLITE, Project

HDF5 = b"\x89HDF\r\n\x1a\n" + bytes(8)
ZIP = b"PK\x03\x04" + bytes(8)


def _npz(**members: bytes) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for name, content in members.items():
            archive.writestr(f"{name}.npy", content)
    return stream.getvalue()


def _pickled() -> bytes:
    numpy = pytest.importorskip("numpy", reason="numpy writes the array")
    stream = io.BytesIO()
    numpy.savez(stream, x_test=numpy.array([{}], dtype=object))
    return stream.getvalue()


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.tflite", TFLITE),
        ("a.TFLITE", TFLITE),
        ("a.onnx", ONNX),
        ("a.keras", ZIP),
        ("a.h5", HDF5),
    ],
)
def test_each_kind_of_model_is_known_by_its_first_bytes(
    project: Project, name: str, content: bytes
) -> None:
    project.write(name, content)

    budget = project.read(f'models.k = {{ path = "../{name}", budget.size = "1 MiB" }}')

    assert budget.models[0].source == project.root / name


def test_models_written_by_onnx_are_known(project: Project) -> None:
    onnx = pytest.importorskip("onnx", reason="onnx writes the model")
    graph = onnx.helper.make_graph([], "empty", [], [])
    model = onnx.helper.make_model(graph, producer_name="a test", doc_string="of the gate")
    project.write("real.onnx", model.SerializeToString())

    budget = project.read('models.k = { path = "../real.onnx", budget.size = "1 MiB" }')

    assert budget.models[0].source == project.root / "real.onnx"


@pytest.mark.parametrize(
    ("name", "content", "mistake"),
    [
        ("a.tflite", b"", "../a.tflite is empty"),
        ("a.tflite", LFS, "../a.tflite is a Git LFS pointer, not the file itself (run: git lfs pull)"),
        ("a.tflite", b"hello, world", "../a.tflite is not a .tflite model"),
        ("a.tflite", HDF5, "../a.tflite is not a .tflite model: it is an HDF5 file"),
        ("a.onnx", TFLITE, "../a.onnx is not a .onnx model: it is a TensorFlow Lite model"),
        ("a.onnx", b"<!DOCTYPE html><html>", "../a.onnx is not a .onnx model: it is a web page"),
        ("a.onnx", ONNX[:2], "../a.onnx is not a .onnx model"),
        ("a.onnx", b"\x08\x08\x3a\x7f", "../a.onnx is not a .onnx model"),
        ("a.onnx", b"\xff" * 40, "../a.onnx is not a .onnx model"),
        ("a.onnx", b"\x3a\x80", "../a.onnx is not a .onnx model"),
        ("a.keras", HDF5, "../a.keras is not a .keras model: it is an HDF5 file"),
        ("a.h5", ZIP, "../a.h5 is not a .h5 model: it is a zip archive"),
        ("a.pt", ZIP, "../a.pt is not a kind of model that is known (a model is .tflite, .onnx, .keras, .h5)"),
        ("a.tflite/x", b"x", "../a.tflite is a folder, a .tflite file is meant"),
        ("a/x", b"x", "../a is a folder without saved_model.pb: it is not a SavedModel"),
    ],
)  # fmt: skip
def test_a_file_that_is_not_the_model_is_refused(
    project: Project, name: str, content: bytes, mistake: str
) -> None:
    project.write(name, content)
    path = name.partition("/")[0]

    told = project.mistakes(f'models.k = {{ path = "../{path}", budget.size = "1 MiB" }}')

    assert told == [f"budgets/pi4.toml:1: models.k.path: {mistake}"]


@pytest.mark.parametrize(
    ("content", "mistake"),
    [
        (b"", "../a.npz is empty"),
        (LFS, "../a.npz is a Git LFS pointer, not the file itself (run: git lfs pull)"),
        (b"hello, world", "../a.npz is not an .npz file (save it with numpy.savez)"),
        (_npz(), "../a.npz holds no arrays (save it with numpy.savez(path, x_test=...))"),
        (_npz(x_test=b"hello, world"), "../a.npz cannot be read: "),
        (_npz(x_test=b"\x93NUMPY\x01\x00\xff\x00{"), "../a.npz cannot be read: "),
        (_npz(x_test=b"\x93NUMPY\x01\x00\x02\x00{}"), "../a.npz cannot be read"),
        (_npz(x_test=b"\x93NUMPY\x01\x00\x02\x00[]"), "../a.npz cannot be read"),
    ],
)
def test_a_file_that_is_not_data_is_refused(project: Project, content: bytes, mistake: str) -> None:
    project.write("a.npz", content)

    (told,) = project.mistakes(project.model("accuracy = 0.9").replace("data.npz", "a.npz"))

    assert told.startswith(f"budgets/pi4.toml:3: models.k.data: {mistake}")


def test_pickled_objects_are_refused_without_being_loaded(project: Project) -> None:
    project.write("a.npz", _pickled())

    (told,) = project.mistakes(project.model("accuracy = 0.9").replace("data.npz", "a.npz"))

    assert "pickled Python objects" in told


def test_a_folder_is_not_data(project: Project) -> None:
    (project.root / "a.npz").mkdir()

    told = project.mistakes(project.model("accuracy = 0.9").replace("data.npz", "a.npz"))

    assert told == [
        "budgets/pi4.toml:3: models.k.data: ../a.npz is a folder, an .npz file is meant"
    ]


@pytest.mark.parametrize(
    ("path", "mistake"),
    [
        ("../keyword.tflite", "there is no ../keyword.tflite (did you mean keywords.tflite?)"),
        ("../zzz.onnx", "there is no ../zzz.onnx"),
        ("../model/k.tflite", "there is no ../model/k.tflite: its folder does not exist"),
        ("a\\u0000.tflite", "there is no a\x00.tflite"),
        ("/dev/null", "/dev/null is not a file"),
        ("a" * 300 + ".onnx", "a" * 300 + ".onnx cannot be read: "),
    ],
)
def test_a_missing_file_is_told_with_the_closest_name(
    project: Project, path: str, mistake: str
) -> None:
    (told,) = project.mistakes(f'models.k = {{ path = "{path}", budget.size = "1 MiB" }}')

    assert told.startswith(f"budgets/pi4.toml:1: models.k.path: {mistake}")


@pytest.mark.reference
def test_the_reference_models_are_models(project: Project, reference_models: Path) -> None:
    files = [
        file
        for suffix in ("tflite", "onnx", "keras", "h5")
        for file in sorted(reference_models.rglob(f"*.{suffix}"))
    ]
    models = [
        f'models.m{i} = {{ path = "{file}", budget.size = "1 GiB" }}'
        for i, file in enumerate(files)
    ]

    assert len(project.read("\n".join(models)).models) == len(files) > 0
