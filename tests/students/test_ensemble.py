import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from graphkd import GraphKDError
from graphkd.students import MLP
from graphkd.students.ensemble import Ensemble, extra_arguments
from tests.methods.literal import ensemble_probabilities
from tests.sparse.test_matrix import sparse
from tests.strategies import seeded


def drawn(num_members: int, num_layers: int = 3, shares: list[float] | None = None) -> Ensemble:
    """An ensemble in float64, with these weights of its members."""
    torch.manual_seed(num_members)
    ensemble = Ensemble(5, 4, 3, num_layers, dropout=0.0, num_members=num_members).double()
    if shares is not None:
        ensemble.alpha.copy_(torch.tensor(shares, dtype=torch.float64) / sum(shares))
    return ensemble


X = torch.randn(7, 5, generator=seeded(0), dtype=torch.float64)


@given(shares=st.lists(st.floats(1e-16, 10.0), min_size=1, max_size=4))
def test_the_softmax_of_its_logits_is_the_mixture(shares: list[float]) -> None:
    ensemble = drawn(len(shares), shares=shares)
    output = ensemble(X)
    expected = ensemble_probabilities([member.logits for member in output.members], shares)
    torch.testing.assert_close(output.logits.exp(), expected, rtol=1e-10, atol=1e-12)
    torch.testing.assert_close(torch.softmax(output.logits, dim=1), expected, rtol=1e-10, atol=1e-12)


def test_a_new_one_weights_its_members_equally() -> None:
    for ensemble in (drawn(3), Ensemble.of(lambda: MLP(5, 4, 3), 3)):
        torch.testing.assert_close(ensemble.alpha, torch.full((3,), 1 / 3, dtype=ensemble.alpha.dtype))


@pytest.mark.parametrize("num_layers", [1, 2, 4])
def test_hidden_layers_are_those_of_the_members_side_by_side(num_layers: int) -> None:
    ensemble = drawn(2, num_layers)
    output = ensemble(X)
    assert len(output.hidden) == num_layers - 1
    for layer, whole in enumerate(output.hidden):
        parts = [member(X).hidden[layer] for member in ensemble.members]
        assert torch.equal(whole, torch.cat(parts, dim=1))
    for member, own in zip(ensemble.members, output.members, strict=True):
        assert torch.equal(member(X).logits, own.logits)


def test_selected_rows_are_those_of_all_members() -> None:
    output, index = drawn(2)(X), torch.tensor([4, 0])
    part = output.select(index)
    for whole, own in ((output, part), *zip(output.members, part.members, strict=True)):
        assert torch.equal(own.logits, whole.logits[index])
        assert all(torch.equal(one, two[index]) for one, two in zip(own.hidden, whole.hidden, strict=True))


def test_a_member_that_counts_for_nothing_is_left_out() -> None:
    ensemble = drawn(2, shares=[0.0, 1.0])
    torch.testing.assert_close(ensemble(X).logits, torch.log_softmax(ensemble.members[1](X).logits, dim=1))


def test_sparse_rows_are_taken_as_well() -> None:
    ensemble = drawn(2).float()
    torch.testing.assert_close(ensemble(sparse(X.float())).logits, ensemble(X.float()).logits)


def test_members_start_from_different_weights() -> None:
    one, two = drawn(2).members
    assert not torch.equal(one.layers[0].weight, two.layers[0].weight)


def test_weights_of_members_are_saved_with_it_and_its_arguments_build_it_again() -> None:
    ensemble = drawn(3, shares=[0.2, 0.5, 0.3])
    sizes = {"num_features": 5, "hidden_dim": 4, "num_classes": 3, "num_layers": 3, "dropout": 0.0}
    again = Ensemble(**sizes, **extra_arguments(ensemble)).double()
    again.load_state_dict(ensemble.state_dict())
    assert torch.equal(again(X).logits, ensemble(X).logits)
    assert extra_arguments(MLP(5, 4, 3)) == {}


@pytest.mark.parametrize("num_members", [0, -1, 1.5, True])
def test_a_number_of_members_that_is_no_count_is_refused(num_members: object) -> None:
    with pytest.raises(GraphKDError, match=f"student.num_members is {num_members}"):
        Ensemble(5, num_members=num_members)
