import torch

from graphkd.matching import Forward, MatchingTerm
from graphkd.methods import GLNN, Targets
from graphkd.methods.compile import node_targets
from graphkd.students import MLP
from graphkd.training.task import Distillation


def test_the_loss_is_the_method_s_plus_the_weighted_matching_term() -> None:
    torch.manual_seed(0)
    student = MLP(3, 4, 2, 2, dropout=0.0)
    targets = Targets(
        torch.randn(5, 3), torch.zeros(5).long(), torch.full((5,), 0.2), node_targets(torch.randn(5, 2), 1.0)
    )
    plain = Distillation(student, GLNN(), None, 0.0)(targets)
    matched = targets.with_hops([torch.randn(5, 4)])
    both = Distillation(student, GLNN(), MatchingTerm(Forward(), [4], [4]), 3.0)(matched)
    assert set(plain) == {"loss", "label", "soft"}
    assert set(both) == {"loss", "label", "soft", "method", "matching"}
    torch.testing.assert_close(both["method"], plain["loss"])
    torch.testing.assert_close(both["loss"], plain["loss"] + 3.0 * both["matching"])
