"""The example of each technique keeps what it says."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
TRAINED = {"narrower", "low_rank", "sparse", "regularized", "components", "fewer_inputs", "tuned"}


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_every_technique_brings_what_its_budget_asks(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("tensorflow", "litert_quantizer", "optuna", "sklearn"):
        pytest.importorskip(name, reason="pip install 'pytest-edgebudget[all]'")
    shutil.copytree(ROOT / "examples", pytester.path / "examples")
    (pytester.path / "pyproject.toml").write_text("[tool.pytest.ini_options]\n")
    monkeypatch.setenv("XDG_CACHE_HOME", str(pytester.path / "cache"))
    result = pytester.runpytest_subprocess(
        "--edge-budget=examples/techniques/techniques.toml", timeout=1100
    )

    result.assert_outcomes(passed=24)
    shown = result.stdout.str()
    assert shown.count("(float, trained as long") == len(TRAINED) + 1


def test_the_readme_of_the_example_lists_its_recipes() -> None:
    folder = ROOT / "examples" / "techniques"
    import tomllib

    models = tomllib.loads((folder / "techniques.toml").read_text())["models"]
    readme = (folder / "README.md").read_text()
    for name, model in models.items():
        assert f"| `{name}` |" in readme
        assert f"`{model['optimize'][0]}`" in readme
