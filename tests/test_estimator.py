import copy
import dataclasses
import functools
import inspect
import io
import json
import pickle
import warnings
from pathlib import Path

import joblib
import numpy as np
import pandas as pd
import pytest
import scipy.sparse
import torch
from sklearn.base import clone, is_classifier
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV, ParameterGrid, cross_val_score

import graphkd
from graphkd import GraphDistiller, GraphKDError, Training, from_frames
from tests.conftest import make_data
from tests.datasets.custom.graphs import blocks

SHORT = Training(max_epochs=30, lr=0.05)
SMALL = {
    "teacher": functools.partial(graphkd.teachers.GCN, hidden_dim=16),
    "student": functools.partial(graphkd.students.MLP, hidden_dim=16),
    "training": SHORT,
}


@pytest.fixture(scope="module")
def fitted() -> GraphDistiller:
    return GraphDistiller(**SMALL).fit(from_frames(*blocks(), id="id", label="label", columns="none"))


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
    data = from_frames(*blocks(), id="id", label="label", columns="none")
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
    arguments = set(inspect.signature(graphkd.distill).parameters) - {"data"}
    assert set(model.get_params(deep=False)) == arguments
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
        (lambda: fitted.predict(pd.DataFrame({"height": ["x"], "girth": ["y"]}))): "x column 'height' holds 'x'",
        (lambda: fitted.score(rows, ["elm"])): "y has 1 labels for 2 rows",
        (lambda: fitted.score(rows, [0, 1])): "y holds none of the classes 'elm', 'fir', 'oak'",
        (lambda: fitted.score(rows, [None, None])): "y holds none of the classes",
    }.items():
        with pytest.raises(GraphKDError, match=message):
            wrong()


def test_settings_of_training_are_parameters_too() -> None:
    model = GraphDistiller(**{**SMALL, "training": None})
    assert model.get_params()["training__lr"] == Training().lr
    for params in ParameterGrid({"training__lr": [0.02, 0.03], "seed": [1]}):
        found = clone(model).set_params(**params)
        assert (found.training.lr, found.seed) == (params["training__lr"], 1)
        assert found.training.max_epochs == Training().max_epochs
    assert model.training is None
    both = clone(model).set_params(training=SHORT, training__lr=0.5)
    assert both.training == dataclasses.replace(SHORT, lr=0.5)
    with pytest.raises(ValueError, match="training__rate"):
        model.set_params(training__rate=1)
    with pytest.raises(GraphKDError, match="training.lr is -1"):
        model.set_params(training__lr=-1)


def test_searches_take_graphs_with_their_own_masks() -> None:
    graphs = [make_data(), make_data()]
    model = GraphDistiller(**{**SMALL, "method": "mlp", "training": Training(max_epochs=2)})
    scores = cross_val_score(model, graphs, cv=[([i], [i]) for i in range(2)])
    assert scores.tolist() == [model.fit(graphs[0]).score(graphs[0])] * 2
    val = graphs[0].val_mask
    assert scores[0] == (model.predict(graphs[0])[val] == graphs[0].y[val].numpy()).mean()
    search = GridSearchCV(model, {"training__max_epochs": [1, 2]}, cv=[([0], [0])], refit=False).fit(graphs[:1])
    assert len(search.cv_results_["mean_test_score"]) == 2
    with pytest.raises(GraphKDError, match=r"got 2 graphs.*take a list of graphs and cv="):
        model.fit(graphs)
    with pytest.raises(GraphKDError, match=r"got a ndarray and y.*rows cannot be cut into folds"):
        model.fit(np.ones((2, 3)), [0, 1])


def test_rows_are_taken_by_name(fitted: GraphDistiller) -> None:
    table, _ = blocks()
    rows = table[["height", "girth"]]
    want = fitted.predict_proba(rows)
    assert fitted.feature_names_in_.tolist() == ["height", "girth"]
    np.testing.assert_array_equal(fitted.predict_proba(rows[["girth", "height"]]), want)
    assert fitted.score(rows[["girth", "height"]], table["label"]) == fitted.score(rows, table["label"])
    data = from_frames(*blocks(), id="id", label="label", columns="none", features=["girth", "height"])
    np.testing.assert_array_equal(fitted.predict_proba(data), want)
    with pytest.raises(GraphKDError, match="x has no column 'girth' "):
        fitted.predict(rows.rename(columns={"girth": "width"}))
    again = copy.deepcopy(fitted)
    with pytest.warns(UserWarning, match="does not read: 'extra'"):
        again.predict(rows.assign(extra=1))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        again.predict(rows.assign(extra=1))  # once is enough
    assert not hasattr(GraphDistiller(**SMALL, method="mlp").fit(make_data()), "feature_names_in_")


def test_it_can_be_pickled_and_copied(fitted: GraphDistiller) -> None:
    rows, file = np.random.default_rng(0).random((5, 2), dtype=np.float32), io.BytesIO()
    joblib.dump(fitted, file)
    file.seek(0)
    for other in (pickle.loads(pickle.dumps(fitted)), copy.deepcopy(fitted), joblib.load(file)):
        np.testing.assert_array_equal(other.predict_proba(rows), fitted.predict_proba(rows))
        assert other.run_.metrics == fitted.run_.metrics


@pytest.mark.parametrize("values", [[True, False, True], [3, 5, 2**40], ["b", "c", "a"]])
def test_class_names_keep_their_type_from_the_data_to_every_runtime(values: list[object], tmp_path) -> None:
    table, ties = blocks()
    labels = table["label"].map(dict(zip(["elm", "fir", "oak"], values, strict=True)))
    data = from_frames(table.assign(label=labels), ties, id="id", label="label")
    model = GraphDistiller(**{**SMALL, "training": Training(max_epochs=1)}, method="mlp").fit(data)
    predicted = model.predict(data)
    assert set(predicted.tolist()) <= set(values)
    assert {type(value) for value in model.classes_.tolist()} == {type(values[0])}
    model.run_.save(tmp_path / "run")
    for runtime in ("torch", "numpy"):
        found = graphkd.load_bundle(tmp_path / "run", runtime).predict(data.x, propagated=True)
        assert found.tolist() == predicted.tolist()
        assert found.dtype.kind == predicted.dtype.kind


def test_a_table_of_any_columns_is_predicted_by_name(tmp_path: Path) -> None:
    nodes, edges = blocks()
    rng = np.random.default_rng(0)
    nodes["kind"] = np.array(["round", "square"])[rng.integers(0, 2, len(nodes))]
    nodes.loc[nodes.index[::3], "girth"] = np.nan
    data = from_frames(nodes, edges, id="id", label="label")
    clf = GraphDistiller(**SMALL).fit(data)
    raw = nodes.drop(columns=["id", "label"])
    assert list(clf.feature_names_in_) == list(raw.columns)
    assert clf.n_features_in_ == len(raw.columns) < data.x.shape[1]
    proba = clf.predict_proba(raw)
    np.testing.assert_allclose(clf.predict_proba(data), proba, atol=1e-6)
    np.testing.assert_allclose(clf.predictor_.predict_proba(data.x, propagated=True), proba, atol=1e-6)
    clf.run_.save(tmp_path / "run")
    assert json.loads((tmp_path / "run/bundle/bundle.json").read_text())["card"]["columns"]
    for runtime in ("torch", "numpy"):
        model = graphkd.load_bundle(tmp_path / "run", runtime)
        np.testing.assert_allclose(model.predict_proba(raw[raw.columns[::-1]]), proba, atol=1e-6)
        records = raw.astype(object).where(raw.notna(), None).to_dict("records")
        np.testing.assert_allclose(model.predict_proba(records), proba, atol=1e-6)
        unseen = model.predict_proba([{**records[0], "kind": "oval", "girth": None}])
        assert np.isfinite(unseen).all()
        for wrong, message in (
            (raw.to_numpy(), "reads columns by name"),
            (data.x, "reads columns by name"),
            (raw.drop(columns="kind"), "no column 'kind'"),
            ([{**records[0], "height": "tall"}], "height"),
        ):
            with pytest.raises(GraphKDError, match=message) as caught:
                model.predict(wrong)
            assert "\n" not in str(caught.value)
    other = from_frames(nodes, edges, id="id", label="label", seed=5)
    with pytest.raises(GraphKDError, match="encoded by other training nodes"):
        clf.predict(other)
    again = from_frames(nodes, edges, id="id", label="label", seed=5, columns=data.column_encoding)
    np.testing.assert_allclose(clf.predict_proba(again), proba, atol=1e-6)
