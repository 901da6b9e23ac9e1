import builtins
import socket
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from graphkd.atomic_io import write_json
from graphkd.cli import main
from graphkd.commands import serve as command
from graphkd.commands.serve_arguments import TOKEN
from graphkd.deploy import FeatureStore
from graphkd.deploy.server import run as server
from graphkd.deploy.server.runtime_choice import name_of, scores_of
from graphkd.deploy.server.settings import Settings
from tests.deploy.bundles import make_bundle, student


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    (tmp_path / "my run").mkdir()
    return make_bundle(tmp_path / "my run", student())


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Settings, int]]:
    """What would run, instead of it running."""
    seen: list[tuple[Settings, int]] = []

    def keep(settings: Settings, bound: socket.socket, workers: int) -> None:
        bound.close()
        seen.append((settings, workers))

    monkeypatch.setattr(server, "run", keep)
    monkeypatch.delenv(TOKEN, raising=False)
    return seen


def serve(*args: Any) -> int:
    return main(["serve", *map(str, args), "--port", "0"])


def test_a_run_or_its_bundle(bundle: Path, started: list[Any], capsys: pytest.CaptureFixture[str]) -> None:
    write_json(bundle.parent / "metrics.json", {"metric": "accuracy", "seeds": [1, 2], "mean": {}, "std": {}})
    for path in (bundle.parent, bundle):
        assert serve(path) == 0
        out, err = capsys.readouterr()
        assert out.startswith("my-run (numpy, 1 worker): http://127.0.0.1:")
        assert err == ""
    settings, workers = started[0]
    assert (settings.name, settings.runtime, settings.token, settings.window, workers) == (
        "my-run", "numpy", None, 0, 1
    )  # fmt: skip
    assert settings.scores == {"metric": "accuracy", "seeds": 2, "mean": {}, "std": {}}


def test_every_argument_arrives(
    bundle: Path, started: list[Any], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(TOKEN, "of the environment")
    (bundle.parent / "token").write_text("s3cret\n")
    options = (
        "--workers 3 --runtime numpy --name other --batch-ms 2 --max-body-mib 1 --max-rows 9 --max-requests 7"
    )
    options += " --max-waiting-rows 50 --allowed-host Graph.example --allowed-host 10.0.0.7"
    assert serve(bundle, *options.split(), "--token-file", bundle.parent / "token", "--host", "0.0.0.0") == 0
    ((settings, workers),), limits = started, started[0][0].limits
    assert (settings.name, settings.window, workers) == ("other", 0.002, 3)
    assert {"graph.example", "10.0.0.7", "localhost", socket.gethostname().lower()} <= settings.hosts.names
    assert settings.token.fits(b"s3cret")
    assert (limits.body, limits.rows, limits.rows_waiting, limits.requests) == (2**20, 9, 50, 7)
    assert capsys.readouterr().err == ""


def test_the_token_of_the_environment_and_a_warning_without_one(
    bundle: Path, started: list[Any], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert serve(bundle, "--host", "0.0.0.0") == 0
    assert capsys.readouterr().err == (
        "graphkd: warning: whoever reaches 0.0.0.0 may ask: set GRAPHKD_TOKEN or --token-file\n"
    )
    monkeypatch.setenv(TOKEN, "s3cret")
    assert serve(bundle, "--host", "0.0.0.0") == 0
    assert capsys.readouterr().err == ""
    assert started[1][0].token.fits(b"s3cret")


MISTAKES: dict[str, tuple[list[str], str]] = {
    "no run": (["nowhere"], "nowhere is not a bundle: it holds no bundle.json"),
    "another runtime": (["run", "--runtime", "torch"], "unknown runtime 'torch': choose one of auto, numpy, onnx"),
    "not exported": (["run", "--runtime", "native"], "holds no c (but nothing yet): graphkd export RUN --to c"),
    "no workers": (["run", "--workers", "0"], "--workers is 0: give a whole number from 1 to 256"),
    "a long wait": (["run", "--batch-ms", "5000"], "--batch-ms is 5000.0: give milliseconds from 0 to 1000"),
    "NaN": (["run", "--batch-ms", "nan"], "--batch-ms is nan"),
    "no rows": (["run", "--max-rows", "0"], "--max-rows is 0: give a number above 0"),
    "no body": (["run", "--max-body-mib", "inf"], "--max-body-mib is inf: give a number above 0"),
    "an odd name": (["run", "--name", "a/b"], "--name is 'a/b': give letters, digits"),
    "no token file": (["run", "--token-file", "none"], "none cannot be read"),
    "an empty token": (["run", "--token-file", "empty"], "empty holds no token: give one word"),
    "two words": (["run", "--token-file", "two"], "two holds no token"),
    "no store": (["run", "--store", "nowhere"], "nowhere is not a feature store"),
    "another store": (["run", "--store", "store"], "propagation, width or other positions than"),
    "no such host": (["run", "--host", "256.1.1.1"], "cannot listen on 256.1.1.1, port 0"),
    "a name with a port": (["run", "--allowed-host", "a.example:80"], "--allowed-host is 'a.example:80': give"),
    "a name that is none": (["run", "--allowed-host", "a b"], "--allowed-host is 'a b': give a name or an"),
    "no number": (["run", "--workers", "two"], "invalid int value: 'two'"),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_mistakes_end_in_one_line(
    mistake: str,
    bundle: Path,
    started: list[Any],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "run").symlink_to(bundle.parent)
    (tmp_path / "empty").write_text(" \n")
    (tmp_path / "two").write_text("a b")
    if "store" in mistake:
        FeatureStore.build("store", np.ones((3, 4)), np.zeros((2, 0), dtype=np.int64), hops=1).close()
    args, text = MISTAKES[mistake]
    assert serve(*args) == 2
    error = capsys.readouterr().err
    assert text in error
    assert error.count("\n") == 1
    assert started == []


def test_a_port_in_use(bundle: Path, started: list[Any], capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as used:
        port = used.getsockname()[1]
        assert main(["serve", str(bundle), "--port", str(port)]) == 2
    assert f"cannot listen on 127.0.0.1, port {port} (Address already in use)" in capsys.readouterr().err
    assert main(["serve", str(bundle), "--port", "99999"]) == 2
    assert "--port is 99999: give a whole number from 0 to 65535" in capsys.readouterr().err


def test_without_the_packages(
    bundle: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    real = builtins.__import__

    def missing(name: str, *rest: Any) -> Any:
        if name == "graphkd.deploy.server" and rest[2]:
            raise ModuleNotFoundError("No module named 'uvicorn'", name="uvicorn")
        return real(name, *rest)

    monkeypatch.setattr(builtins, "__import__", missing)
    assert serve(bundle) == 2
    assert capsys.readouterr().err == (
        "graphkd: graphkd serve needs uvicorn, which is not installed: pip install 'graphkd[serve]'\n"
    )


@pytest.mark.parametrize(
    ("folder", "name"),
    [("cora", "cora"), ("cora/bundle", "cora"), ("a b,c=1", "a-b-c-1"), ("...", "student"), ("é", "student")],
)
def test_names(tmp_path: Path, folder: str, name: str) -> None:
    assert name_of(tmp_path / folder, None) == name


def test_scores_are_those_of_a_run_or_nothing(tmp_path: Path) -> None:
    assert scores_of(tmp_path / "bundle") is None
    (tmp_path / "metrics.json").write_text('{"metric": "accuracy", "seeds": 3}')
    assert scores_of(tmp_path / "bundle") is None


def test_it_names_its_defaults_as_they_are() -> None:
    assert command.OWN.rows == 4096
    assert command.OWN.rows_waiting == 16384
    assert command.OWN.requests == 256
