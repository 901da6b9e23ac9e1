"""An approximate index finds most of what the exact search finds, with the exact scores."""

import pytest
import torch

from graphkd.datasets import Preprocessing
from graphkd.errors import GraphKDError
from graphkd.links import ApproximateIndex, LinkPredictor, LinkStudent

pytest.importorskip("faiss")


def predictor(decoder: str, nodes: int = 2000) -> LinkPredictor:
    torch.manual_seed(0)
    student = LinkStudent(8, hidden_dim=16, embedding_dim=8, decoder=decoder)
    with torch.no_grad():
        for parameter in student.decoder.parameters():
            parameter.add_(0.3 * torch.randn_like(parameter))
    return LinkPredictor.of(student, Preprocessing(), torch.randn(nodes, 8))


@pytest.mark.parametrize("decoder", ["dot", "bilinear"])
def test_it_finds_what_the_exact_search_finds(decoder: str) -> None:
    model = predictor(decoder)
    index = ApproximateIndex(model, effort=400)
    hits = 0
    for node in range(0, 2000, 50):
        scores, nodes = index.top_k(node, 10, exclude=[1, 2])
        exact = model.top_k(node, 10, exclude=[1, 2])[1]
        torch.testing.assert_close(scores, model.score([[node, int(other)] for other in nodes]))
        assert not set(nodes.tolist()) & {1, 2, node}
        assert scores.tolist() == sorted(scores.tolist(), reverse=True)
        hits += len(set(nodes.tolist()) & set(exact.tolist()))
    assert hits >= 0.95 * 400


def test_a_raw_row_is_a_query() -> None:
    model = predictor("dot")
    row = torch.randn(8)
    found = ApproximateIndex(model, effort=400).top_k(row, 1)[1]
    assert int(found) == int(model.top_k(row, 1)[1])


def test_more_is_asked_for_than_there_is() -> None:
    model = predictor("dot", nodes=6)
    nodes = ApproximateIndex(model).top_k(0, 3, exclude=[1, 2])[1]
    assert set(nodes.tolist()) == {3, 4, 5}
    with pytest.raises(GraphKDError, match=r"links\.k is 4"):
        ApproximateIndex(model).top_k(0, 4, exclude=[1, 2])


WRONG = {
    "decoder": (lambda: ApproximateIndex(predictor("hadamard", 5)), "an index needs the decoder dot or bilinear"),
    "links": (lambda: ApproximateIndex(predictor("dot", 5), links=0), r"index\.links is 0"),
    "effort": (lambda: ApproximateIndex(predictor("dot", 5), effort=0.5), r"index\.effort is 0\.5"),
    "node": (lambda: ApproximateIndex(predictor("dot", 5)).top_k(5, 1), "names nodes 5 to 5"),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_cannot_be_searched_is_one_line(case: str) -> None:
    call, message = WRONG[case]
    with pytest.raises(GraphKDError, match=message):
        call()
