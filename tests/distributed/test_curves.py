"""Two processes have the loss curve of one, dropout included."""

import pytest

from tests.distributed.curves import furthest, log_of, spec_of
from tests.distributed.pair import Pair
from tests.tiers import some_of

NEIGHBOURS = {"teacher_batches": "neighbours", "teacher_batch_size": 7, "fanout": 3}
RUNS = {
    "glnn, all rows": spec_of("glnn"),
    "glnn, batches": spec_of("glnn", batch_size=13),
    "infgrand, all rows": spec_of("infgrand"),
    "infgrand, batches that end with one row": spec_of("infgrand", batch_size=12),
    "batch norm": spec_of("glnn", batch_size=16, norm="batch"),
    "matched by rows": spec_of("glnn", "random", batch_size=12),
    "matched as a whole": spec_of("glnn", "semckd", batch_size=12),
    "a teacher on drawn neighbours": spec_of("mlp", teacher="sage", **NEIGHBOURS),
    "clipped, scheduled and smoothed": spec_of(
        "mlp", batch_size=13, clip_norm=0.1, schedule="cosine", warmup=2, optimizer="adamw", label_smoothing=0.1
    ),
    "a clipped teacher on drawn neighbours": spec_of(
        "mlp",
        teacher="sage",
        teacher_clip_norm=0.1,
        teacher_schedule="linear",
        teacher_label_smoothing=0.1,
        **NEIGHBOURS,
    ),
    "a teacher that the first one trains": spec_of("mlp", teacher="gcn"),
}


@pytest.mark.parametrize("name", some_of(RUNS, 2))
def test_two_processes_have_the_curve_of_one(name: str, pair: Pair) -> None:
    first, second = pair(log_of, RUNS[name])
    assert first == second
    assert furthest(log_of(RUNS[name]), first) < 1e-5
