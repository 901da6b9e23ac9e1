import pytest
import torch

from graphkd.influence._threads import for_each, full_precision, workers_on
from tests.strategies import seeded


@pytest.mark.parametrize("precision", ["highest", "medium"])
def test_products_are_full_float32_and_the_setting_comes_back(precision: str) -> None:
    """``medium`` makes them bfloat16 where the processor has it: wrong by 1e-1."""
    x = torch.randn(256, 128, generator=seeded(0))
    exact = x.double() @ x.double().t()
    torch.set_float32_matmul_precision(precision)
    try:
        with torch.autocast("cpu", torch.bfloat16), full_precision(x.device):
            product = x @ x.t()
        assert torch.get_float32_matmul_precision() == precision
    finally:
        torch.set_float32_matmul_precision("highest")
    assert product.dtype == torch.float32
    assert float((product - exact).abs().max()) < 1e-3


def test_workers_do_all_with_one_thread_each_and_pass_errors_on() -> None:
    done: list[tuple[int, int]] = []
    for_each(lambda item: done.append((item, torch.get_num_threads())), range(100), 3)
    assert sorted(done) == [(item, 1) for item in range(100)]
    with pytest.raises(ZeroDivisionError):
        for_each(lambda item: 1 // item, [1, 0, 2], 2)


def test_the_number_of_threads_stays() -> None:
    before = torch.get_num_threads()
    try:
        torch.set_num_threads(2)
        for_each(lambda item: item, range(3), workers_on(torch.device("cpu")))
        assert torch.get_num_threads() == workers_on(torch.device("cpu")) == 2
    finally:
        torch.set_num_threads(before)
