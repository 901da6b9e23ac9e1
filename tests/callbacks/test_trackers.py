"""Each tracker, against a stand-in of its library, and against the library where it is installed."""

import sys
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

import graphkd
from graphkd import GraphKDError, Training, callbacks
from graphkd.callbacks import MLflow, TensorBoard, Trackio, WandB
from graphkd.callbacks.tracker import Tracker, flat
from graphkd.registry import catalogue
from tests.test_cli import command
from tests.tiers import some_of

DATA = graphkd.load_dataset("digits")


def track(tracker: Tracker, **keys: Any) -> dict[str, Any]:
    run = graphkd.distill(DATA, training=Training(max_epochs=3), callbacks=[tracker], **keys)
    metrics: dict[str, Any] = run.metrics
    return metrics


class Calls:
    """Records what is called on it, and answers with itself."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, tuple[Any, ...], dict[str, Any]]] = []
        self.summary: dict[str, float] = {}
        self.info = SimpleNamespace(run_id="1")

    def __getattr__(self, name: str) -> Any:
        def call(*args: Any, **keys: Any) -> "Calls":
            self.calls.append((name, args, keys))
            return self

        return call

    def of(self, name: str) -> list[tuple[Any, ...]]:
        return [args for called, args, _ in self.calls if called == name]


@pytest.fixture
def library(monkeypatch: pytest.MonkeyPatch) -> Any:
    def install(name: str, **content: Any) -> None:
        module = ModuleType(name)
        vars(module).update(content)
        monkeypatch.setitem(sys.modules, name, module)

    return install


def test_wandb_gets_curves_a_summary_and_the_settings(library: Any, tmp_path: Path) -> None:
    run, started = Calls(), {}
    library("wandb", init=lambda **keys: started.update(keys) or run, Settings=SimpleNamespace)
    metrics = track(WandB(folder=str(tmp_path), project="mine"))
    assert (started["project"], started["mode"], started["dir"]) == ("mine", "offline", str(tmp_path))
    assert started["config"]["method._target_"] == "graphkd.methods.GLNN"
    logged = [args[0] for args in run.of("log")]
    assert [row["epoch"] for row in logged if "seed_0/student/loss" in row] == [0, 1, 2]
    assert run.summary["mean/student_test"] == metrics["mean"]["student_test"]
    assert run.summary["seed_0/teacher/final_test"] == metrics["seeds"][0]["teacher"]["test"]
    assert len(run.of("finish")) == 1


def test_trackio_gets_every_epoch(library: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRACKIO_DIR", str(tmp_path))
    run = Calls()
    library("trackio", init=lambda **keys: run)
    track(Trackio(folder=str(tmp_path)), baseline=False)
    steps = [keys["step"] for name, args, keys in run.calls if name == "log" and "seed_0/teacher/val" in args[0]]
    assert steps == [0, 1, 2]


def test_mlflow_gets_metrics_in_batches(library: Any, tmp_path: Path) -> None:
    client = Calls()
    library("mlflow", MlflowClient=lambda uri: client)
    library("mlflow.entities", Metric=lambda *values: values, Param=lambda *values: values)
    track(MLflow(folder=str(tmp_path)), baseline=False)
    metrics = [
        metric for name, _, keys in client.calls if name == "log_batch" for metric in keys.get("metrics", ())
    ]
    assert [metric[3] for metric in metrics if metric[0] == "seed_0/student/loss"] == [0, 1, 2]
    assert len([1 for name, _, keys in client.calls if name == "log_batch" and "metrics" in keys]) < 6
    params = [param for _, _, keys in client.calls for param in keys.get("params", ())]
    assert ("setting.name", "transductive") in params
    assert client.calls[-1][0] == "set_terminated"


@pytest.mark.skipif(find_spec("tensorboard") is None, reason="tensorboard is not installed")
def test_tensorboard_reads_what_was_written(tmp_path: Path) -> None:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    metrics = track(TensorBoard(folder=str(tmp_path)))
    events = EventAccumulator(str(tmp_path / "tensorboard" / "digits"))
    events.Reload()
    assert [event.step for event in events.Scalars("seed_0/student/loss")] == [0, 1, 2]
    assert events.Scalars("mean/student_test")[0].value == pytest.approx(metrics["mean"]["student_test"])


@pytest.mark.parametrize("name", some_of([name for name in catalogue(callbacks) if name != "none"], 4))
def test_a_library_that_is_missing_is_one_line_and_nothing_is_trained(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (name, f"{name}.entities"):
        monkeypatch.setitem(sys.modules, module, None)
    done = command("distill", f"tracker={name}", cwd=tmp_path)
    assert done.returncode == 2
    assert done.stderr.strip() == f"graphkd: tracker={name} needs a library: pip install 'graphkd[{name}]'"
    assert not any(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: WandB(mode="on"), "tracker.mode is 'on': choose one of offline, online"),
        (lambda: MLflow(folder=""), "tracker.folder is '': give the name of a folder"),
    ],
)
def test_settings_out_of_range_are_one_line(make: Any, message: str) -> None:
    with pytest.raises(GraphKDError, match=message):
        make()


def test_nested_settings_become_dotted_keys() -> None:
    assert flat({"a": {"b": 1, "c": {"d": None}}, "e": [1, 2]}) == {"a.b": 1, "a.c.d": "None", "e": "[1, 2]"}
