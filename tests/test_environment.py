import contextlib
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import torch

import graphkd
from graphkd.environment import own_environment
from tests.conftest import make_data


@contextmanager
def default_dtype(dtype: torch.dtype) -> Iterator[None]:
    torch.set_default_dtype(dtype)
    try:
        yield
    finally:
        torch.set_default_dtype(torch.float32)


AROUND = {
    "float64": lambda: default_dtype(torch.float64),
    "float16": lambda: default_dtype(torch.float16),
    "no_grad": torch.no_grad,
    "inference_mode": torch.inference_mode,
    "autocast": lambda: torch.autocast("cpu", torch.bfloat16),
    "another device": lambda: torch.device("meta"),
}


@pytest.mark.parametrize("around", AROUND)
def test_what_the_caller_has_set_changes_nothing_and_stays(around: str) -> None:
    keys = {"training": graphkd.Training(max_epochs=3), "method": "infgrand"}
    data = make_data()
    want = graphkd.distill(data, **keys)
    with AROUND[around]():
        before = torch.get_default_dtype(), torch.is_grad_enabled(), torch.is_autocast_enabled("cpu")
        run = graphkd.distill(data, **keys)
        assert (torch.get_default_dtype(), torch.is_grad_enabled(), torch.is_autocast_enabled("cpu")) == before
    assert run.metrics["mean"] == want.metrics["mean"]
    for one, two in zip(run.student.parameters(), want.student.parameters(), strict=True):
        assert torch.equal(one, two)


def test_an_error_leaves_it_as_it_was() -> None:
    with default_dtype(torch.float64), contextlib.suppress(ValueError), own_environment():
        raise ValueError
    with default_dtype(torch.float64):
        with contextlib.suppress(ValueError), own_environment():
            raise ValueError
        assert torch.get_default_dtype() == torch.float64
