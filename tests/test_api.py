import functools
import json
import pickle
from pathlib import Path

import numpy as np
import pytest
import torch

import graphkd
from graphkd import GraphKDError, Training
from tests.conftest import make_data

SHORT = Training(max_epochs=20, patience=20)


def test_distill_save_load_predict(tmp_path: Path) -> None:
    data = make_data()
    run = graphkd.distill(data, teacher="sage", method="infgrand", matching="forward", seed=3, training=SHORT)
    assert run.metrics["dataset"] == "custom"
    assert run.metrics["split"] == "masks"
    assert [seed["seed"] for seed in run.metrics["seeds"]] == [3]
    assert isinstance(run.teacher, graphkd.teachers.SAGE)
    run.save(tmp_path / "run")
    assert json.loads((tmp_path / "run" / "metrics.json").read_text()) == run.metrics
    model = graphkd.load_bundle(tmp_path / "run" / "bundle")
    rows = model.prepare(data.x, data.edge_index)
    with torch.no_grad():
        expected = run.student(rows).logits.softmax(dim=1).numpy()
    np.testing.assert_allclose(model.predict_proba(rows, propagated=True), expected, rtol=1e-5)
    test = data.test_mask.numpy()
    accuracy = (model.predict(data.x, edge_index=data.edge_index)[test] == data.y.numpy()[test]).mean()
    assert accuracy == pytest.approx(run.metrics["seeds"][0]["student"]["test"])


def test_metrics_have_the_promised_form() -> None:
    metrics = graphkd.distill(make_data(), training=SHORT, baseline=False).metrics
    assert list(metrics) == [
        "schema_version", "dataset", "split", "setting", "metric", "teacher", "student", "method", "variant",
        "matching", "influence", "reads", "seeds", "mean", "std", "versions",
    ]  # fmt: skip
    (seed,) = metrics["seeds"]
    assert list(seed) == ["seed", "teacher", "student", "epochs", "best_epoch", "seconds", "classes"]
    details = ["macro_f1", "ece", "balanced_accuracy", "worst_class_accuracy", "brier"]
    of_validation = ["val_macro_f1", "val_balanced_accuracy"]
    for part in ("teacher", "student"):
        assert list(seed[part]) == ["val", "test", *(f"test_{name}" for name in details), *of_validation]
    assert list(seed["classes"]) == ["names", "teacher", "student"]
    assert list(seed["classes"]["student"]) == ["precision", "recall", "f1", "support", "predicted", "counts"]
    assert list(seed["epochs"]) == ["teacher", "student"]
    assert list(seed["seconds"]) == ["teacher", "compile", "student"]
    assert metrics["mean"] == {"teacher_test": seed["teacher"]["test"], "student_test": seed["student"]["test"]}
    assert metrics["std"] == {"teacher_test": 0.0, "student_test": 0.0}


def test_objects_and_functions_in_place_of_names() -> None:
    run = graphkd.distill(
        make_data(),
        teacher=functools.partial(graphkd.teachers.GCN, num_layers=3, hidden_dim=16),
        student=functools.partial(graphkd.students.MLP, num_layers=3, hidden_dim=16),
        method=graphkd.methods.InfGraND(lam=0.5),
        matching=graphkd.matching.Reverse(weight=3.0),
        influence=lambda x, adj: torch.linspace(0, 1, adj.num_nodes),
        training=SHORT,
    )
    assert len(run.teacher.convs) == 3
    assert run.metrics["matching"] == "reverse"


def test_saving_never_replaces_something_else(tmp_path: Path) -> None:
    run = graphkd.distill(make_data(), training=SHORT)
    (tmp_path / "thesis").mkdir()
    (tmp_path / "thesis" / "chapter.tex").write_text("x")
    for overwrite in (False, True):
        with pytest.raises(GraphKDError, match="thesis exists and is not a run"):
            run.save(tmp_path / "thesis", overwrite=overwrite)
    run.save(tmp_path / "run")
    other = graphkd.distill(make_data(), method="mlp", training=SHORT)
    with pytest.raises(GraphKDError, match="holds a run with another method"):
        other.save(tmp_path / "run")
    other.save(tmp_path / "run", overwrite=True)
    assert json.loads((tmp_path / "run" / "metrics.json").read_text())["method"] == "mlp"
    more = make_data()
    more.x[0] += 1
    with pytest.raises(GraphKDError, match=r"holds a run with another dataset\.fingerprint"):
        graphkd.distill(more, method="mlp", training=SHORT).save(tmp_path / "run")
    (tmp_path / "empty").mkdir()
    run.save(tmp_path / "empty")
    assert (tmp_path / "empty" / "bundle").is_dir()


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({"teacher": "gnc"}, "unknown teacher 'gnc': did you mean 'gcn'"),
        ({"method": "x"}, "unknown method 'x'"),
        ({"matching": "x"}, "unknown matching 'x'"),
        ({"influence": "x", "method": "infgrand"}, "unknown influence 'x'"),
        ({"seed": -1}, "seed is -1: give a whole number"),
        ({"device": "cuda"}, "finds no such CUDA device"),
        ({"device": "abacus"}, "choose auto, cpu or cuda"),
        ({"device": "meta"}, "choose auto, cpu or cuda"),
        ({"method": 3}, "3 is neither a name nor a Method"),
        ({"training": {"lr": 1}}, "is neither a name nor a Training"),
        ({"teacher": 3}, "teacher must be a name, a factory called with num_features and num_classes, a fitted"),
        ({"teacher": graphkd.teachers.GCN(8)}, r"logits must be finite numbers \[60, 3\].*but are \[60, 2\]"),
        ({"teacher": torch.nn.Linear(8, 3)}, r"teacher Linear failed when called with \(x, edge_index\)"),
        ({"teacher": torch.full((60, 3), torch.nan)}, "logits must be finite numbers"),
        ({"teacher": torch.zeros(60, 3), "setting": "production"}, "given by its logits has seen every node"),
        ({"teacher": torch.zeros(60, 3), "matching": "forward"}, "a given teacher: give its hops as well"),
        ({"setting": "inductiv"}, "unknown setting 'inductiv': did you mean 'inductive'"),
        ({"student": graphkd.teachers.GCN}, "unknown student 'gcn'"),
        ({"method": "infgrand", "influence": lambda x, adj: torch.full((60,), -9.0)}, "weights between 0 and 1"),
        ({"method": "infgrand", "influence": lambda x, adj: torch.ones(3)}, r"tensor \[60\]"),
    ],
)
def test_mistakes(keys: dict, message: str) -> None:
    if keys.get("device") == "cuda" and torch.cuda.is_available():
        keys, message = {"device": "abacus"}, "choose auto"
    with pytest.raises(GraphKDError, match=message):
        graphkd.distill(make_data(), **keys)


def test_public_names_resolve_and_nothing_else() -> None:
    assert all(getattr(graphkd, name) is not None for name in graphkd.__all__)
    assert set(dir(graphkd)) >= {"distill", "load_dataset", "load_bundle"}
    with pytest.raises(AttributeError, match="no attribute 'distil'"):
        graphkd.distil  # noqa: B018
    assert callable(graphkd.influence.infgrand)
    assert callable(graphkd.influence.infgrand)


@pytest.mark.slow
def test_plain_mlps_stand_beside_the_student_and_one_that_wins_is_told_of(
    recwarn: pytest.WarningsRecorder,
) -> None:
    """A teacher of constant logits is worse than anything that learns; labels are in the features."""
    data = make_data()
    data.x = torch.nn.functional.one_hot(data.y.clamp(min=0), 8).float()
    wrong = torch.zeros(60, 3)
    run = graphkd.distill(data, teacher=wrong, method="infgrand", seed=0)
    (seed,) = run.metrics["seeds"]
    assert {"mlp", "mlp_same_inputs"} <= set(seed)
    told = [str(warning.message) for warning in recwarn if "plain MLP" in str(warning.message)]
    assert told
    assert seed["mlp"]["val"] > seed["teacher"]["val"]


def test_a_teacher_is_called_as_pyg_s_networks_are() -> None:
    data = graphkd.load_dataset("digits", row_normalize=True)
    run = graphkd.distill(data, training=Training(max_epochs=1), baseline=False)
    x = run.preprocess(data.x)
    with torch.no_grad():
        for rows in (x, x.to_sparse_csr()):
            found = run.teacher(rows, data.edge_index)
            torch.testing.assert_close(found.logits, run.teacher_output.logits, rtol=1e-4, atol=1e-5)
        same = run.teacher(x, graphkd.sparse.Adjacency(data.edge_index, len(x)))
    torch.testing.assert_close(same.logits, run.teacher(x, data.edge_index).logits)
    assert [hop.shape for hop in run.teacher_output.hops] == [hop.shape for hop in found.hops]
    assert not hasattr(run.teacher, "hops")
    with pytest.raises(GraphKDError, match="edge_index names nodes"):
        run.teacher(x[:5], data.edge_index)
    with pytest.raises(GraphKDError, match="edge_weight belongs to an edge_index"):
        run.teacher(x, graphkd.sparse.Adjacency(data.edge_index, len(x)), torch.ones(1))


def test_weights_go_with_an_edge_index() -> None:
    data, weight = make_data(), torch.rand(make_data().edge_index.shape[1])
    model = graphkd.teachers.GCN(data.x.shape[1], 4, 3).eval()
    adj = graphkd.sparse.Adjacency(data.edge_index, data.num_nodes, weight)
    assert torch.equal(model(data.x, data.edge_index, weight).logits, model(data.x, adj).logits)


def test_one_student_has_none_to_train_together_with() -> None:
    with pytest.raises(GraphKDError, match="training.together is for students of several seeds or jobs"):
        graphkd.distill(make_data(), training=Training(together=True))


def test_a_run_can_be_pickled() -> None:
    run = graphkd.distill(make_data(), method="infgrand", training=Training(max_epochs=1), baseline=False)
    other = pickle.loads(pickle.dumps(run))
    assert other.metrics == run.metrics
    x, edges = make_data().x, make_data().edge_index
    np.testing.assert_array_equal(other.predictor.predict_proba(x, edges), run.predictor.predict_proba(x, edges))
    assert torch.equal(other.teacher(x, edges).logits, run.teacher(x, edges).logits)
