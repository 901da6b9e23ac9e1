import json
from pathlib import Path

import numpy as np
import pytest

from graphkd.deploy import write_bundle
from graphkd.deploy.exports.formats import export_bundle
from graphkd.deploy.server.errors import RefusedError
from graphkd.deploy.server.guard import Token
from graphkd.deploy.server.model_state import ModelState
from graphkd.deploy.server.predict_api import _rows
from graphkd.deploy.server.schema import Question
from graphkd.deploy.server.settings import Settings
from graphkd.encoders import Encoding
from graphkd.errors import GraphKDError
from tests.deploy.bundles import STEPS, make_bundle, sample_of, student
from tests.deploy.server.serving import ask, in_thread

ROW = [[0.5, 1.0, 0.0, 0.0, 2.0]]


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> ModelState:
    folder = tmp_path_factory.mktemp("named") / "bundle"
    sizes = {"num_features": 5, "hidden_dim": 7, "num_classes": 3, "num_layers": 3, "norm": "batch"}
    about = ([True, 2**70, "x"], {"dataset": "x", "seed": 0}, list("abcde"))
    write_bundle(folder, student(), sizes, STEPS, Encoding(), *about)
    return ModelState(Settings(folder, "numpy", "student", {}, None, 0.0, Token.of("x")))


def test_columns_come_in_the_order_of_training(served: ModelState) -> None:
    rows, field = _rows(Question(rows=[ROW[0][::-1]], columns=list("edcba")), served)
    assert (rows.tolist(), field) == (ROW, "rows")
    with pytest.warns(UserWarning, match="does not read: 'f'"):
        rows, _ = _rows(Question(rows=[[9.0, *ROW[0]]], columns=list("fabcde")), served)
    assert rows.tolist() == ROW


@pytest.mark.parametrize(
    ("columns", "message"), [("abcdz", "x has no column 'e'"), ("abcda", "x has more than one column 'a'")]
)
def test_other_columns_are_refused(served: ModelState, columns: str, message: str) -> None:
    with pytest.raises(RefusedError, match=message):
        _rows(Question(rows=ROW, columns=list(columns)), served)


NAN, INF = float("nan"), float("inf")


@pytest.mark.parametrize(
    "scores",
    [NAN, INF, -INF, [NAN], {"a": NAN}, {"a": [1.5, INF]}, [[[-INF]]], {"a": {"b": NAN}}, [None, NAN], 1.5],
)
def test_numbers_that_are_none_are_not_shown(raw_bundle: Path, scores: object) -> None:
    """A run's scores with such a number were 500."""
    served = ModelState(Settings(raw_bundle, "numpy", "student", {"mean": scores}))
    text = json.dumps(served.card, allow_nan=False)
    assert ("null" in json.dumps(served.card["scores"])) == (scores != 1.5)
    assert "Infinity" not in text


@pytest.mark.parametrize("scores", ["\ud800", {"\udfff": 1}, ["a", "\ud800b"], {"a": {"b": "\udc80"}}])
def test_what_cannot_be_shown_is_said_at_the_start(raw_bundle: Path, scores: object) -> None:
    with pytest.raises(
        GraphKDError, match=r"has a card, names or scores that cannot be shown \(Unicode.*\): make it"
    ):
        ModelState(Settings(raw_bundle, "numpy", "student", {"mean": scores}))


@pytest.mark.parametrize(
    "runtime", ["numpy", *(pytest.param(name, marks=pytest.mark.slow) for name in ("native", "onnx"))]
)
def test_logits_that_are_no_numbers_are_no_answer(tmp_path: Path, runtime: str) -> None:
    """By whichever output is asked for; a class of NaN would be the first one."""
    model = student()
    bundle = make_bundle(tmp_path, model)
    if runtime != "numpy":
        export_bundle(bundle, "c" if runtime == "native" else "onnx", sample_of(model), allow_loss=True)
    with in_thread(bundle, runtime=runtime) as port:
        for row in ([-3.4e38] * 5, [-3.4e38, 3.4e38, -3.4e38, -3.4e38, -3.4e38]):
            assert ask(port, "/predict", {"rows": [ROW[0], row]}).json["field"] == "rows.1"
            tensor = {"name": "rows", "shape": [1, 5], "datatype": "FP32", "data": row}
            for name in ("classes", "logits", "probabilities"):
                asked = {"inputs": [tensor], "outputs": [{"name": name}]}
                assert ask(port, "/v2/models/student/infer", asked).status == 422


def test_names_of_classes_are_texts_in_answers(served: ModelState) -> None:
    assert served.card["class_names"] == ["True", str(2**70), "x"]
    assert served.card["feature_names"] == list("abcde")
    proba = np.eye(3, dtype=np.float32)
    assert [each["name"] for each in served.model.answers.entries(proba, proba)] == [
        "True",
        str(2**70),
        "x",
    ]
    assert served.model.predict(ROW)[0] in (True, 2**70, "x")
