import json
from pathlib import Path

import numpy as np
import pytest

import graphkd
from graphkd import GraphKDError
from graphkd.cli import main
from graphkd.commands import export as command
from graphkd.commands.export import export
from graphkd.deploy.exports.sample import Sample
from graphkd.run_data import load_run_data
from tests.commands.runs import SHORT
from tests.conftest import make_data


@pytest.mark.slow
def test_it_says_how_far_the_export_is_and_where(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["export", str(run), "--to", "c", "--allow-loss"]) == 0
    first, second, taken, *files, schema = capsys.readouterr().out.splitlines()
    assert schema == f"{run}/bundle/schema.json: columns, classes and inputs of every exported file"
    assert first.startswith("c float32: ")
    assert "argmax agreement 100.00 % · validation accuracy " in first
    assert second.startswith("c int8: ")
    assert taken.startswith("takes rows from prepare(): ")
    assert [line.rpartition(": ")[0] for line in files] == [f"{run}/bundle/c/student.{end}" for end in "ch"]
    model, native = graphkd.load_bundle(run), graphkd.load_bundle(run, "native")
    data = load_run_data(run, model.card["seed"], None)
    rows = model.prepare(data.x, data.edge_index)
    np.testing.assert_array_equal(native.predict(rows, propagated=True), model.predict(data.x, data.edge_index))
    assert main(["evaluate", str(run)]) == 0


def test_the_rows_are_those_of_training_and_validation(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows for testing neither calibrate nor decide."""
    seen: list[Sample] = []

    def keep(path: Path, to: str, sample: Sample, allow_loss: bool) -> None:
        seen.append(sample)
        raise GraphKDError("enough")

    monkeypatch.setattr(command, "export_bundle", keep)
    with pytest.raises(GraphKDError, match="enough"):
        export(str(run), "c", False, None)
    (sample,), model = seen, graphkd.load_bundle(run)
    data = load_run_data(run, model.card["seed"], None)
    rows = np.asarray(model.prepare(data.x, data.edge_index))
    for found, mask in ((sample.train, data.train_mask), (sample.val, data.val_mask)):
        table = found if isinstance(found, np.ndarray) else found.toarray()
        np.testing.assert_allclose(table, rows[mask.numpy()], rtol=1e-5, atol=1e-7)
    assert sample.labels.tolist() == data.y[data.val_mask].tolist()
    best = json.loads((run / "metrics.json").read_text())["seeds"]
    score = next(seed["student"]["val"] for seed in best if seed["seed"] == model.card["seed"])
    assert sample.score(sample.logits) == pytest.approx(score)


def test_mistakes_end_in_one_line(run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    graphkd.distill(make_data(), training=SHORT).save(tmp_path / "mine")
    mistakes = {
        (str(run), "--to", "oxnn"): "invalid choice: 'oxnn'",
        (str(run),): "the following arguments are required: --to",
        (str(tmp_path), "--to", "c"): "is not a run: it holds no config.yaml",
        (str(tmp_path / "mine"), "--to", "c"): "was trained on data in memory (custom): export it in Python",
    }
    for args, message in mistakes.items():
        assert main(["export", *args]) == 2
        error = capsys.readouterr().err
        assert message in error
        assert error.count("\n") == 1


@pytest.mark.slow
def test_a_run_on_data_in_memory_is_exported_from_python(tmp_path: Path) -> None:
    data = make_data()
    run = graphkd.distill(data, setting="production", training=SHORT)
    run.save(tmp_path / "mine")
    run.export(tmp_path / "mine", "c", allow_loss=True)
    model = graphkd.load_bundle(tmp_path / "mine", "native")
    np.testing.assert_array_equal(model.predict(data.x), run.predictor.predict(data.x))
    other = graphkd.distill(data, seed=1, training=SHORT)
    with pytest.raises(GraphKDError, match="the C file differs from the student by up to"):
        other.export(tmp_path / "mine", "c")
