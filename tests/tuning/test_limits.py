import re

import pytest

from graphkd import GraphKDError
from graphkd.tuning.limits import Cost, costs, within

MEASURED = {(2, 64): Cost(100, 5), (2, 256): Cost(400, 9), (3, 64): Cost(120, 12)}


def test_a_weights_file_is_four_bytes_per_weight_and_a_header() -> None:
    measured = costs([(2, 64), (2, 128), (3, 64)], width=100, num_classes=5)
    for (layers, hidden), cost in measured.items():
        norms = 4 * hidden * (layers - 1)  # scale, shift, mean and variance; there is no bias before them
        weights = 100 * hidden + (layers - 2) * hidden * hidden + norms + hidden * 5 + 5
        assert 4 * weights / 1000 < cost.kilobytes < 4 * weights / 1000 + 1.5
        assert cost.microseconds > 0


def test_shapes_within_both_limits_are_kept() -> None:
    assert within(MEASURED, None, None) == list(MEASURED)
    assert within(MEASURED, 150, None) == [(2, 64), (3, 64)]
    assert within(MEASURED, None, 10) == [(2, 64), (2, 256)]
    assert within(MEASURED, 150, 10) == [(2, 64)]


@pytest.mark.parametrize(
    ("kilobytes", "microseconds", "reason"),
    [
        (50, None, "--max-kb 50: the smallest student, 2 x 64, has 100.0 kilobytes"),
        (None, 1, "--max-us 1: the smallest student, 2 x 64, has 5.0 microseconds"),
    ],
)
def test_limits_that_no_student_keeps_are_refused(kilobytes, microseconds, reason: str) -> None:
    with pytest.raises(GraphKDError, match=re.escape(reason)):
        within(MEASURED, kilobytes, microseconds)


def test_limits_that_only_different_students_keep_are_refused() -> None:
    with pytest.raises(GraphKDError, match="within both"):
        within({(2, 64): Cost(100, 9), (3, 64): Cost(120, 5)}, 110, 6)
