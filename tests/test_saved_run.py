"""A run that is read again shows what the run in memory shows."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from omegaconf import OmegaConf

import graphkd
from graphkd import GraphKDError, Training
from graphkd.runs.saved_teacher import TEACHER
from graphkd.saved_run import SavedRun
from graphkd.training.settings import LABEL_INPUTS, OF_EACH
from tests.conftest import make_data
from tests.test_cli import command

DATA = graphkd.load_dataset("digits")
FEW = Training(max_epochs=8)


@pytest.fixture(scope="module")
def run() -> Any:
    with pytest.warns(UserWarning, match="plain MLP"):
        return graphkd.distill(DATA, training=FEW, seed=2, setting="production")


@pytest.fixture(scope="module")
def saved(run: Any, tmp_path_factory: pytest.TempPathFactory) -> SavedRun:
    folder = tmp_path_factory.mktemp("saved") / "run"
    run.save(folder, save_teacher=True)
    return graphkd.load_run(folder)


def test_it_has_the_scores_the_history_and_the_answers_of_the_run_in_memory(run: Any, saved: SavedRun) -> None:
    assert saved.metrics == run.metrics
    assert saved.seeds == [2]
    pd.testing.assert_frame_equal(saved.history, run.history)
    pd.testing.assert_frame_equal(saved.scores, run.scores)
    pd.testing.assert_frame_equal(saved.predictions(), run.predictions())
    assert saved.evaluate().scores == run.evaluate().scores
    assert saved.config["method"]["_target_"] == "graphkd.methods.GLNN"
    assert repr(saved) == repr(run)


def test_predictions_give_back_the_score_of_every_kind_of_node(saved: SavedRun) -> None:
    frame, scores = saved.predictions(), saved.metrics["seeds"][0]["student"]
    right = frame["label"] == frame["predicted"]
    for split, score in (("val", "val"), ("hidden", "test_ind"), ("test", "test_tran")):
        assert right[frame["split"] == split].mean() == pytest.approx(scores[score], abs=1e-12)
    columns = [name for name in frame if str(name).startswith("p_")]
    assert len(columns) == 10
    np.testing.assert_allclose(frame[columns].sum(axis=1), 1, rtol=1e-6)
    assert set(frame["split"]) == {"train", "val", "test", "hidden", ""}


def test_history_has_a_row_per_epoch_with_every_term(saved: SavedRun) -> None:
    history = saved.history
    assert list(history.columns[:4]) == ["seed", "stage", "epoch", "loss"]
    assert dict(history["stage"].value_counts()) == {"teacher": 8, "student": 8, "mlp": 8}
    assert {"label", "soft", "val"} <= set(history.columns)
    assert history[history["stage"] == "teacher"]["soft"].isna().all()


def test_the_teacher_and_its_hops_are_those_that_were_trained(run: Any, saved: SavedRun) -> None:
    state = saved.teacher().state_dict()
    assert all(torch.equal(tensor, state[name]) for name, tensor in run.teacher.state_dict().items())
    output = saved.teacher_output()
    assert output.logits.shape == (1797, 10)
    assert [hop.shape[0] for hop in output.hops] == [1797] * len(output.hops)


def test_a_notebook_shows_the_table_with_names_escaped(run: Any) -> None:
    shown = run._repr_html_()
    assert shown.startswith("<table><caption>digits")
    assert shown.count("<tr>") == 1 + 3
    assert "hidden test %" in shown
    run.metrics  # noqa: B018 - a property that is computed each time: what is shown next is another one
    other = {**run.metrics, "dataset": "<b>"}
    view = type("View", (graphkd.runs.view.RunView,), {"metrics": other, "log": []})()  # type: ignore[attr-defined]
    assert "&lt;b&gt;" in view._repr_html_()


@pytest.mark.parametrize("runtime", ["torch", "numpy"])
def test_a_predictor_shows_what_it_is(saved: SavedRun, runtime: str) -> None:
    model = graphkd.load_bundle(saved.path, runtime)
    text, table = repr(model), model._repr_html_()
    for fact in ("method: glnn", "digits · random · production", "features: 64", "classes: 10: 0, 1", runtime):
        assert fact in text
        assert fact.partition(": ")[2] in table


def test_learning_curves_have_a_column_per_stage(run: Any) -> None:
    figure = run.plot()
    assert [panel.get_title() for panel in figure.axes] == ["teacher", "student", "mlp", "", "", ""]
    losses = figure.axes[0].lines[0].get_ydata()
    assert len(losses) == 8


@pytest.mark.slow
def test_a_run_of_several_seeds_has_a_student_and_a_teacher_for_each(tmp_path: Path) -> None:
    keys = ("seeds=2", "training.max_epochs=4", "save_teacher=true", "baseline=false")
    done = command("distill", *keys, f"output_dir={tmp_path / 'run'}", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    run = graphkd.load_run(tmp_path / "run")
    assert run.seeds == [0, 1]
    states = [run.student(seed).student.state_dict() for seed in run.seeds]
    assert any(not torch.equal(states[0][name], states[1][name]) for name in states[0])
    assert len({run.teacher(seed).state_dict()["convs.0.linear.weight"].sum().item() for seed in run.seeds}) == 2
    for seed in run.seeds:
        frame = run.predictions(seed)
        test = frame[frame["split"] == "test"]
        score = run.metrics["seeds"][seed]["student"]["test"]
        assert (test["label"] == test["predicted"]).mean() == pytest.approx(score)
    with pytest.raises(GraphKDError, match="has no seed 7: choose one of 0, 1"):
        run.student(7)


def test_a_run_on_data_in_memory_is_read_with_its_data_and_exported(tmp_path: Path) -> None:
    data = make_data()
    run = graphkd.distill(data, training=FEW, baseline=False)
    run.save(tmp_path / "run")
    with pytest.raises(GraphKDError, match=r"data in memory .*: give them, load_run\(RUN, data=DATA\)"):
        graphkd.load_run(tmp_path / "run").export("c")
    again = graphkd.load_run(tmp_path / "run", data=data)
    pd.testing.assert_frame_equal(again.predictions(), run.predictions())
    made = again.export("c", allow_loss=True)
    assert all((tmp_path / "run" / "bundle" / name).is_file() for name in made.files)
    data.y = data.y.roll(1)
    with pytest.raises(GraphKDError, match="was trained on other data than these"):
        graphkd.load_run(tmp_path / "run", data=data)


@pytest.mark.slow
def test_a_run_from_before_there_were_balances_and_calibration_goes_on(tmp_path: Path) -> None:
    keys = ("seeds=2", "training.max_epochs=2", "baseline=false", "output_dir=run")
    assert command("distill", *keys, cwd=tmp_path).returncode == 0
    file = tmp_path / "run" / "config.yaml"
    config = OmegaConf.load(file)
    for key in ("balance", "deploy", "save_teacher", "tracker", "training.class_weight", "training.metric"):
        group, _, name = key.rpartition(".")
        del (config[group] if group else config)[name]
    for name in OF_EACH:
        del config.training[name], config.training[f"teacher_{name}"]
    for name in LABEL_INPUTS:
        del config.training[name]
    del config.dataset["imbalance"], config.dataset["long_tail"]
    OmegaConf.save(config, file)
    again = command("distill", *keys, cwd=tmp_path)
    assert again.returncode == 0, again.stderr
    for other, named in (("balance=bkd", "balance"), ("deploy.calibrate=true", "deploy.calibrate")):
        refused = command("distill", *keys, other, cwd=tmp_path)
        assert f"holds a run with another {named}" in refused.stderr


def test_mistakes_are_one_line(run: Any, saved: SavedRun, tmp_path: Path) -> None:
    with pytest.raises(GraphKDError, match="is not a run"):
        graphkd.load_run(tmp_path)
    run.save(tmp_path / "plain")
    with pytest.raises(GraphKDError, match="holds no teacher: make the run with save_teacher=true"):
        graphkd.load_run(tmp_path / "plain").teacher()
    file = saved.path / TEACHER
    content = file.read_bytes()
    file.write_bytes(content[:-1] + b"x")
    with pytest.raises(GraphKDError, match=r"teacher.safetensors was changed after it was written"):
        saved.teacher()
    file.write_bytes(content)
    given = graphkd.distill(DATA, teacher=torch.zeros(1797, 10), training=FEW, baseline=False)
    with pytest.raises(GraphKDError, match="this run trains no teacher of graphkd: leave it out"):
        given.save(tmp_path / "given", save_teacher=True)
    assert not (tmp_path / "given").exists()
