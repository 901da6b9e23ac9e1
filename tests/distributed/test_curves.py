"""Two processes have the loss curve of one, dropout included."""

import pytest

from tests.distributed.curves import furthest, log_of, recipe_of
from tests.distributed.pair import Pair

NEIGHBOURS = {"teacher_batches": "neighbours", "teacher_batch_size": 7, "fanout": 3}
RUNS = {
    "glnn, all rows": recipe_of("glnn"),
    "glnn, batches": recipe_of("glnn", batch_size=13),
    "infgrand, all rows": recipe_of("infgrand"),
    "infgrand, batches that end with one row": recipe_of("infgrand", batch_size=12),
    "batch norm": recipe_of("glnn", batch_size=16, norm="batch"),
    "matched by rows": recipe_of("glnn", "random", batch_size=12),
    "matched as a whole": recipe_of("glnn", "semckd", batch_size=12),
    "a teacher on drawn neighbours": recipe_of("mlp", teacher="sage", **NEIGHBOURS),
    "a teacher that the first one trains": recipe_of("mlp", teacher="gcn"),
}


@pytest.mark.parametrize("name", RUNS)
def test_two_processes_have_the_curve_of_one(name: str, pair: Pair) -> None:
    first, second = pair(log_of, RUNS[name])
    assert first == second
    assert furthest(log_of(RUNS[name]), first) < 1e-5
