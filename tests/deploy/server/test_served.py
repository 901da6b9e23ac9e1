import numpy as np
import pytest

from graphkd.deploy import write_bundle
from graphkd.deploy.server.guard import Token
from graphkd.deploy.server.people import _predictions, _rows
from graphkd.deploy.server.refusal import RefusedError
from graphkd.deploy.server.schema import Question
from graphkd.deploy.server.served import Served
from graphkd.deploy.server.settings import Settings
from graphkd.methods import Propagation
from tests.deploy.bundles import STEPS, student

ROW = [[0.5, 1.0, 0.0, 0.0, 2.0]]


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Served:
    folder = tmp_path_factory.mktemp("named") / "bundle"
    sizes = {"num_features": 5, "hidden_dim": 7, "num_classes": 3, "num_layers": 3, "norm": "batch"}
    about = ([True, 2**70, "x"], {"dataset": "x", "seed": 0}, list("abcde"))
    write_bundle(folder, student(), sizes, STEPS, Propagation(), *about)
    return Served(Settings(folder, "numpy", "student", {}, None, 0.0, Token.of("x")))


def test_columns_come_in_the_order_of_training(served: Served) -> None:
    rows, field = _rows(Question(rows=[ROW[0][::-1]], columns=list("edcba")), served)
    assert (rows.tolist(), field) == (ROW, "rows")
    with pytest.warns(UserWarning, match="does not read: 'f'"):
        rows, _ = _rows(Question(rows=[[9.0, *ROW[0]]], columns=list("fabcde")), served)
    assert rows.tolist() == ROW


@pytest.mark.parametrize(
    ("columns", "message"), [("abcdz", "x has no column 'e'"), ("abcda", "x has more than one column 'a'")]
)
def test_other_columns_are_refused(served: Served, columns: str, message: str) -> None:
    with pytest.raises(RefusedError, match=message):
        _rows(Question(rows=ROW, columns=list(columns)), served)


def test_names_of_classes_are_texts_in_answers(served: Served) -> None:
    assert served.card["class_names"] == ["True", str(2**70), "x"]
    assert served.card["feature_names"] == list("abcde")
    proba = np.eye(3, dtype=np.float32)
    assert [each["name"] for each in _predictions(proba, proba, served.model.class_names)] == [
        "True",
        str(2**70),
        "x",
    ]
    assert served.model.predict(ROW)[0] in (True, 2**70, "x")
