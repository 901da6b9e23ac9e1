from decimal import Decimal

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from graphkd import GraphKDError
from graphkd.datasets.custom.labels import encode_labels


@given(st.lists(st.one_of(st.none(), st.text(max_size=3)), min_size=1).filter(any))
def test_names_give_the_labels_back(labels: list[str | None]) -> None:
    y, names = encode_labels(labels)
    assert names == sorted(names)
    assert [names[number] if number >= 0 else None for number in y.tolist()] == [label or None for label in labels]


@given(st.lists(st.integers(-1, 5), min_size=1).filter(lambda labels: max(labels) >= 0 and set(labels) != {-1, 1}))
def test_numbers_stay_where_none_is_left_out(labels: list[int]) -> None:
    for form in (labels, np.array(labels, dtype=np.int8), torch.tensor(labels), pd.Series(labels, dtype="Int64")):
        y, names = encode_labels(form)
        values = range(max(labels) + 1) if names is None else names
        assert (names is None) == (set(labels) - {-1} == set(range(max(labels) + 1)))
        assert [values[number] if number >= 0 else -1 for number in y.tolist()] == labels


def test_pandas_kinds() -> None:
    for column in (pd.Series(["b", "a", None], dtype="category"), pd.Series(["b", "a", None], dtype="string")):
        y, names = encode_labels(column)
        assert (y.tolist(), names) == ([1, 0, -1], ["a", "b"])


def test_a_date_is_no_label() -> None:
    with pytest.raises(GraphKDError, match="holds a Timestamp: labels are whole numbers, texts or booleans"):
        encode_labels(list(pd.to_datetime(["2020-01-01"])))


def test_labels_are_never_rounded_or_read_through_a_mask() -> None:
    big = [2**53, 2**53 + 1]
    assert encode_labels(big)[1] == big
    with pytest.raises(GraphKDError, match="as float64, which is one of several whole numbers"):
        encode_labels([2.0**53, 1.0])
    with pytest.raises(GraphKDError, match="holds datetime64"):
        encode_labels(np.array(["2024-01-01", "2024-01-02"], "M8[ns]"))
    y, _ = encode_labels(np.ma.masked_array([0, 1, 1], [False, False, True]))
    assert y.tolist() == [0, 1, -1]
    assert encode_labels([0, np.ma.masked, 1])[0].tolist() == [0, -1, 1]


def test_labels_in_few_bits_are_exact_or_refused() -> None:
    assert encode_labels(np.array([0, 1], np.float16))[0].tolist() == [0, 1]
    assert encode_labels([Decimal(0), Decimal("1.0")])[0].tolist() == [0, 1]
    assert encode_labels(np.array([2**63, 2**63 + 1], np.uint64))[1] == [2**63, 2**63 + 1]
    assert encode_labels(torch.tensor([0.0, 1.0], requires_grad=True))[0].tolist() == [0, 1]
    for labels, message in (
        (np.array([2**24, 0], np.float32), "holds 16777216 as float32"),
        (np.array([2048, 0], np.float16), "holds 2048 as float16"),
        (
            torch.tensor([0, 1]).bfloat16(),
            "holds bfloat16, exact for whole numbers up to 256 only",
        ),
    ):
        with pytest.raises(GraphKDError, match=message):
            encode_labels(labels)
    with pytest.raises(GraphKDError, match="holds a Decimal: labels are whole numbers, texts or booleans"):
        encode_labels([Decimal("0.5"), Decimal("1.5")], task="multiclass")
