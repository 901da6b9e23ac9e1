import copy
import pickle
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

import graphkd
from graphkd.deploy.names import align
from graphkd.errors import GraphKDError
from tests.deploy.bundles import make_bundle, student

ROWS = pd.DataFrame({"a": [1.0, 2.0], "b": [3.0, 4.0], "c": [5.0, 6.0]})
NAMES = ["a", "b", "c"]
RUNTIMES = ("torch", "numpy")


def test_columns_are_taken_by_name_and_others_ignored_with_a_warning() -> None:
    assert align(ROWS[["c", "a", "b"]], NAMES).equals(ROWS)
    with pytest.warns(UserWarning, match="ignored: 'd'"):
        assert align(ROWS.assign(d=0)[["d", "c", "b", "a"]], NAMES).equals(ROWS)


def test_numbers_are_names_unless_they_are_pandas_own() -> None:
    years = ROWS.set_axis([2019, 2020, 2021], axis=1)
    assert align(years[[2021, 2019, 2020]], ["2019", "2020", "2021"]).equals(years)
    plain = ROWS.set_axis(range(3), axis=1)
    assert align(plain, NAMES) is plain
    assert align(plain, ["0", "1", "2"]).equals(plain)


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (ROWS.rename(columns={"a": "z"}), "no column 'a'"),
        (ROWS[["a", "b"]], "no column 'c'"),
        (ROWS.set_axis(["a", "b", "b"], axis=1), "2 columns 'b'"),
    ],
)
def test_what_is_missing_or_there_twice_is_refused(rows: pd.DataFrame, message: str) -> None:
    with pytest.raises(GraphKDError, match=message):
        align(rows, NAMES)


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    return make_bundle(tmp_path, student())


@pytest.mark.parametrize("runtime", RUNTIMES)
def test_arrays_of_every_kind_give_the_same_answers(runtime: str, bundle: Path) -> None:
    model = graphkd.load_bundle(bundle, runtime)
    x = np.random.default_rng(0).normal(size=(6, model.num_features)).astype(np.float32)
    want = model.predict_proba(x)
    for rows in (
        x[::-1][::-1], np.asfortranarray(x), x.astype(">f4"), x.astype(np.longdouble), x.tolist(),
        torch.tensor(x, requires_grad=True), pd.DataFrame(x), np.ma.masked_array(x),
    ):  # fmt: skip
        np.testing.assert_array_equal(model.predict_proba(rows), want)
    half = torch.tensor(x).bfloat16()
    np.testing.assert_array_equal(model.predict_proba(half), model.predict_proba(half.float()))
    np.testing.assert_array_equal(model.predict_proba(x[::-1]), want[::-1])
    with pytest.raises(GraphKDError, match="masked"):
        model.predict_proba(np.ma.masked_array(x, x > 1))


@pytest.mark.parametrize("runtime", RUNTIMES)
def test_a_predictor_can_be_pickled_and_copied(runtime: str, bundle: Path) -> None:
    model = graphkd.load_bundle(bundle, runtime)
    x = np.random.default_rng(0).normal(size=(3, model.num_features)).astype(np.float32)
    for other in (pickle.loads(pickle.dumps(model)), copy.deepcopy(model)):
        np.testing.assert_array_equal(other.predict_proba(x), model.predict_proba(x))
