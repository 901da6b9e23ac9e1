"""What the tests of several commands begin with."""

import builtins
from pathlib import Path

import pytest

from tests.commands.runs import planetoid_run


@pytest.fixture
def run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Path:
    """A finished run, of whose own output nothing is left to read."""
    path = planetoid_run(tmp_path)
    capsys.readouterr()
    return path


@pytest.fixture
def no_matplotlib(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is as if it were not installed."""
    real = builtins.__import__

    def missing(name, *rest):
        if name.startswith("matplotlib"):
            raise ImportError(name)
        return real(name, *rest)

    monkeypatch.setattr(builtins, "__import__", missing)
