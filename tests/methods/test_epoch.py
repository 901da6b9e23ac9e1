import itertools

import torch

from graphkd.methods import Epoch, Phase

CPU = torch.device("cpu")


def numbers(*purpose: str | int, number: int = 3, seed: int = 5, total: int = 10) -> tuple[float, ...]:
    """The first draws of an epoch's generator."""
    epoch = Epoch(number, total, seed, CPU, lambda: torch.zeros(1, 1))
    return tuple(torch.rand(4, generator=epoch.generator(*purpose)).tolist())


def test_what_is_drawn_depends_on_purpose_seed_and_epoch_and_on_nothing_else() -> None:
    first = numbers("edges")
    torch.rand(7)
    assert numbers("edges") == first
    assert numbers("edges", total=99) == first
    state = torch.get_rng_state()
    numbers("edges")
    assert torch.equal(torch.get_rng_state(), state)
    choices = itertools.product(["edges", "masks"], range(4), range(4))
    assert len({numbers(purpose, number=number, seed=seed) for purpose, number, seed in choices}) == 32


def test_one_epoch_has_as_many_streams_as_purposes() -> None:
    assert len({numbers("edges"), numbers("edges", 0), numbers("edges", 1), numbers("edges", "own")}) == 4


def test_a_generator_starts_anew_each_time_it_is_asked_for() -> None:
    epoch = Epoch(0, 1, 0, CPU, lambda: torch.zeros(1, 1))
    one, two = epoch.generator("edges"), epoch.generator("edges")
    assert torch.equal(torch.rand(3, generator=one), torch.rand(3, generator=two))


def test_seed_and_epoch_do_not_run_into_each_other() -> None:
    assert numbers("edges", seed=1, number=23) != numbers("edges", seed=12, number=3)


def test_a_phase_is_by_default_the_whole_training() -> None:
    phase = Phase()
    assert (phase.name, phase.step, phase.groups) == ("", "training_step", "param_groups")
    assert (phase.by_loss, phase.max_epochs) == (False, None)
