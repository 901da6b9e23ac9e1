import torch

from graphkd.evaluation import accuracy, macro_f1


def test_by_hand() -> None:
    logits = torch.tensor([[2.0, 1.0], [0.0, 1.0], [3.0, 0.0], [1.0, 0.0]])
    y = torch.tensor([0, 1, 0, 1])
    assert accuracy(logits, y) == 0.75
    assert abs(macro_f1(logits, y) - (0.8 + 2 / 3) / 2) < 1e-12
