"""A board over a real sshd: files, workers, the shell's quotes, connections that are none."""

from __future__ import annotations

import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from pytest_edgebudget.devices import Device
from pytest_edgebudget.devices.base import Samples
from pytest_edgebudget.devices.remote.board import Board
from pytest_edgebudget.devices.remote.device import RemoteDevice
from pytest_edgebudget.devices.remote.transport import in_shell
from pytest_edgebudget.devices.ssh.transport import VARIABLE
from pytest_edgebudget.devices.ssh.way import look
from pytest_edgebudget.errors import DeviceError, MissingExtra
from pytest_edgebudget.testing import DeviceContract
from tests.devices.ssh.conftest import DIGITS, WARM, Boards
from tests.devices.ssh.server import Server, wait_for


class TestContract(DeviceContract):
    """What every device keeps."""

    model = DIGITS / "digits.tflite"
    data = DIGITS / "data.npz"

    @pytest.fixture
    def device(self, device: RemoteDevice) -> Device:
        return device


def test_answers_over_there_are_those_of_here(device: RemoteDevice, tmp_path: Path) -> None:
    from pytest_edgebudget.devices import open_device, profile_named
    from pytest_edgebudget.types import DeviceChoice

    here = open_device(DeviceChoice(profile=profile_named("host"), run="host"))
    samples = Samples(path=DIGITS / "data.npz", split="test", first=20)
    found = []
    for each, name in ((device, "there.npz"), (here, "here.npz")):
        with each.worker("tflite") as worker:
            worker.load(DIGITS / "digits.tflite")
            worker.run(samples, "reset", tmp_path / name)
        found.append((tmp_path / name).read_bytes())
    assert found[0] == found[1]


def test_nothing_is_copied_twice(boards: Boards, server: Server) -> None:
    copied = []
    for _ in range(2):
        device = boards.device()
        with device.worker("tflite") as worker:
            worker.load(WARM)
        copied.append(device.files.copied)
        device.close()
    assert copied[0] > WARM.stat().st_size
    assert copied[1] == 0
    # The board holds each content once, under its SHA-256.
    blobs = [path.name for path in (server.cache / "blobs").iterdir()]
    listed = subprocess.run(
        ["sha256sum", *blobs],
        cwd=server.cache / "blobs",
        capture_output=True,
        check=True,
        text=True,
    )
    assert {line.split()[0] for line in listed.stdout.splitlines()} == set(blobs)
    assert not list(server.cache.glob("run-*"))


def test_external_data_goes_along(boards: Boards, tmp_path: Path) -> None:
    onnx = pytest.importorskip("onnx", reason="writes the model of this test")
    pytest.importorskip("onnxruntime", reason="the runtime of this test")
    import numpy as np

    weights = onnx.numpy_helper.from_array(np.eye(300, dtype=np.float32), "w")
    value = onnx.helper.make_tensor_value_info
    graph = onnx.helper.make_graph(
        [onnx.helper.make_node("MatMul", ["x", "w"], ["y"])],
        "g",
        [value("x", 1, [1, 300])],
        [value("y", 1, [1, 300])],
        [weights],
    )
    opset = [onnx.helper.make_opsetid("", 17)]
    model = onnx.helper.make_model(graph, opset_imports=opset, ir_version=8)
    path = tmp_path / "a model's name.onnx"
    onnx.save(model, path, save_as_external_data=True, location="sub.bin")
    with boards.device().worker("onnx") as worker:
        assert worker.load(path).outputs == ("y",)


@pytest.mark.parametrize(
    "word", ["it's", '$HOME `id` \\ !! "q"', "-n", "a\nb", "ä*?[x]{1}~ #;&|<>"]
)
@pytest.mark.parametrize("shell", ["sh", "bash"])
def test_words_arrive_as_they_were_sent(word: str, shell: str) -> None:
    command = in_shell(sys.executable, "-c", "import sys; print(ascii(sys.argv[1:]))", "--", word)
    said = subprocess.run([shell, "-c", command], capture_output=True, text=True, check=True)
    assert said.stdout == f"edgebudget-is-here\n{['--', word]!a}\n"


def test_a_python_in_the_home_over_there(board: Board, tmp_path: Path) -> None:
    command = in_shell("~/b in/py", "x")
    (tmp_path / "b in").mkdir()
    (tmp_path / "b in" / "py").write_text("#!/bin/sh\necho ran $1\n")
    (tmp_path / "b in" / "py").chmod(0o755)
    said = subprocess.run(
        ["sh", "-c", command],
        env={"HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert said.stdout == "edgebudget-is-here\nran x\n"


def test_what_a_login_shell_prints_is_skipped(
    boards: Boards, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    noisy = server.folder / "noisy"
    noisy.write_text(
        '#!/bin/sh\necho "welcome"; echo \'{"ok": {}}\'; exec sh -c "$SSH_ORIGINAL_COMMAND"\n'
    )
    noisy.chmod(0o755)
    config = server.folder / "sshd_config"
    config.write_text(config.read_text() + f"ForceCommand {noisy}\n")
    server.stop()
    subprocess.run(["true"], check=True)
    _restart(server, config.read_text())
    device = boards.device()
    with device.worker("tflite") as worker:
        assert worker.load(WARM).outputs == ("y",)


def _restart(server: Server, config: str) -> None:
    write = server._write_config
    server._write_config = lambda: (server.folder / "sshd_config").write_text(config)  # type: ignore[method-assign,assignment]
    try:
        server.start()
    finally:
        server._write_config = write  # type: ignore[method-assign]


def test_a_board_that_refuses_the_key_says_so_once(
    boards: Boards, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(VARIABLE, f"ssh -F {server.client(key='stranger')}")
    board = boards.board()
    for _ in range(2):
        with pytest.raises(DeviceError) as caught:
            board.ask("hello", "looking", distributions=[])
    assert caught.value.message == "there is no connection to 127.0.0.1"
    assert "Permission denied (publickey)" in caught.value.hint
    assert "let a key do. ssh-copy-id 127.0.0.1" in caught.value.hint
    # sshd writes down each attempt; the second question made none.
    log, words = server.folder / "log", "Connection closed by authenticating user"
    wait_for(lambda: words in log.read_text(), "sshd saw nobody")
    assert log.read_text().count(words) == 1


def test_a_board_that_is_another_one_is_not_trusted(
    boards: Boards, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = server.client()
    (server.folder / "known_hosts").write_text(
        f"[127.0.0.1]:{server.port} {(server.folder / 'stranger.pub').read_text()}"
    )
    monkeypatch.setenv(VARIABLE, f"ssh -F {config}")
    with pytest.raises(DeviceError) as caught:
        boards.board().ask("hello", "looking", distributions=[])
    assert "HOST IDENTIFICATION HAS CHANGED" in caught.value.hint or (
        "Host key verification failed" in caught.value.hint
    )


def test_a_port_where_nobody_answers_is_told(boards: Boards) -> None:
    with pytest.raises(DeviceError) as caught:
        boards.board("ssh://nobody@127.0.0.1:9").ask("hello", "looking", distributions=[])
    assert caught.value.message == "there is no connection to nobody@127.0.0.1"
    assert "Connection refused" in caught.value.hint
    assert "sudo systemctl enable --now ssh" in caught.value.hint


def test_the_doctor_says_what_a_board_lacks(server: Server) -> None:
    nothing = look(server.url, "/no/python")
    assert [lack.what for lack in nothing] == ["/no/python on 127.0.0.1 (Python 3.7 or newer)"]
    assert nothing[0].command == (
        f"ssh -p {server.port} 127.0.0.1 sudo apt-get install python3 python3-pip python3-venv"
    )
    bare = look(server.url, _bare_python(server), energy=False)
    assert [lack.what.partition(" in ")[0] for lack in bare] == [
        "numpy",
        "ai-edge-litert",
        "onnxruntime",
    ]
    pip = f'ssh -p {server.port} 127.0.0.1 "{shlex.quote(_bare_python(server))} -m pip install '
    assert bare[0].command == pip + 'numpy"'
    assert bare[1].command == pip + 'ai-edge-litert numpy"'
    assert look(server.url, sys.executable, ("onnxruntime",), energy=False) == []


def test_a_python_that_is_too_old_is_told_as_one_that_is_missing(
    boards: Boards, server: Server
) -> None:
    old = server.folder / "python2"
    old.write_text(
        f'#!/bin/sh\nexec {sys.executable} -c "import sys; sys.version_info = (3, 6); exec(sys.argv[1])" "$4"\n'
    )
    old.chmod(0o755)
    with pytest.raises(DeviceError) as caught:
        boards.board(python=str(old)).ask("beat", "looking")
    assert caught.value.message == f"127.0.0.1 has no {old}"
    (lack,) = look(server.url, str(old), energy=False)
    assert lack.what == f"{old} on 127.0.0.1 (Python 3.7 or newer)"


def _bare_python(server: Server) -> str:
    """An interpreter without any library."""
    folder = server.folder / "bare"
    if not folder.exists():
        subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder], check=True)
    return str(folder / "bin" / "python")


def test_a_runtime_that_the_board_lacks_is_told_with_the_command(
    boards: Boards, server: Server
) -> None:
    device = boards.device(boards.board(python=_bare_python(server)))
    with pytest.raises(MissingExtra) as caught:
        device.identity("tflite")
    assert caught.value.message == (
        "running .tflite models on 127.0.0.1 needs ai-edge-litert, which is not installed"
    )
    assert "-m pip install ai-edge-litert numpy" in caught.value.hint
