from dataclasses import replace

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from graphkd.methods import CoHOp, smoothing
from graphkd.methods.smoothing import VALIDATION, smoothed
from graphkd.teachers import TeacherOutput
from tests.methods import literal as formulas
from tests.methods.twins import graph_of
from tests.strategies import edge_lists, seeded


@settings(max_examples=15)
@given(edges=edge_lists(6), seed=st.integers(0, 999), truth=st.lists(st.integers(0, 3), min_size=6, max_size=6))
def test_smoothing_equals_loops_and_its_share_is_chosen_on_validation_nodes(
    edges: torch.Tensor, seed: int, truth: list[int]
) -> None:
    graph = graph_of(edges, 6, torch.ones(6, 1, dtype=torch.float64))
    targets = CoHOp().prepare(graph, TeacherOutput(torch.zeros(6, 4)))
    assert graph.val.tolist() == [3]
    assert targets.tables[VALIDATION].tolist() == [False, False, False, True, False, False]
    chosen = torch.tensor([False, True, False, True, True, False])
    targets = replace(targets, labels=torch.tensor(truth), tables={**targets.tables, VALIDATION: chosen})
    p = torch.randn(6, 4, generator=seeded(seed), dtype=torch.float64).softmax(dim=1)
    expected = formulas.smoothed(p, edges, truth, [1, 3, 4], shares=8)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(smoothing, "SHARES", 8)
        torch.testing.assert_close(smoothed(p, targets), expected, rtol=1e-9, atol=1e-12)
