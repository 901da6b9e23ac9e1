import pytest
import torch
from omegaconf import OmegaConf

from graphkd import GraphKDError
from graphkd.training.seeds import parse_seeds, seeded


def test_a_count_or_a_list() -> None:
    assert parse_seeds(3) == [0, 1, 2]
    assert parse_seeds([2022, 5]) == [2022, 5]
    assert parse_seeds(OmegaConf.create([1, 2])) == [1, 2]


@pytest.mark.parametrize("seeds", [0, -1, [], [1, 1], [-1], ["a"], "12", 1.5, True, None, [2**32]])
def test_anything_else_is_refused(seeds: object) -> None:
    with pytest.raises(GraphKDError, match="seeds is"):
        parse_seeds(seeds)


def test_a_stage_draws_the_same_whatever_went_before_and_leaves_the_caller_s_state() -> None:
    cpu = torch.device("cpu")
    state = torch.get_rng_state()
    with seeded(1, "teacher", cpu):
        first = torch.rand(3)
    assert torch.equal(torch.get_rng_state(), state)
    torch.rand(100)
    with seeded(1, "teacher", cpu):
        assert torch.equal(torch.rand(3), first)
    for other in ((2, "teacher"), (1, "student")):
        with seeded(*other, cpu):
            assert not torch.equal(torch.rand(3), first)
