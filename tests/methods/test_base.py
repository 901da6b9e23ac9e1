import pytest
import torch

from graphkd.methods import Method
from graphkd.teachers import TeacherOutput
from tests.methods.twins import graph_of


def test_a_method_that_compiles_nothing_says_so() -> None:
    with pytest.raises(NotImplementedError):
        Method(lam=0.0, tau=1.0).prepare(graph_of(torch.zeros(2, 0).long(), 6), TeacherOutput(torch.zeros(6, 4)))
