"""Features of raw tables: equal to scikit-learn's, fitted on training rows only, the same for every table."""

import copy
import json
import pickle
import subprocess
import sys
import time
import warnings
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from sklearn.compose import ColumnTransformer
from sklearn.impute import MissingIndicator, SimpleImputer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, RobustScaler, StandardScaler

from graphkd import GraphKDError
from graphkd.columns import ColumnEncoding
from tests.columns.tables import TRAIN, mixed, numbers, records


def waves(dates: pd.DataFrame) -> np.ndarray[Any, Any]:
    """Sine and cosine of the time of the year, from Python's own calendar."""
    days = dates.iloc[:, 0].dt
    share = 2 * np.pi * (days.day_of_year - 1) / np.where(days.is_leap_year, 366, 365)
    return np.stack([np.sin(share), np.cos(share)], axis=1)


def by_hand(numeric: str = "standard") -> ColumnTransformer:
    """The same encoding, as a user of scikit-learn writes it down."""
    scaler = RobustScaler if numeric == "robust" else StandardScaler
    imputer = SimpleImputer(strategy="median" if numeric == "robust" else "mean")
    days = FunctionTransformer(lambda dates: (dates - pd.Timestamp("1970-01-01")) / pd.Timedelta("1D"))
    return ColumnTransformer(
        [
            ("age", make_pipeline(imputer, scaler()), ["age"]),
            ("age_missing", MissingIndicator(), ["age"]),
            ("income", scaler(), ["income"]),
            ("visits", scaler(), ["visits"]),
            (
                "city",
                OneHotEncoder(categories=[["Basel", "Bern", "Genf", "unknown"]], sparse_output=False),
                ["city"],
            ),
            ("member", OneHotEncoder(categories=[["false", "true", "unknown"]], sparse_output=False), ["member"]),
            ("joined", make_pipeline(days, scaler()), ["joined"]),
            ("joined_year", FunctionTransformer(waves), ["joined"]),
        ]
    )


@pytest.mark.parametrize("numeric", ["standard", "robust"])
def test_features_are_those_of_scikit_learn(numeric: str) -> None:
    frame = mixed()
    encoding = ColumnEncoding.fit(frame, TRAIN, numeric=numeric)
    texts = frame.assign(member=np.where(frame["member"], "true", "false"))
    expected = by_hand(numeric).fit(texts.iloc[TRAIN]).transform(texts)
    features = encoding.transform(frame)
    assert features.dtype == np.float32
    assert features.flags.c_contiguous
    np.testing.assert_allclose(features, expected.astype(np.float64), atol=1e-6, rtol=1e-6)
    assert encoding.names_out == (
        *("age", "age_missing", "income", "visits", "city=Basel", "city=Bern", "city=Genf", "city=unknown"),
        *("member=false", "member=true", "member=unknown", "joined_days", "joined_year_sin", "joined_year_cos"),
    )


@pytest.mark.filterwarnings("ignore:columns .* differ in scale")
@pytest.mark.parametrize("numeric", ["standard", "robust", "none"])
def test_rows_outside_training_change_nothing(numeric: str) -> None:
    frame = mixed(town=["Rome"] * 100 + ["Oslo"] * 100, note=None)
    fitted = ColumnEncoding.fit(frame, TRAIN, numeric=numeric)
    other = frame.copy()
    other.iloc[150, other.columns.get_loc("income")] = 1e12
    other.iloc[151, other.columns.get_loc("age")] = np.inf
    other.iloc[152, other.columns.get_loc("city")] = "Chur"
    other.iloc[153, other.columns.get_loc("joined")] = pd.Timestamp("1999-09-09 09:09")
    other = other.astype({"visits": object, "member": object})
    other.iloc[154, other.columns.get_loc("visits")] = "many"
    other.iloc[155, other.columns.get_loc("member")] = None
    assert ColumnEncoding.fit(other, TRAIN, numeric=numeric) == fitted
    changed = frame.copy()
    changed.iloc[TRAIN[-1], changed.columns.get_loc("income")] = 1e6
    assert ColumnEncoding.fit(changed, TRAIN, numeric=numeric) != fitted or numeric == "none"


def test_every_kind_of_table_gives_the_same_bits() -> None:
    frame = mixed()
    encoding = ColumnEncoding.fit(frame, TRAIN)
    expected, rows = encoding.transform(frame), records(frame)
    tables = {
        "rows": rows,
        "columns": {name: [row[name] for row in rows] for name in frame.columns[::-1]},
        "arrays": {name: frame[name].to_numpy() for name in frame.columns},
        "arrow": pa.Table.from_pandas(frame),
        "extension types": frame.convert_dtypes(),
        "categories": frame.astype({"city": "category"}),
        "another order": frame[frame.columns[::-1]],
        "objects": frame.astype(object),
        "a time zone": frame.assign(joined=frame["joined"].dt.tz_localize("UTC").dt.tz_convert("Asia/Tokyo")),
    }
    for kind, table in tables.items():
        np.testing.assert_array_equal(encoding.transform(table), expected, err_msg=kind)
    single = np.concatenate([encoding.transform([row]) for row in rows])
    np.testing.assert_array_equal(single, expected)


def test_a_polars_frame_gives_the_same_bits() -> None:
    polars = pytest.importorskip("polars")
    frame = mixed()
    encoding = ColumnEncoding.fit(frame, TRAIN)
    table = polars.DataFrame({name: list(frame[name]) for name in frame.columns})
    np.testing.assert_array_equal(encoding.transform(table), encoding.transform(frame))


def test_large_tables_are_encoded_in_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    frame = mixed()
    encoding = ColumnEncoding.fit(frame, TRAIN)
    expected = encoding.transform(frame)
    monkeypatch.setattr("graphkd.columns.replay.BLOCK", 7)
    np.testing.assert_array_equal(encoding.transform(frame), expected)
    broken = frame.astype({"city": object})
    broken.loc[100, "city"] = 0.5
    with pytest.raises(ValueError, match=r"column 'city' holds 0\.5 in row 100, not a category"):
        encoding.transform(broken)


def test_what_training_did_not_see() -> None:
    frame = mixed(flag=np.arange(200) % 2 == 0)
    encoding = ColumnEncoding.fit(frame, TRAIN)
    row = records(frame)[0] | {"city": "Chur", "member": None, "flag": None, "joined": None}
    with pytest.warns(UserWarning, match="column 'joined' has missing values, which training rows did not"):
        (features,) = encoding.transform([row])
    found = dict(zip(encoding.names_out, features.tolist(), strict=True))
    assert [found[f"city={value}"] for value in ("Basel", "Bern", "Genf", "unknown")] == [0, 0, 0, 1]
    assert [found[f"flag={value}"] for value in ("false", "true", "unknown")] == [0, 0, 1]
    assert found["joined_days"] == pytest.approx(0.0, abs=1e-6)
    assert (found["joined_year_sin"], found["joined_year_cos"]) == (0.0, 0.0)
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # once is enough
        encoding.transform([row])


def test_a_missing_category_is_unknown_in_training_too() -> None:
    frame = pd.DataFrame({"city": ["Bern", None, "Basel", "unknown", ""], "size": [1.0, 2.0, 3.0, 4.0, 5.0]})
    encoding = ColumnEncoding.fit(frame, np.arange(5))
    np.testing.assert_array_equal(encoding.transform(frame)[:, :3].argmax(axis=1), [1, 2, 0, 2, 2])
    assert encoding.names_out[:3] == ("city=Basel", "city=Bern", "city=unknown")


def test_whole_numbers_are_one_category_in_every_type() -> None:
    frame = pd.DataFrame({"zip": [8001, 8002, 3000, 8001]})
    encoding = ColumnEncoding.fit(frame, np.arange(4), {"zip": "category"})
    expected = encoding.transform(frame)
    for values in (
        [8001.0, 8002.0, 3000.0, 8001.0],
        ["8001", "8002", "3000", "8001"],
        np.array([8001, 8002, 3000, 8001]),
    ):
        np.testing.assert_array_equal(encoding.transform({"zip": values}), expected)
    assert encoding.transform({"zip": [np.nan]}).tolist() == [[0, 0, 0, 1]]


def test_pandas_categories_of_numbers_are_categories() -> None:
    frame = pd.DataFrame({"zip": pd.Categorical([8001, 8002, 8001]), "size": [1.0, 2.0, 3.0]})
    encoding = ColumnEncoding.fit(frame, np.arange(3))
    assert encoding.kinds == {"zip": "category", "size": "number"}
    np.testing.assert_array_equal(encoding.transform(frame), encoding.transform(frame.astype({"zip": int})))


def test_an_encoding_that_was_used_can_be_copied_and_pickled() -> None:
    frame = mixed()
    encoding = ColumnEncoding.fit(frame, TRAIN)
    expected = encoding.transform(frame)
    for other in (copy.deepcopy(encoding), pickle.loads(pickle.dumps(encoding))):
        assert other == encoding
        np.testing.assert_array_equal(other.transform(frame), expected)


def test_codes_stay_numbers_and_the_summary_says_so() -> None:
    encoding = ColumnEncoding.fit(mixed(city=None), TRAIN)
    assert encoding.kinds["visits"] == "number"
    assert any("visits: number, standardised, of whole numbers (for codes:" in line for line in encoding.summary())


def test_constant_and_empty_columns_are_dropped_and_need_not_arrive() -> None:
    frame = mixed(fee=7.0, gap=[np.nan] * 120 + [1.0] * 80, land="CH", note="x", city=None)
    encoding = ColumnEncoding.fit(frame, TRAIN, {"note": "drop"})
    assert encoding.dropped == (("fee", "constant"), ("gap", "missing"), ("land", "constant"), ("note", "asked"))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        expected = encoding.transform(frame)
        np.testing.assert_array_equal(encoding.transform(frame[list(encoding.names_in)]), expected)
    assert "fee: dropped, one value in all training rows" in encoding.summary()


def test_one_value_or_none_is_encoded_as_whether_it_is_missing() -> None:
    frame = pd.DataFrame({"fee": [100.0, np.nan, 100.0], "size": [1.0, 2.0, 3.0]})
    encoding = ColumnEncoding.fit(frame, np.arange(3))
    assert encoding.names_out == ("fee_missing", "size")
    rows = [{"fee": 5000.0, "size": 2.0}, {"fee": None, "size": 2.0}]
    assert encoding.transform(rows).tolist() == [[0.0, 0.0], [1.0, 0.0]]


def test_only_complete_numbers_are_affine() -> None:
    frame = numbers()
    encoding = ColumnEncoding.fit(frame, TRAIN)
    assert encoding.is_affine
    assert encoding.shift is not None
    assert encoding.scale is not None
    expected = (frame.to_numpy() - encoding.shift) / encoding.scale
    np.testing.assert_allclose(encoding.transform(frame), expected, atol=1e-6)
    np.testing.assert_array_equal(encoding.transform(frame.to_numpy()), encoding.transform(frame))
    other = ColumnEncoding.fit(mixed(), TRAIN)
    assert (other.is_affine, other.shift, other.scale) == (False, None, None)


def test_numbers_are_the_rows_before_scaling(monkeypatch: pytest.MonkeyPatch) -> None:
    encoding = ColumnEncoding.fit(numbers(), TRAIN)
    monkeypatch.setattr("graphkd.columns.replay.BLOCK", 64)
    holes = numbers()[["large", "small"]].mask(np.random.default_rng(0).random((200, 2)) < 0.2)
    with pytest.warns(UserWarning, match="column '(small|large)' has missing values"):
        found = encoding.numbers(holes)
    filled = numbers().iloc[TRAIN].mean()
    np.testing.assert_array_equal(found, holes.fillna(filled)[["small", "large"]].to_numpy(np.float32))
    with pytest.raises(GraphKDError, match="column 'small' holds 1e\\+39 in row 70, not a finite number"):
        encoding.numbers(numbers().assign(small=np.where(np.arange(200) == 70, 1e39, 0.0)))
    with pytest.raises(GraphKDError, match="more than shift and scale: use transform"):
        ColumnEncoding.fit(mixed(), TRAIN).numbers(mixed())


def test_robust_scaling_of_mostly_equal_values_falls_back_to_the_deviation() -> None:
    frame = pd.DataFrame({"fine": [0.0] * 95 + [10_000.0] * 5})
    features = ColumnEncoding.fit(frame, np.arange(100), numeric="robust").transform(frame)
    assert np.abs(features).max() < 10


BAG = (np.random.default_rng(2).random((40, 60)) < 0.05) * np.arange(1, 61)

UNTOUCHED: dict[str, pd.DataFrame] = {
    "zeros and ones": pd.DataFrame({"a": [0, 1, 1, 0], "b": [1.0, 1.0, 0.0, 0.0]}),
    "booleans": pd.DataFrame({"a": [True, False, True, False], "b": [0, 1, 0, 1]}),
    "a bag of words": pd.DataFrame(BAG, columns=[f"word{at}" for at in range(60)]),
    "sparse columns": pd.DataFrame({"a": [0.0, 5.0, 0.0, 0.0], "b": [0.0, 0.0, 9.0, 0.0]}).astype(
        pd.SparseDtype("float64", 0.0)
    ),
}


@pytest.mark.parametrize("kind", UNTOUCHED)
def test_bags_of_words_are_untouched(kind: str) -> None:
    frame = UNTOUCHED[kind]
    encoding = ColumnEncoding.fit(frame, np.arange(len(frame)))
    assert encoding.is_identity
    assert encoding.names_out == encoding.names_in == tuple(frame.columns)
    features: Any = encoding.transform(frame)
    assert hasattr(features, "tocsr") == (kind == "sparse columns")
    dense = features.toarray() if hasattr(features, "tocsr") else features
    np.testing.assert_array_equal(dense, frame.to_numpy(dtype=np.float32))
    assert ColumnEncoding.from_json(encoding.to_json()) == encoding


def test_a_dense_table_of_counts_is_scaled() -> None:
    encoding = ColumnEncoding.fit(pd.DataFrame(BAG[:, :5], columns=[*"abcde"]), np.arange(40))
    assert not encoding.is_identity


def test_none_leaves_numbers_alone_and_warns_of_their_scales() -> None:
    with pytest.warns(UserWarning, match=r"columns 'large' and 'small' differ in scale by a factor of \d+"):
        encoding = ColumnEncoding.fit(numbers(), TRAIN, "none")
    np.testing.assert_array_equal(encoding.transform(numbers()), numbers().to_numpy(dtype=np.float32))
    with pytest.warns(UserWarning, match="differ in scale"):
        ColumnEncoding.fit(numbers(), TRAIN, numeric="none")


def test_json_holds_everything_and_round_trips() -> None:
    frame = mixed(fee=7.0)
    encoding = ColumnEncoding.fit(frame, TRAIN, {"visits": "category"})
    text = json.dumps(encoding.to_json(), allow_nan=False)
    read = ColumnEncoding.from_json(json.loads(text))
    assert read == encoding
    assert read.summary() == encoding.summary()
    np.testing.assert_array_equal(read.transform(frame), encoding.transform(frame))
    assert json.dumps(ColumnEncoding.fit(frame, TRAIN, {"visits": "category"}).to_json()) == text


def test_serving_needs_numpy_alone() -> None:
    encoding = ColumnEncoding.fit(mixed(), TRAIN)
    code = (
        "import json, sys; from graphkd.columns import ColumnEncoding; content, rows = json.load(sys.stdin); "
        "print(ColumnEncoding.from_json(content).transform(rows).sum()); "
        "print([name for name in ('pandas', 'scipy', 'sklearn', 'torch') if name in sys.modules])"
    )
    given = json.dumps([encoding.to_json(), records(mixed())[:3]])
    done = subprocess.run([sys.executable, "-c", code], input=given, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[1] == "[]"


def test_a_single_row_takes_microseconds() -> None:
    draw = np.random.default_rng(3)
    frame = mixed().assign(**{f"extra{at}": draw.normal(size=200) for at in range(4)})
    encoding, rows = ColumnEncoding.fit(frame, TRAIN), records(frame)
    assert len(encoding.names_in) == 10
    best = np.inf
    for row in rows:
        begin = time.perf_counter()
        encoding.transform([row])
        best = min(best, time.perf_counter() - begin)
    assert best < 500e-6  # 50 µs on an idle core
