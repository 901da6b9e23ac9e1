import pytest
import torch

from graphkd import GraphKDError
from graphkd.students import MLP, Progressive
from graphkd.students.ensemble import extra_arguments
from tests.methods.literal import sequence_row
from tests.sparse.test_matrix import sparse
from tests.strategies import seeded

X = torch.randn(12, 5, generator=seeded(0), dtype=torch.float64)


def drawn(num_members: int = 3, num_layers: int = 3, threshold: float = 1.0, norm: str = "none") -> Progressive:
    """A sequence in float64 whose members are sure of some rows and not of others."""
    torch.manual_seed(num_members)
    sizes = {"num_features": 5, "hidden_dim": 4, "num_classes": 3, "num_layers": num_layers}
    student = Progressive(**sizes, dropout=0.0, norm=norm, num_members=num_members, threshold=threshold).double()
    for parameter in student.parameters():
        parameter.data = 0.8 * torch.randn(parameter.shape, dtype=torch.float64)
    return student.eval()


@pytest.mark.parametrize("threshold", [0.3, 0.5, 0.8, 1.0])
@pytest.mark.parametrize(("num_members", "num_layers"), [(1, 2), (2, 3), (4, 2)])
def test_each_row_is_what_a_loop_over_members_says(num_members: int, num_layers: int, threshold: float) -> None:
    student = drawn(num_members, num_layers, threshold)
    output = student(X)
    rows = [sequence_row(student, row, threshold) for row in X]
    torch.testing.assert_close(output.logits.exp(), torch.stack([p for p, _, _ in rows]), rtol=1e-10, atol=1e-12)
    torch.testing.assert_close(output.hidden[-1], torch.stack([h for _, h, _ in rows]), rtol=1e-10, atol=1e-12)
    if 0.3 < threshold < 1 and num_members == 4:
        assert len({stop for _, _, stop in rows}) > 1


def test_what_a_threshold_spares_is_not_computed() -> None:
    student, seen = drawn(3, threshold=0.6), list[int]()
    for member in student.members:
        member.register_forward_hook(lambda *given: seen.append(given[2].logits.shape[0]))
    student(X)
    stops = [sequence_row(student, row, 0.6)[2] for row in X]
    assert seen == [12, sum(stop > 0 for stop in stops), sum(stop > 1 for stop in stops)]
    assert 0 < seen[2] < seen[1] < 12


def test_rows_never_stop_while_it_is_trained() -> None:
    student = drawn(3, threshold=0.3).train()
    assert len(student(X).members) == 3


@pytest.mark.parametrize("threshold", [0.4, 0.7])
def test_inputs_without_a_subset_of_rows_stop_alike(threshold: float) -> None:
    student = drawn(4, threshold=threshold)
    one, other = student(X), student._stopped(student._all(X))
    torch.testing.assert_close(one.logits, other.logits)
    torch.testing.assert_close(one.hidden, other.hidden)


def test_sparse_rows_stop_alike() -> None:
    student = drawn(3, threshold=0.6).float()
    torch.testing.assert_close(student(sparse(X.float())).logits, student(X.float()).logits)


def test_a_stage_trains_its_own_member_and_the_ones_before_are_as_they_are_served() -> None:
    student = drawn(3, norm="batch").train()
    student.train_stage(1)
    before = {name: tensor.clone() for name, tensor in student.members[0].state_dict().items()}
    student(X).members[-1].logits.square().sum().backward()
    learned = {name.rpartition(".layers")[0] for name, each in student.named_parameters() if each.grad is not None}
    assert learned - {""} == {"members.1"}
    assert student.carries[0].weight.grad is not None
    assert student.carries[1].weight.grad is None
    assert all(torch.equal(tensor, before[name]) for name, tensor in student.members[0].state_dict().items())
    assert len(student(X).members) == 2


def test_its_arguments_build_it_again() -> None:
    student = drawn(3, threshold=0.7)
    sizes = {"num_features": 5, "hidden_dim": 4, "num_classes": 3, "num_layers": 3, "dropout": 0.0}
    assert extra_arguments(student) == {"num_members": 3, "threshold": 0.7}
    again = Progressive(**sizes, **extra_arguments(student)).double().eval()
    again.load_state_dict(student.state_dict())
    assert torch.equal(again(X).logits, student(X).logits)


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({"num_members": 0}, "student.num_members is 0"),
        ({"num_members": 65}, "student.num_members is 65"),
        ({"threshold": 0.0}, "student.threshold is 0.0: it must be a number above 0, 1 at most"),
        ({"threshold": 1.1}, "student.threshold is 1.1"),
        ({"threshold": float("nan")}, "student.threshold is nan"),
        ({"num_layers": 1}, "set student.num_layers to 2 or more"),
    ],
)
def test_bad_settings_are_refused(keys: dict, message: str) -> None:
    with pytest.raises(GraphKDError, match=message):
        Progressive(5, **keys)


def test_members_of_one_layer_are_refused() -> None:
    with pytest.raises(GraphKDError, match="set student.num_layers to 2 or more"):
        Progressive.of(lambda: MLP(5, num_layers=1), 2)
