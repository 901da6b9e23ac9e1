"""An ensemble of teachers: the mean by hand, its members, and what cannot be one."""

from dataclasses import replace

import pytest
import torch

from graphkd import GraphKDError
from graphkd.spec import resolve
from graphkd.testing.graphs import small_graph
from graphkd.testing.methods import teacher_output
from graphkd.transforms import Ensemble, Fitted

GRAPH = small_graph(num_nodes=30)
TEACHER = teacher_output(GRAPH)


def test_it_is_the_mean_of_distributions_with_the_first_one_s_hops() -> None:
    torch.manual_seed(0)
    others = [replace(TEACHER, logits=torch.randn_like(TEACHER.logits)) for _ in range(2)]
    found, tau = Ensemble()(GRAPH, TEACHER, 1.4, Fitted(others=others)), 1.4
    soft = sum(torch.softmax(each.logits / tau, dim=1) for each in (TEACHER, *others)) / 3
    torch.testing.assert_close(torch.softmax(found.logits / tau, dim=1), soft)
    assert found.hops is TEACHER.hops


def test_equal_members_are_the_teacher() -> None:
    found = Ensemble()(GRAPH, TEACHER, 1.0, Fitted(others=[TEACHER] * 4))
    torch.testing.assert_close(torch.softmax(found.logits, dim=1), torch.softmax(TEACHER.logits, dim=1))


def test_networks_take_turns_and_every_seed_is_another() -> None:
    assert [name for name, _ in Ensemble(3).others("sage", 0)] == ["sage", "sage"]
    assert [name for name, _ in Ensemble(3, ["gcn", "sage"]).others("sage", 0)] == ["gcn", "sage"]
    assert [name for name, _ in Ensemble(4, ["gcn", "sage", "gat"]).others("gcn", 0)] == ["sage", "gat", "gcn"]
    seeds = [seed for run in range(5) for _, seed in Ensemble(4).others("gcn", run)]
    assert len({*seeds, *range(5)}) == len(seeds) + 5


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({"members": 1}, "transform.members is 1: it must be a whole number, 2 or more"),
        ({"teachers": ["gcn", "gcn"]}, "give different names of teachers, such as"),
        ({"teachers": "gcn"}, "give different names of teachers, such as"),
        ({"teachers": ["gcn", "sgae"]}, "unknown teacher 'sgae': did you mean 'sage'"),
        ({"members": 2, "teachers": ["gcn", "sage", "gat"]}, "transform.members is 2, fewer than the 3 networks"),
    ],
)
def test_mistakes(keys: dict, message: str) -> None:
    with pytest.raises(GraphKDError, match=message):
        Ensemble(**keys)


def test_the_run_s_own_teacher_must_be_a_member_and_must_not_be_given() -> None:
    with pytest.raises(GraphKDError, match="without teacher=gcn, which is always a member: add it, or choose"):
        resolve("gcn", transform=Ensemble(teachers=["sage", "gat"]))
    for given in (TEACHER.model, TEACHER.logits):
        with pytest.raises(GraphKDError, match="transform=ensemble trains further teachers like the run's own"):
            resolve(given, transform="ensemble")
