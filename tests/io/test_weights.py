import numpy as np
import pandas as pd
import pytest
import torch

from graphkd import GraphKDError
from graphkd.io.weights import check_weights


def test_weights_of_every_kind_are_numbers() -> None:
    for given in (
        [1, 2.5],
        np.array([1, 2.5], np.float16),
        np.array([1, 2.5], object),
        torch.tensor([1, 2.5], requires_grad=True),
        torch.tensor([1, 2.5]).bfloat16(),
        pd.Series([1, 2.5]),
    ):
        found = check_weights(given, 2, "weight")
        assert found.dtype == np.float64
        assert found.tolist() == [1, 2.5]


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        (["1", "2"], "weight holds <U1, not numbers"),
        (np.array(["1", 2], object), "weight holds '1' in row 0, not a finite number"),
        (np.array(["2024-01-01"] * 2, "M8[s]"), "weight holds datetime64"),
        ([1j, 1], "weight holds complex128, not numbers"),
        ([[1], [1, 2]], "weight holds something that is no number"),
        (np.ma.masked_array([1.0, 2.0], [False, True]), r"weight holds masked values, .* \(first in row 1\)"),
        ([1.0, None], "weight holds nan for edge 1"),
        ([1.0, -1.0], "weight holds -1.0 for edge 1"),
        ([1.0, 1e39], "weight holds 1e[+]39 for edge 1"),
        ([1.0], r"weight has shape \[1\] for 2 edges"),
    ],
)
def test_what_is_no_weight_is_refused(weights: object, message: str) -> None:
    with pytest.raises(GraphKDError, match=message):
        check_weights(weights, 2, "weight")
