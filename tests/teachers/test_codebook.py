import pytest
import torch
from torch import Tensor

from graphkd.teachers import codebook
from graphkd.teachers.codebook import Codebook, nearest
from tests.strategies import seeded


def rows(count: int = 9, width: int = 4, seed: int = 0) -> Tensor:
    return torch.randn(count, width, generator=seeded(seed), dtype=torch.float64)


def made(
    codes: int = 5, width: int = 4, decay: float = 0.8, reseed: float = 0.0, kmeans: bool = False
) -> Codebook:
    torch.manual_seed(0)
    return Codebook(codes, width, decay, reseed, kmeans).double()


def cosine(one: Tensor, other: Tensor) -> float:
    return float(one @ other) / float(one.norm() * other.norm())


def step(h: Tensor, codes: Tensor, decay: float) -> tuple[list[int], Tensor]:
    """Code numbers of the rows, and the codes after a step, row by row."""
    numbers = []
    for row in h:
        similarities = [cosine(row, code) for code in codes]
        numbers.append(similarities.index(max(similarities)))
    after = codes.clone()
    for m in range(codes.shape[0]):
        own = [row / row.norm() for row, number in zip(h, numbers, strict=True) if number == m]
        if own:
            total = sum(own)
            moved = decay * codes[m] + (1 - decay) * total / total.norm()
            after[m] = moved / moved.norm()
    return numbers, after


@pytest.mark.parametrize("decay", [0.0, 0.8])
def test_a_step_quantises_by_cosine_and_then_moves_the_codes(decay: float) -> None:
    book = made(decay=decay)
    for seed in range(3):
        h, before = rows(seed=seed), book.codes.clone()
        numbers, after = step(h, before, decay)
        quantised, index = book(h)
        assert index.tolist() == numbers
        assert torch.equal(quantised, before[index])
        torch.testing.assert_close(book.codes, after, rtol=1e-10, atol=1e-12)
    assert len(set(numbers)) < 5 or decay == 0.0, "a code without rows is among those compared"


def test_it_stays_as_it_is_in_evaluation_mode() -> None:
    book = made(reseed=5.0).eval()
    before = {name: tensor.clone() for name, tensor in book.state_dict().items()}
    book(rows())
    assert all(torch.equal(tensor, before[name]) for name, tensor in book.state_dict().items())


def test_blocks_of_rows_find_the_same_codes(monkeypatch: pytest.MonkeyPatch) -> None:
    h, book = torch.nn.functional.normalize(rows(50), dim=1), made(7)
    whole = nearest(h, book.codes)
    monkeypatch.setattr(codebook, "SIMILARITIES", 20)
    assert torch.equal(nearest(h, book.codes), whole)


def test_a_code_with_few_rows_becomes_a_row() -> None:
    """All rows are alike: one code has them all, and every other one is replaced by their direction."""
    h = rows(1).repeat(8, 1)
    book = made(decay=0.5, reseed=2.0)
    taken = int(book(h)[1][0])
    direction = h[0] / h[0].norm()
    for m, code in enumerate(book.codes):
        assert (cosine(code, direction) > 1 - 1e-12) == (m != taken)
    torch.testing.assert_close(book.sizes, torch.tensor([4.0 if m == taken else 2.0 for m in range(5)]).double())


def test_without_reseeding_a_code_without_rows_stays() -> None:
    book = made()
    before = book.codes.clone()
    taken = set(book(rows(2))[1].tolist())
    assert all(torch.equal(book.codes[m], before[m]) == (m not in taken) for m in range(5))


def test_k_means_starts_codes_at_clusters_once() -> None:
    centres = torch.eye(4, dtype=torch.float64)
    h = torch.cat([centre + 0.01 * rows(10, seed=m) for m, centre in enumerate(centres)])
    torch.manual_seed(3)
    book = Codebook(40, 4, 0.8, 0.0, True).double()
    quantised, index = book(h)
    assert min(cosine(row, code) for row, code in zip(h, quantised, strict=True)) > 0.999
    assert bool(book.started)
    assert index.unique().numel() >= 4
    before = book.codes.clone()
    book(-h)
    assert float((book.codes - before).norm(dim=1).min()) == 0.0, "it starts once: unused codes stay"
