import numpy as np
import pytest
import scipy.sparse
import torch

from graphkd import GraphKDError
from graphkd.deploy.exports.parity import Parity, check
from graphkd.deploy.exports.sample import Sample

LOGITS = np.array([[1, 0], [0, 1], [1, 0], [0, 1], [1, 0]], dtype=np.float32)
SAMPLE = Sample(LOGITS[:2], LOGITS[2:], torch.tensor([0, 1, 1]), LOGITS, "accuracy")


def answers(logits: np.ndarray):
    parts = iter([logits[:2], logits[2:]] * 2)
    return lambda rows: next(parts)


def test_the_same_model() -> None:
    found = Parity.of(SAMPLE, answers(LOGITS))
    assert found == Parity(5, 0.0, 1.0, "accuracy", pytest.approx(2 / 3), pytest.approx(2 / 3))
    assert (found.float_fault(), found.int8_fault()) == ("", "")


def test_another_model() -> None:
    other = LOGITS.copy()
    other[3] = [2, 1]
    found = Parity.of(SAMPLE, answers(other))
    assert (found.largest_difference, found.argmax_agreement) == (2.0, 0.8)
    assert "differs from the student by up to 2.0e+00 in its logits and agrees on 80.00 %" in found.float_fault()
    assert "loses 33.33 points on validation (66.67 → 33.33), where 0.2 are allowed" in found.int8_fault()
    with pytest.raises(GraphKDError, match=r"onnx-int8 loses .*: nothing was written; --allow-loss writes it"):
        check(found.int8_fault(), "onnx-int8", False)
    check(found.int8_fault(), "onnx-int8", True)


def test_a_better_score_is_no_loss_and_a_training_row_no_score() -> None:
    other = LOGITS.copy()
    other[4] = [0, 1]
    other[0] = [0, 1]
    found = Parity.of(SAMPLE, answers(other))
    assert (found.score_after, found.int8_fault()) == (1.0, "")


@pytest.mark.parametrize(("shift", "fault"), [(0.9e-4, False), (1.1e-4, True)])
def test_the_gate_for_32_bits(shift: float, fault: bool) -> None:
    assert bool(Parity.of(SAMPLE, answers(LOGITS + np.float32(shift))).float_fault()) is fault


@pytest.mark.parametrize(("after", "fault"), [(0.798, False), (0.7979, True)])
def test_the_gate_for_8_bits(after: float, fault: bool) -> None:
    assert bool(Parity(5, 0.1, 0.99, "accuracy", 0.8, after).int8_fault()) is fault


def test_sparse_rows_are_compared_as_dense_ones_too() -> None:
    sparse = Sample(
        scipy.sparse.csr_matrix(LOGITS[:2]), scipy.sparse.csr_matrix(LOGITS[2:]), SAMPLE.labels, LOGITS, "accuracy"
    )

    def wrong_if_dense(rows: object) -> np.ndarray:
        return -rows if isinstance(rows, np.ndarray) else rows.toarray()

    found = Parity.of(sparse, wrong_if_dense)
    assert (found.largest_difference, found.argmax_agreement) == (2.0, 0.0)
