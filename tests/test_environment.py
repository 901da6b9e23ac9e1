import contextlib

import numpy as np
import pytest
import torch

import graphkd
from graphkd import Training
from graphkd.environment import own_environment
from tests.conftest import make_data


@contextlib.contextmanager
def default_dtype(dtype: torch.dtype):
    before = torch.get_default_dtype()
    torch.set_default_dtype(dtype)
    try:
        yield
    finally:
        torch.set_default_dtype(before)


@contextlib.contextmanager
def deterministic():
    torch.use_deterministic_algorithms(True)
    try:
        yield
    finally:
        torch.use_deterministic_algorithms(False)


AROUND = {
    "float64": lambda: default_dtype(torch.float64),
    "bfloat16": lambda: default_dtype(torch.bfloat16),
    "no_grad": torch.no_grad,
    "inference_mode": torch.inference_mode,
    "autocast": lambda: torch.autocast("cpu", dtype=torch.bfloat16),
    "device": lambda: torch.device("meta"),
    "deterministic": deterministic,
    "seterr": lambda: np.errstate(all="raise"),
}


def answers() -> tuple[dict, np.ndarray]:
    """Both, and predictions of the same model; the data is made inside as well."""
    data = made()
    short = Training(max_epochs=2)
    run = graphkd.distill(data, method="infgrand", matching="forward", training=short, baseline=False)
    return run.metrics["mean"], run.predictor.predict_proba(data.x, data.edge_index)


def made():
    with torch.device("cpu"), default_dtype(torch.float32):
        return make_data()


@pytest.fixture(scope="module")
def plain() -> tuple[dict, np.ndarray]:
    return answers()


@pytest.mark.parametrize("name", AROUND)
def test_the_caller_s_settings_change_nothing_and_stay(name: str, plain: tuple[dict, np.ndarray]) -> None:
    state, threads = torch.get_rng_state(), torch.get_num_threads()
    with AROUND[name]():
        before = torch.get_default_dtype(), torch.is_grad_enabled(), torch.is_inference_mode_enabled()
        metrics, proba = answers()
        assert before == (torch.get_default_dtype(), torch.is_grad_enabled(), torch.is_inference_mode_enabled())
    assert metrics == plain[0]
    np.testing.assert_array_equal(proba, plain[1])
    assert torch.equal(torch.get_rng_state(), state)
    assert torch.get_num_threads() == threads


@pytest.mark.parametrize("runtime", ["torch", "numpy"])
def test_a_bundle_is_loaded_and_answers_under_any_of_them(runtime: str, tmp_path) -> None:
    run = graphkd.distill(made(), training=Training(max_epochs=1), baseline=False)
    run.save(tmp_path / "run")
    x = made().x
    wanted = graphkd.load_bundle(tmp_path / "run", runtime).predict_proba(x)
    for name, around in AROUND.items():
        with around():
            found = graphkd.load_bundle(tmp_path / "run", runtime).predict_proba(x)
        np.testing.assert_array_equal(found, wanted, err_msg=name)


def test_an_error_leaves_it_as_it_was() -> None:
    with default_dtype(torch.float64):
        with contextlib.suppress(ValueError), own_environment():
            raise ValueError
        assert torch.get_default_dtype() == torch.float64
