"""
Debian packages without root rights: fetched by apt into a folder of ours, and unpacked there.

apt checks Debian's signatures and each package's SHA-256. It works on folders
of its own here: what is installed on this machine is neither asked nor changed.
Mirror and proxy are this machine's, where it has some.
"""

from __future__ import annotations

import functools
import os
import re
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from pytest_edgebudget.errors import EdgeBudgetError

PATIENCE = 1800.0  # seconds for a download
TAIL = 4  # lines of what a program said
_PLANNED = re.compile(r"^Inst (?P<name>\S+) \((?P<version>\S+) .*\[(?P<arch>\w+)\]", re.MULTILINE)
KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
DEBIAN = "http://deb.debian.org/debian"


@dataclass(frozen=True, slots=True, kw_only=True)
class Archive:
    """
    Where packages come from: a *mirror* (empty for `machine_mirror`) and a *suite* of it.

    *keyring* holds the keys that sign it.
    """

    mirror: str = ""
    suite: str = "bookworm"
    keyring: Path | None = KEYRING

    @property
    def line(self) -> str:
        """As in apt's sources.list."""
        signed = f"[signed-by={self.keyring}] " if self.keyring else "[trusted=yes] "
        return f"deb {signed}{self.place} {self.suite} main\n"

    @property
    def place(self) -> str:
        """The mirror's address."""
        return self.mirror or machine_mirror()


BOOKWORM = Archive()


@functools.cache
def machine_mirror() -> str:
    """
    The mirror of Debian that this machine's apt uses, else the usual one.

    ``EDGEBUDGET_DEBIAN_MIRROR`` in the environment names another.
    """
    named = os.environ.get("EDGEBUDGET_DEBIAN_MIRROR", "").rstrip("/")
    told = _ask_apt("apt-get", "indextargets", "--format", "$(REPO_URI)").split()
    found = (uri.rstrip("/") for uri in told)
    return named or next((uri for uri in found if uri.endswith("/debian")), DEBIAN)


def _machine_settings() -> str:
    """How this machine's apt fetches: proxies, certificates, patience."""
    told = _ask_apt("apt-config", "dump", "Acquire").splitlines()
    return "\n".join(line for line in told if _FETCHING.match(line))


_FETCHING = re.compile(
    r"Acquire::(https?|Retries|Check-Date|Check-Valid-Until|ForceIPv[46])\b", re.I
)


def _ask_apt(name: str, *words: str) -> str:
    """What apt says about this machine; nothing where it is not there."""
    program = shutil.which(name)
    if program is None:
        return ""
    asked = subprocess.run(
        [program, *words], capture_output=True, text=True, timeout=60, check=False
    )
    return asked.stdout


def data_folder() -> Path:
    """
    Where emulators and what they need are kept: ``edgebudget`` in the user's data folder.

    ``EDGEBUDGET_DATA`` in the environment names another place.
    """
    named = os.environ.get("EDGEBUDGET_DATA")
    if named:
        return Path(named).expanduser()
    home = os.environ.get("XDG_DATA_HOME") or "~/.local/share"
    return Path(home).expanduser() / "edgebudget"


def fetch_packages(
    names: Sequence[str],
    arch: str,
    folder: Path,
    *,
    archive: Archive = BOOKWORM,
    needed: bool = True,
) -> tuple[Path, ...]:
    """
    Download packages as files.

    Args:
        names: of the packages.
        arch: Debian's name of the architecture: "amd64", "arm64", "armhf".
        folder: of apt's own files, and of the packages in the end. What an
            interrupted call left there is used by the next.
        archive: where they come from.
        needed: with all that they depend on, as for an empty machine.

    Raises EdgeBudgetError where apt is not there, or fails.
    """
    apt = _Apt(folder, arch)
    apt.prepare(archive)
    apt.run("update")
    install = ("install", "--yes", "--no-install-recommends")
    planned = apt.run(*install, "--simulate", *names)
    apt.run(*((*install, "--download-only") if needed else ("download",)), *names)
    found = {match["name"]: apt.packages / _file(match) for match in _PLANNED.finditer(planned)}
    return tuple(found[name] for name in (found if needed else names))


def _file(planned: re.Match[str]) -> str:
    """The name of a package's file, as apt makes it."""
    version = planned["version"].replace(":", "%3a")
    return f"{planned['name']}_{version}_{planned['arch']}.deb"


def unpack(package: Path, folder: Path) -> None:
    """Unpack a package's files under *folder*; none of its scripts runs."""
    folder.mkdir(parents=True, exist_ok=True)
    _run([_program("dpkg-deb"), "--extract", str(package), str(folder)], f"unpacking {package}")


@dataclass(frozen=True, slots=True)
class _Apt:
    """apt with all its files in *folder*."""

    folder: Path
    arch: str

    @property
    def packages(self) -> Path:
        """Where it keeps packages."""
        return self.folder / "cache" / "archives"

    def prepare(self, archive: Archive) -> None:
        """Make its folders and its configuration."""
        if archive.keyring is not None and not archive.keyring.is_file():
            raise EdgeBudgetError(
                f"{archive.keyring} is not there: packages of Debian could not be checked",
                "apt install debian-archive-keyring",
            )
        folder = self.folder.resolve()
        for part in ("state/lists/partial", "cache/archives/partial", "etc"):
            (folder / part).mkdir(parents=True, exist_ok=True)
        (folder / "etc/sources.list").write_text(archive.line, encoding="utf-8")
        (folder / "state/status").touch()  # nothing is installed
        configuration = _CONFIGURATION.format(folder=folder, arch=self.arch)
        (folder / "apt.conf").write_text(f"{configuration}{_machine_settings()}\n")

    def run(self, *words: str) -> str:
        """What one of its commands says; packages come into their folder whatever it is."""
        program = _program("apt-get")
        environment = {**os.environ, "APT_CONFIG": str(self.folder.resolve() / "apt.conf")}
        doing = f"apt-get {' '.join(words)} ({self.arch})"
        return _run([program, "-qq", *words], doing, environment, self.packages)


_CONFIGURATION = """\
Dir "{folder}";
Dir::State "{folder}/state";
Dir::State::status "{folder}/state/status";
Dir::Cache "{folder}/cache";
Dir::Etc "{folder}/etc";
Dir::Etc::sourcelist "{folder}/etc/sources.list";
Dir::Etc::sourceparts "/dev/null";
Dir::Etc::netrc "/etc/apt/auth.conf";
Dir::Etc::netrcparts "/etc/apt/auth.conf.d";
Dir::Log "{folder}";
APT::Architecture "{arch}";
APT::Architectures {{ "{arch}"; }};
APT::Sandbox::User "";
Acquire::Languages "none";
Acquire::Retries "3";
Acquire::http::Timeout "60";
Acquire::https::Timeout "60";
"""


def _program(name: str) -> str:
    found = shutil.which(name)
    if found is None:
        raise EdgeBudgetError(
            f"{name} is not installed, and Debian's packages are fetched with it",
            "apt install apt dpkg debian-archive-keyring, on Debian, Ubuntu or in a container",
        )
    return found


def _run(
    command: Sequence[str],
    doing: str,
    environment: Mapping[str, str] | None = None,
    folder: Path | None = None,
) -> str:
    # apt holds locks: it must not go on when we were killed, and the next of us comes.
    tied = shutil.which("setpriv")
    try:
        done = subprocess.run(
            [*((tied, "--pdeathsig", "KILL") if tied else ()), *command],
            env=environment,
            cwd=folder,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise EdgeBudgetError(f"{doing} failed: {error}") from error
    if done.returncode:
        lines = (done.stderr or done.stdout).splitlines()
        said = [line for line in lines if line.startswith("E:")] or lines
        hint = "\n  ".join(said[-TAIL:])
        raise EdgeBudgetError(f"{doing} ended with status {done.returncode}", hint)
    return done.stdout
