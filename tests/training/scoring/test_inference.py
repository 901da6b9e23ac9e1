import pytest
import torch

from graphkd.datasets import Graph
from graphkd.sparse import Factored
from graphkd.students import MLP
from graphkd.training.scoring import inference
from graphkd.training.scoring.inference import Inference
from tests.conftest import make_data
from tests.sparse.test_matrix import sparse


@pytest.fixture
def student() -> MLP:
    torch.manual_seed(0)
    return MLP(8, 6, 3).eval()


@pytest.mark.parametrize("most", [1, 7, 60])
def test_in_blocks_as_at_once(most: int, student: MLP, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inference, "BLOCK_ROWS", most)
    x, nodes = torch.randn(60, 8), torch.randperm(60)[:40]
    whole = student(x).logits[nodes].detach()
    for inputs in (x, sparse(x)):
        found = Inference(student, inputs, nodes)()
        assert not found.requires_grad
        torch.testing.assert_close(found, whole)
    half = x.bfloat16()
    torch.testing.assert_close(Inference(student, half, nodes)(), student(half.float()).logits[nodes].detach())
    assert Inference(student, x, nodes[:0])().shape == (0, 3)


@pytest.mark.parametrize("count", [2, 30])
def test_factored_inputs_are_answered_whether_few_are_asked_for_or_many(count: int, student: MLP) -> None:
    graph = Graph.from_data(make_data())
    factored = Factored(sparse(graph.x), graph.adj.normalize("symmetric", 1, graph.x.dtype), 2)
    nodes = torch.randperm(60)[:count]
    expected = student(factored).logits[nodes].detach()
    torch.testing.assert_close(Inference(student, factored, nodes)(), expected)


@pytest.mark.parametrize("most", [5, 60])
def test_the_student_answers_as_it_is_now(most: int, student: MLP, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inference, "BLOCK_ROWS", most)
    asked = Inference(student, torch.randn(60, 8), torch.arange(20))
    before = asked()
    with torch.no_grad():
        student.layers[-1].bias += 1
    torch.testing.assert_close(asked(), before + 1)
