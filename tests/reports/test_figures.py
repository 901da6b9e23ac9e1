import numpy as np

from graphkd.evaluation import paired_difference
from graphkd.reports import percent, points


def test_percent() -> None:
    assert [percent([0.5]), percent([0.5, 0.75]), percent(np.array([1 / 3]))] == [
        "50.00",
        "62.50 ± 12.50",
        "33.33",
    ]


def test_points_have_a_sign_and_zero_is_not_negative() -> None:
    assert points(paired_difference([0.5], [0.75])) == "-25.00"
    assert points(paired_difference([0.5, 0.5], [0.25, 0.25])) == "+25.00 [+25.00, +25.00]"
    assert points(paired_difference([0.5, 0.5], [0.50001, 0.50001])) == "+0.00 [+0.00, +0.00]"
