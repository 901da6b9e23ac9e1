from datetime import datetime

import numpy as np
import pandas as pd
import pytest

from graphkd.errors import GraphKDError
from graphkd.io.ids import plain_ids


def test_values_and_types_stay() -> None:
    days = pd.date_range("2024-01-01", periods=2).as_unit("ns")
    dates = [datetime(2024, 1, 1), datetime(2024, 1, 2)]
    for given, expected in (
        (np.array([b"n0", b"n1"]), ["n0", "n1"]),
        ([b"n0", "n1"], ["n0", "n1"]),
        (np.array([2**63, 2**64 - 1], dtype=np.uint64), [2**63, 2**64 - 1]),
        (days, dates),
        (pd.Series(days), dates),
        (days.to_numpy(), dates),
        ([np.int64(3), "a"], [3, "a"]),
    ):
        found = plain_ids(given)
        assert found == expected
        assert [type(value) for value in found] == [type(value) for value in expected]


@pytest.mark.parametrize(
    ("ids", "message"),
    [
        (np.ma.masked_array([1, 2], [False, True]), "masked"),
        ([b"\xff"], "no UTF-8 text"),
        (np.array(["2024-01-01T00:00:00.000000001"], "M8[ns]"), "finer steps than microseconds"),
        (["a", np.ma.masked], "masked"),
        (["a", "\ud800"], r"holds '\\ud800' in row 1, which is no UTF-8 text"),
        ([1, 2.0**53], "9007199254740992 as float64, which is one of several whole numbers"),
        (np.array([2.0**24], np.float32), "16777216 as float32, which is one of several whole numbers"),
        (np.arange(3) * 1j, "must hold one text or number per entry"),
        (np.zeros(2, dtype=[("a", int), ("b", int)]), "must hold one text or number per entry"),
        (np.zeros((2, 2)), "must hold one text or number per entry"),
    ],
)
def test_what_would_be_guessed_at_is_refused(ids: object, message: str) -> None:
    with pytest.raises(GraphKDError, match=message):
        plain_ids(ids)
