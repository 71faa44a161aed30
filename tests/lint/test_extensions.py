"""Rules of other packages: found through entry points, documented and run like ours."""

from __future__ import annotations

import inspect
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from pytest_edgebudget import extensions, hookspec
from tests.lint.conftest import DIGITS


@pytest.fixture
def package(tmp_path: Path) -> Path:
    """The module of the hook's example, installed as a distribution of its own."""
    doc = inspect.getdoc(hookspec.pytest_edgebudget_rules) or ""
    code = textwrap.dedent(doc.partition("::\n")[2])
    folder = tmp_path / "installed"
    info = folder / "long_names-1.0.dist-info"
    info.mkdir(parents=True)
    (folder / "long_names.py").write_text(code)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: long-names\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[pytest_edgebudget]\nlong-names = long_names\n")
    return folder


def edgebudget(package: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    code = (
        "import sys\n"
        f"sys.path.insert(0, {str(package)!r})\n"
        "from pytest_edgebudget.cli import main\n"
        "sys.exit(main(sys.argv[1:]))\n"
    )
    return subprocess.run(
        [sys.executable, "-c", code, *arguments], capture_output=True, text=True, timeout=60
    )


def test_the_rule_of_the_example_finds_long_names(package: Path) -> None:
    done = edgebudget(package, "lint", str(DIGITS / "digits.tflite"), "--select=ACME")

    assert done.returncode == 0, done.stderr
    assert "ACME001 note: " in done.stdout
    assert "the name has more than 24 characters" in done.stdout


def test_its_documentation_is_in_the_sarif_file(package: Path) -> None:
    done = edgebudget(
        package, "lint", str(DIGITS / "digits.tflite"), "--select=ACME", "--format=sarif"
    )

    assert '"text": "A tensor has a name that our logger cuts short."' in done.stdout


def test_a_rule_with_a_code_of_ours_is_refused(package: Path) -> None:
    module = package / "long_names.py"
    module.write_text(module.read_text().replace("ACME001", "EB299"))

    done = edgebudget(package, "lint", str(DIGITS / "digits.tflite"))

    assert done.returncode == 2
    assert "EB299: an extension's rule has a code of ours" in done.stderr


def test_a_misspelt_hook_is_an_error(package: Path) -> None:
    module = package / "long_names.py"
    module.write_text(
        module.read_text().replace("pytest_edgebudget_rules", "pytest_edgebudget_rule")
    )

    done = edgebudget(package, "lint", str(DIGITS / "digits.tflite"))

    assert done.returncode == 2
    assert "there is no hook pytest_edgebudget_rule\n  did you mean pytest_edgebudget_rules?" in (
        done.stderr
    )


def test_entry_points_are_found_without_loading_them(
    package: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "path", [str(tmp_path)])
    assert not extensions.declared()
    monkeypatch.setattr(sys, "path", [str(tmp_path), str(package)])
    assert extensions.declared()


def test_a_zip_archive_on_the_path_may_hold_entry_points(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "packages.zip").write_bytes(b"PK")
    monkeypatch.setattr(sys, "path", [str(tmp_path / "packages.zip")])

    assert extensions.declared()
