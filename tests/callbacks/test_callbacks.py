"""Callbacks receive every epoch once, in order, whether it is trained, resumed or loaded."""

import json
from pathlib import Path
from typing import Any

import pytest

import graphkd
from graphkd import GraphKDError, Training
from graphkd.callbacks import Callback
from graphkd.runs.live_log import LOG, LiveLog, is_live_log
from graphkd.training.fit import loop
from tests.test_cli import command

DATA = graphkd.load_dataset("digits")
FEW = Training(max_epochs=6)


class Recorded(Callback):
    def __init__(self) -> None:
        self.calls: list[tuple[Any, ...]] = []

    def on_run_start(self, run: str, folder: Path | None, config: dict[str, Any]) -> None:
        self.calls.append(("run", run, config["method"]["_target_"]))

    def on_epoch_end(self, seed: int, stage: str, epoch: int, values: dict[str, float]) -> None:
        self.calls.append(("epoch", seed, stage, epoch, values))

    def on_stage_end(self, seed: int, stage: str, summary: dict[str, float]) -> None:
        self.calls.append(("stage", seed, stage, summary))

    def on_run_end(self, metrics: dict[str, Any]) -> None:
        self.calls.append(("end", metrics))


def distilled(**keys: Any) -> tuple[list[tuple[Any, ...]], graphkd.runs.Run]:  # type: ignore[name-defined]
    recorded = Recorded()
    run = graphkd.distill(DATA, training=FEW, callbacks=[recorded], **keys)
    return recorded.calls, run


def test_every_epoch_and_stage_is_delivered_in_order() -> None:
    calls, run = distilled(seed=3)
    assert [call[:3] for call in calls if call[0] == "stage"] == [
        ("stage", 3, name) for name in ("teacher", "student", "mlp")
    ]
    assert calls[0] == ("run", "digits", "graphkd.methods.GLNN")
    assert calls[-1] == ("end", run.metrics)
    epochs = [
        {"seed": call[1], "stage": call[2], "epoch": call[3], **call[4]} for call in calls if call[0] == "epoch"
    ]
    assert epochs == run.result.log
    summary = next(call[3] for call in calls if call[:3] == ("stage", 3, "student"))
    assert summary["epochs"] == 6
    assert summary["test"] == run.metrics["seeds"][0]["student"]["test"]
    assert not any("test" in name for call in calls if call[0] == "epoch" for name in call[4])


def test_epochs_are_delivered_while_a_stage_trains(monkeypatch: pytest.MonkeyPatch) -> None:
    recorded, seen = Recorded(), []
    deliver = loop._Loop._deliver

    def counted(self: Any) -> None:
        deliver(self)
        seen.append(len(recorded.calls))

    monkeypatch.setattr(loop._Loop, "_deliver", counted)
    graphkd.distill(DATA, training=FEW, callbacks=[recorded], baseline=False)
    assert seen[:6] == [2, 3, 4, 5, 6, 7]


def test_results_are_the_same_with_and_without_callbacks_and_from_the_cache(tmp_path: Path) -> None:
    plain = graphkd.distill(DATA, training=FEW)
    first, run = distilled(cache_dir=tmp_path)
    found, again = distilled(cache_dir=tmp_path)
    assert run.result.log == plain.result.log == again.result.log
    assert [call for call in first if call[0] == "epoch"] == [call for call in found if call[0] == "epoch"]


@pytest.mark.slow  # its first phase has a number of epochs of its own
def test_phases_of_a_student_have_names_of_their_own() -> None:
    calls, run = distilled(method="simmlp", baseline=False)
    stages = list(dict.fromkeys(call[2] for call in calls if call[0] == "epoch"))
    assert stages == list(dict.fromkeys(row["stage"] for row in run.result.log))
    assert len(stages) == 2


def test_what_a_callback_raises_ends_the_run() -> None:
    class Stops(Callback):
        def on_epoch_end(self, *args: Any) -> None:
            raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        graphkd.distill(DATA, training=FEW, callbacks=[Stops()])


@pytest.mark.parametrize(
    ("callbacks", "message"),
    [
        (Recorded(), "callbacks must be a list: give"),
        (3, "callbacks must be a list"),
        ([Recorded], "callbacks holds type, which is none"),
    ],
)
def test_other_objects_are_refused(callbacks: Any, message: str) -> None:
    with pytest.raises(GraphKDError, match=message):
        graphkd.distill(DATA, training=FEW, callbacks=callbacks)


@pytest.mark.slow
def test_the_log_of_a_run_in_training_is_its_final_log(tmp_path: Path) -> None:
    done = command("distill", "training.max_epochs=4", "seeds=2", f"output_dir={tmp_path / 'run'}", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    final = (tmp_path / "run" / LOG).read_text()
    live = LiveLog(tmp_path / "live", [])
    for line in final.splitlines():
        record = json.loads(line)
        live.on_epoch_end(record.pop("seed"), record.pop("stage"), record.pop("epoch"), record)
        assert is_live_log(tmp_path / "live" / LOG)
    live.close()
    assert (tmp_path / "live" / LOG).read_text() == final


def test_a_run_that_fails_leaves_no_log(tmp_path: Path) -> None:
    keys = ("training.lr=1e20", "training.max_epochs=9", "baseline=false", f"output_dir={tmp_path / 'run'}")
    done = command("distill", *keys, cwd=tmp_path)
    assert done.returncode == 2
    assert not (tmp_path / "run").exists()


@pytest.mark.slow
def test_the_log_of_a_killed_run_does_not_block_its_folder_but_other_files_do(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    folder.mkdir()
    (folder / LOG).write_text('{"seed": 0, "stage": "teacher", "epoch": 0, "loss": 1.0}\n{"seed"')
    keys = ("training.max_epochs=2", "baseline=false", f"output_dir={folder}")
    assert command("distill", *keys, cwd=tmp_path).returncode == 0
    assert len((folder / LOG).read_text().splitlines()) == 4
    other = tmp_path / "other"
    other.mkdir()
    (other / LOG).write_text("my own notes\n")
    done = command("distill", *keys[:2], f"output_dir={other}", cwd=tmp_path)
    assert (done.returncode, "exists and is not a run" in done.stderr) == (2, True)
