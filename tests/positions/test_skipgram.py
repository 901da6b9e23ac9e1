from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from graphkd.positions.skipgram import SkipGram


def slopes(
    walk: list[int], noise: list[int], vectors: Tensor, contexts: Tensor, window: int, pairs: int
) -> Tensor:
    """Minus the derivative of a walk's loss by each product of a position with another or a sample, [L, L + S]."""
    found = torch.zeros(len(walk), len(walk) + len(noise), dtype=torch.float64)
    for i, centre in enumerate(walk):
        near = [j for j in range(len(walk)) if 1 <= abs(i - j) <= window]
        share = {j: (window - abs(i - j) + 1) / window for j in near}
        for j in near:
            product = sum((vectors[centre] * contexts[walk[j]]).tolist())
            found[i, j] = share[j] * (1.0 - 1.0 / (1.0 + math.exp(-product)))
        for s, other in enumerate(noise):
            product = sum((vectors[centre] * contexts[other]).tolist())
            found[i, len(walk) + s] = -pairs / len(noise) * sum(share.values()) / (1.0 + math.exp(-product))
    return found


def literal(
    vectors: Tensor, contexts: Tensor, walks: Tensor, negatives: Tensor, window: int, pairs: int, lr: float
) -> tuple[Tensor, Tensor]:
    """One step by the docstring's formula, in loops: gradients of every position, then the mean of each row."""
    moves: list[dict[int, list[Tensor]]] = [{}, {}]
    for walk, noise in zip(walks.tolist(), negatives.tolist(), strict=True):
        slope, both = slopes(walk, noise, vectors, contexts, window, pairs), walk + noise
        for i, centre in enumerate(walk):
            move = sum(slope[i, j] * contexts[other] for j, other in enumerate(both))
            moves[0].setdefault(centre, []).append(move)
        for j, other in enumerate(both):
            move = sum(slope[i, j] * vectors[centre] for i, centre in enumerate(walk))
            moves[1].setdefault(other, []).append(move)
    tables = [vectors.clone(), contexts.clone()]
    for table, mine in zip(tables, moves, strict=True):
        for node, parts in mine.items():
            table[node] += lr * sum(parts) / len(parts)
    return tables[0], tables[1]


@pytest.mark.parametrize("window", [1, 3, 20])
@pytest.mark.parametrize("negatives", [1, 5])
def test_a_step_is_the_mean_of_hand_written_gradients(window: int, negatives: int) -> None:
    generator = torch.Generator().manual_seed(0)
    vectors, contexts = torch.randn(2, 9, 4, generator=generator, dtype=torch.float64)
    walks = torch.randint(8, (3, 7), generator=generator)  # rows recur, and row 8 does not occur
    noise = torch.randint(8, (3, 4 * negatives), generator=generator)
    expected = literal(vectors, contexts, walks, noise, window, negatives, lr=0.1)
    model = SkipGram(vectors.clone(), contexts.clone(), 7, window, negatives)
    assert model.shared == 4 * negatives
    model.step(walks, noise, lr=0.1)
    torch.testing.assert_close(model.vectors, expected[0])
    torch.testing.assert_close(model.contexts, expected[1])
    assert torch.equal(model.vectors[8], vectors[8])
    model.step(walks, noise, lr=0.1)  # the counts of the first step are gone
    again = literal(*expected, walks, noise, window, negatives, lr=0.1)
    torch.testing.assert_close(model.vectors, again[0])


def test_the_gradient_is_that_of_the_loss_where_no_row_recurs() -> None:
    generator = torch.Generator().manual_seed(1)
    vectors, contexts = torch.randn(2, 30, 4, generator=generator, dtype=torch.float64)
    order = torch.randperm(30, generator=generator)
    walks, noise = order[:6].view(1, 6), order[6:18].view(1, 12)
    x, y = vectors.clone().requires_grad_(), contexts.clone().requires_grad_()
    loss = x.new_zeros(())
    for i in range(6):
        near = [j for j in range(6) if 1 <= abs(i - j) <= 2]
        share = {j: (2 - abs(i - j) + 1) / 2 for j in near}
        loss = loss - sum(share[j] * (x[walks[0, i]] @ y[walks[0, j]]).sigmoid().log() for j in near)
        noise_loss = sum((-(x[walks[0, i]] @ y[n])).sigmoid().log() for n in noise[0])
        loss = loss - 3 / 12 * sum(share.values()) * noise_loss
    loss.backward()
    model = SkipGram(vectors.clone(), contexts.clone(), 6, 2, 3)
    model.step(walks, noise, lr=0.5)
    torch.testing.assert_close(model.vectors, vectors - 0.5 * x.grad)
    torch.testing.assert_close(model.contexts, contexts - 0.5 * y.grad)
