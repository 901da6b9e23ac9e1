import functools

import pytest
import torch

from graphkd import GraphKDError
from graphkd.influence import infgrand, uniform
from graphkd.matching import Forward, Random, Reverse
from graphkd.methods import InfGraND
from graphkd.spec import resolve, settings_of
from graphkd.students import MLP
from graphkd.teachers import SAGE


def test_names_and_objects_resolve_to_the_same() -> None:
    by_name = resolve("sage", "mlp", "infgrand", "reverse")
    by_object = resolve(SAGE, MLP, InfGraND(), Reverse())
    assert by_name.config() == by_object.config()
    assert by_name.names == {
        "setting": "transductive", "teacher": "sage", "student": "mlp", "method": "infgrand",
        "variant": "paper", "matching": "reverse", "influence": "infgrand",
    }  # fmt: skip


def test_the_influence_follows_the_method_and_its_variant() -> None:
    assert resolve(method="glnn").influence is None
    assert settings_of(resolve(method=InfGraND("reference")).influence)["variant"] == "reference"
    assert resolve(method="infgrand", influence="uniform").influence is uniform
    assert resolve(method="infgrand", influence="none").influence is None
    assert resolve(method="infgrand", influence=infgrand).names["influence"] == "infgrand"


def test_what_would_have_no_effect_is_refused() -> None:
    with pytest.raises(GraphKDError, match="method=glnn weights no nodes, so influence=uniform"):
        resolve(method="glnn", influence="uniform")
    with pytest.raises(GraphKDError, match="unknown setting 'inductiv'"):
        resolve(setting="inductiv")


@pytest.mark.parametrize("own", [0, 1, 5, 2**31 - 1])
@pytest.mark.parametrize("seed", [0, 1, 2, 2**32 - 1])
def test_the_run_s_seed_is_added_to_that_of_a_matching(own: int, seed: int) -> None:
    spec = resolve(matching=Random(seed=own))
    (term,) = spec.terms(seed)
    assert term.matching.seed == (own + seed) % 2**32
    assert term.matching.pairs(5, 5) == Random().with_seed((own + seed) % 2**32).pairs(5, 5)
    assert spec.matching.seed == own
    assert len({str(spec.terms(each)[0].matching.pairs(5, 5)) for each in range(10)}) > 5


def test_rehearsal_finds_what_does_not_fit_without_touching_the_random_state() -> None:
    state = torch.get_rng_state()
    resolve(matching="forward").dry_run(5, 3)
    narrow = resolve(student=functools.partial(MLP, hidden_dim=4), matching=Forward(projection="none"))
    with pytest.raises(GraphKDError, match="a student layer has width 4, the teacher's 128"):
        narrow.dry_run(5, 3)
    with pytest.raises(GraphKDError, match="the student has none"):
        resolve(student=functools.partial(MLP, num_layers=1), matching="forward").dry_run(5, 3)
    assert torch.equal(torch.get_rng_state(), state)
