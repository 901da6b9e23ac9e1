"""Settings of the student that would change nothing, or that a phase is too short for."""

import pytest

from graphkd import GraphKDError, Training, methods
from graphkd.spec import resolve


def test_labels_that_are_not_read_are_not_smoothed() -> None:
    with pytest.raises(GraphKDError, match=r"with method.lam=0 is not trained on: leave it out, set method.lam"):
        resolve(method=methods.GLNN(lam=0.0), training=Training(label_smoothing=0.1))
    for method in (methods.GLNN(lam=0.5), methods.MLP()):
        assert resolve(method=method, training=Training(label_smoothing=0.1)).training.label_smoothing == 0.1
    assert resolve(training=Training(teacher_label_smoothing=0.1)).method.lam == 0


def test_a_phase_is_longer_than_its_warm_up() -> None:
    method = methods.SimMLP(pretrain_epochs=5)
    with pytest.raises(GraphKDError, match=r"^training.warmup is 5, but phase pretrain of method=simmlp"):
        resolve(method=method, training=Training(warmup=5))
    assert resolve(method=method, training=Training(warmup=4, teacher_warmup=5)).training.warmup == 4
