"""Decoders are symmetric, and a search scores as a pair does."""

import pytest
import torch

from graphkd.errors import GraphKDError
from graphkd.links.decoders import DECODERS, make_decoder


def drawn(name: str):
    decoder = make_decoder(name, 6)
    for parameter in decoder.parameters():
        torch.nn.init.normal_(parameter, generator=torch.Generator().manual_seed(0))
    return decoder


@pytest.mark.parametrize("name", DECODERS)
def test_decoders_are_symmetric_and_broadcast(name: str) -> None:
    decoder = drawn(name)
    u, v = torch.randn(2, 5, 6, generator=torch.Generator().manual_seed(1))
    torch.testing.assert_close(decoder(u, v), decoder(v, u))
    assert decoder(u, v).shape == (5,)
    table = decoder(u.unsqueeze(1), v.unsqueeze(0))
    torch.testing.assert_close(table.diagonal(), decoder(u, v))
    torch.testing.assert_close(table[2], decoder(u[2], v))


@pytest.mark.parametrize("name", ["dot", "bilinear"])
def test_a_search_scores_as_a_pair_does(name: str) -> None:
    decoder = drawn(name)
    u, v = torch.randn(2, 5, 6, generator=torch.Generator().manual_seed(1))
    found = decoder.search(u[0])
    assert found is not None
    torch.testing.assert_close(v @ found[0] + found[1], decoder(u[0], v))


def test_literal_decoders() -> None:
    u, v = torch.tensor([1.0, -2.0]), torch.tensor([3.0, 0.5])
    dot = make_decoder("dot", 2)
    dot.bias.data = torch.tensor(-0.5)
    assert dot(u, v).item() == 1.5
    bilinear = make_decoder("bilinear", 2)
    bilinear.weight.data = torch.tensor([[1.0, 4.0], [0.0, 1.0]])
    assert bilinear(u, v).item() == sum(
        float(u[i]) * [[1.0, 2.0], [2.0, 1.0]][i][j] * float(v[j]) for i in range(2) for j in range(2)
    )
    assert make_decoder("hadamard", 2).search(u) is None


@pytest.mark.parametrize(
    ("name", "dim", "message"),
    [("cosine", 4, "links.decoder is 'cosine': choose dot or hadamard"), ("dot", 0, "decoder.dim is 0")],
)
def test_what_is_no_decoder_is_one_line(name: str, dim: int, message: str) -> None:
    with pytest.raises(GraphKDError, match=message):
        make_decoder(name, dim)
