"""A real sshd on a loopback port, with keys of its own, and a proxy that can fall silent."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import pytest

SSHD = shutil.which("sshd", path=os.environ.get("PATH", "") + ":/usr/sbin:/usr/local/sbin")


def needs_sshd() -> None:
    """Skip where there is no sshd to talk to."""
    if not sys.platform.startswith("linux"):
        pytest.skip("processes are found in /proc")
    if SSHD is None or shutil.which("ssh") is None:
        pytest.skip("no sshd: sudo apt-get install openssh-server openssh-client")


@dataclass
class Server:
    """
    An sshd that serves the current user from *folder*.

    The sessions' cache folder and folder of temporary files are in it too, as
    if it were a machine of its own.
    """

    folder: Path
    port: int = 0
    over: bool = False
    _process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"ssh://127.0.0.1:{self.port}"

    @property
    def cache(self) -> Path:
        """Where the helper keeps files."""
        return self.folder / "cache" / "edgebudget"

    @property
    def lock(self) -> Path:
        return self.folder / "tmp" / "pytest-edgebudget.lock"

    def start(self) -> None:
        if self.over:  # a timer of a test that has failed
            return
        for name in ("cache", "tmp"):
            (self.folder / name).mkdir(exist_ok=True)
        for name in ("host", "user", "stranger"):
            if not (self.folder / name).exists():
                call = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", self.folder / name]
                subprocess.run(call, check=True)
        self.port = self.port or free_port()
        self._write_config()
        if os.geteuid() == 0:
            Path("/run/sshd").mkdir(exist_ok=True)  # sshd wants it, wherever its files are
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [str(SSHD), "-D", "-e", "-f", self.folder / "sshd_config"], stderr=log
            )
        wait_for(lambda: _answers(self.port), "sshd does not start")

    def stop(self) -> None:
        """As if the board were switched off: the sessions end, too."""
        if self._process is not None:
            self.cut()
            self._process.kill()
            self._process.wait()
            self._process = None

    def cut(self) -> None:
        """Kill the sessions, and so the connections; what they started goes on."""
        assert self._process is not None
        for pid in children(self._process.pid):
            for each in (*children(pid), pid):
                if "sshd" in command_of(each):
                    with suppress(ProcessLookupError):
                        os.kill(each, signal.SIGKILL)

    def client(self, port: int | None = None, key: str = "user", **more: str) -> Path:
        """A configuration for ssh, as a user has it in ~/.ssh/config."""
        path = self.folder / f"config-{key}"
        known = self.folder / "known_hosts"
        host_key = (self.folder / "host.pub").read_text()
        ports = {self.port, port or self.port}
        known.write_text("".join(f"[127.0.0.1]:{each} {host_key}" for each in ports))
        options = {
            "IdentityFile": str(self.folder / key),
            "IdentitiesOnly": "yes",
            "UserKnownHostsFile": str(known),
            "StrictHostKeyChecking": "yes",
            **more,
        }
        lines = [f"  {name} {value}\n" for name, value in options.items()]
        path.write_text("Host *\n" + "".join(lines))
        return path

    def _write_config(self) -> None:
        authorized = self.folder / "authorized_keys"
        shutil.copy(self.folder / "user.pub", authorized)
        authorized.chmod(0o600)
        (self.folder / "sshd_config").write_text(
            f"Port {self.port}\n"
            "ListenAddress 127.0.0.1\n"
            f"HostKey {self.folder / 'host'}\n"
            f"AuthorizedKeysFile {authorized}\n"
            "PidFile none\n"
            "StrictModes no\n"
            "UsePAM no\n"
            "PasswordAuthentication no\n"
            "KbdInteractiveAuthentication no\n"
            "PermitRootLogin prohibit-password\n"
            f"SetEnv XDG_CACHE_HOME={self.folder / 'cache'} TMPDIR={self.folder / 'tmp'}\n"
        )


@dataclass
class Proxy:
    """A TCP proxy to *target* that can stop forwarding: a cable that was pulled."""

    target: int
    port: int = 0
    _silent: threading.Event = field(default_factory=threading.Event)
    _sockets: list[socket.socket] = field(default_factory=list)

    def start(self) -> None:
        listener = socket.create_server(("127.0.0.1", 0))
        self.port = listener.getsockname()[1]
        self._sockets.append(listener)
        threading.Thread(target=self._accept, args=(listener,), daemon=True).start()

    def hang(self) -> None:
        self._silent.set()

    def heal(self) -> None:
        self._silent.clear()

    def stop(self) -> None:
        for each in self._sockets:
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()

    def _accept(self, listener: socket.socket) -> None:
        with suppress(OSError):
            while True:
                near, _ = listener.accept()
                far = socket.create_connection(("127.0.0.1", self.target))
                self._sockets += [near, far]
                for pair in ((near, far), (far, near)):
                    threading.Thread(target=self._forward, args=pair, daemon=True).start()

    def _forward(self, source: socket.socket, sink: socket.socket) -> None:
        with suppress(OSError):
            while data := source.recv(65536):
                if not self._silent.is_set():
                    sink.sendall(data)
        with suppress(OSError):
            sink.shutdown(socket.SHUT_RDWR)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as found:
        port: int = found.getsockname()[1]
    return port


def _answers(port: int) -> bool:
    with suppress(OSError), socket.create_connection(("127.0.0.1", port), 1) as found:
        return found.recv(4) == b"SSH-"
    return False


def wait_for(true: object, said: str, seconds: float = 20) -> None:
    """Wait until *true*() is; fail with what was *said*."""
    assert callable(true)
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, said
        time.sleep(0.05)


def children(pid: int) -> list[int]:
    return [child for child, parent in _processes() if parent == pid]


def command_of(pid: int) -> str:
    with suppress(OSError):
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()
    return ""


def environment_of(pid: int) -> bytes:
    with suppress(OSError):
        return Path(f"/proc/{pid}/environ").read_bytes()
    return b""


def processes_of(text: str) -> list[int]:
    """Living processes whose command line has *text* in it."""
    return [pid for pid, _ in _processes() if text in command_of(pid) and pid != os.getpid()]


def _processes() -> Iterator[tuple[int, int]]:
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError, IndexError):
            fields = (folder / "stat").read_text(errors="replace").rpartition(")")[2].split()
            if fields[0] != "Z":
                yield int(folder.name), int(fields[1])
