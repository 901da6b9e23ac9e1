import functools
import pickle

import numpy as np
import pandas as pd
import pytest
import scipy.sparse
import torch
from sklearn.base import clone, is_classifier
from sklearn.exceptions import NotFittedError

import graphkd
from graphkd import GraphDistiller, GraphKDError, Training, from_frames
from tests.conftest import make_data
from tests.datasets.own.graphs import blocks

SHORT = Training(max_epochs=30, lr=0.05)
SMALL = {
    "teacher": functools.partial(graphkd.teachers.GCN, hidden_dim=16),
    "student": functools.partial(graphkd.students.MLP, hidden_dim=16),
    "training": SHORT,
}


@pytest.fixture(scope="module")
def fitted() -> GraphDistiller:
    return GraphDistiller(**SMALL).fit(from_frames(*blocks(), id="id", label="label"))


def test_it_answers_in_the_person_s_own_terms(fitted: GraphDistiller) -> None:
    table, _ = blocks()
    rows, labels = table[["height", "girth"]], table["label"]
    assert fitted.classes_.tolist() == ["elm", "fir", "oak"]
    assert fitted.n_features_in_ == 2
    assert fitted.run_.metrics["split"] == "fractions"
    predicted = fitted.predict(rows)
    assert fitted.score(rows, labels) == pytest.approx((predicted == labels.to_numpy()).mean())
    assert fitted.score(rows, labels) > 0.8
    proba = fitted.predict_proba(rows)
    assert predicted.tolist() == fitted.classes_[proba.argmax(axis=1)].tolist()
    data = from_frames(*blocks(), id="id", label="label")
    for form in (data, data.x, rows.to_numpy(), scipy.sparse.csr_array(rows.to_numpy())):
        np.testing.assert_allclose(fitted.predict_proba(form), proba, rtol=1e-5)
    assert fitted.score(data, data.y) == fitted.score(rows, labels)


def test_unknown_labels_do_not_count(fitted: GraphDistiller) -> None:
    table, _ = blocks()
    rows, predicted = table[["height", "girth"]], fitted.predict(table[["height", "girth"]])
    hidden = pd.Series(predicted).where(np.arange(60) % 2 == 0, None)
    assert fitted.score(rows, hidden) == 1.0
    assert fitted.score(rows, ["ash", *predicted[1:]]) == pytest.approx(59 / 60)
    y = torch.as_tensor([["elm", "fir", "oak"].index(name) for name in predicted])
    y[3:] = -1
    assert fitted.score(rows, y) == 1.0


def test_numbers_with_gaps_come_back_as_numbers() -> None:
    table, ties = blocks()
    numbers = table["label"].map({"oak": 30, "elm": 10, "fir": 20})
    data = from_frames(table.assign(label=numbers), ties, id="id", label="label")
    model = GraphDistiller(**SMALL).fit(data)
    assert model.classes_.tolist() == [10, 20, 30]
    assert model.score(data, numbers) == model.score(data, data.y) > 0.8


def test_the_habits_of_scikit_learn() -> None:
    model = GraphDistiller(**{**SMALL, "training": None}, seed=4)
    assert is_classifier(model)
    assert clone(model).get_params()["seed"] == 4
    assert model.set_params(method="mlp", training=SHORT) is model
    assert set(model.get_params()) == {
        "teacher", "student", "method", "matching", "influence", "setting", "training", "preprocessing", "seed",
        "device",
    }  # fmt: skip
    assert "seed=4" in repr(model)
    assert model.fit(make_data()) is model
    assert model.run_.metrics["method"] == "mlp"
    assert model.classes_.tolist() == [0, 1, 2]
    assert not hasattr(clone(model), "run_")


def test_a_student_with_hops_takes_a_graph() -> None:
    data = make_data()
    model = GraphDistiller(method="infgrand", training=Training(max_epochs=3)).fit(data)
    proba = model.predict_proba(data)
    np.testing.assert_array_equal(proba, model.predict_proba(data.x, data.edge_index))
    with pytest.raises(GraphKDError, match="pass edge_index="):
        model.predict(data.x)


def test_the_run_s_predictor_is_the_bundle_s(fitted: GraphDistiller, tmp_path) -> None:
    fitted.run_.save(tmp_path / "run")
    loaded, own = graphkd.load_bundle(tmp_path / "run"), fitted.run_.predictor
    assert (loaded.class_names, loaded.card) == (own.class_names, own.card)
    rows = np.ones((3, 2), dtype=np.float32)
    np.testing.assert_array_equal(loaded.predict_proba(rows), own.predict_proba(rows))


def test_mistakes(fitted: GraphDistiller) -> None:
    rows = np.ones((2, 2))
    for use in (
        lambda model: model.predict(rows),
        lambda model: model.predict_proba(rows),
        lambda model: model.score(rows, ["a", "b"]),
    ):
        with pytest.raises(NotFittedError):
            use(GraphDistiller())
    for wrong, message in {
        (
            lambda: GraphDistiller().fit(rows)
        ): "fit needs one torch_geometric Data with its labels, but got a ndarray",
        (lambda: GraphDistiller(teacher="gnc").fit(make_data())): "unknown teacher 'gnc'",
        (lambda: fitted.predict(np.ones((2, 3)))): r"x must be \[rows, 2\]",
        (lambda: fitted.predict(pd.DataFrame({"a": ["x"], "b": ["y"]}))): "x has no column",
        (lambda: fitted.score(rows, ["elm"])): "y has 1 labels for 2 rows",
        (lambda: fitted.score(rows, [0, 1])): "y holds none of the classes 'elm', 'fir', 'oak'",
        (lambda: fitted.score(rows, [None, None])): "y holds none of the classes",
    }.items():
        with pytest.raises(GraphKDError, match=message):
            wrong()


def test_columns_of_a_frame_are_taken_by_name(fitted: GraphDistiller) -> None:
    names = fitted.feature_names_in_.tolist()
    rows = pd.DataFrame(np.random.default_rng(0).normal(size=(5, 2)), columns=names)
    np.testing.assert_array_equal(fitted.predict_proba(rows[names[::-1]]), fitted.predict_proba(rows.to_numpy()))


def test_it_can_be_pickled(fitted: GraphDistiller) -> None:
    rows = np.random.default_rng(0).normal(size=(5, 2))
    again = pickle.loads(pickle.dumps(fitted))
    np.testing.assert_array_equal(again.predict(rows), fitted.predict(rows))
    assert again.run_.metrics == fitted.run_.metrics
