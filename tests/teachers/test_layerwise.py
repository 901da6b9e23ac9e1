from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from graphkd.outofcore import TableStore
from graphkd.sparse import Adjacency
from graphkd.teachers import GCN, Teacher
from graphkd.teachers import layerwise as module
from graphkd.teachers.layerwise import layerwise, pieces
from tests.sparse.test_block import graphs
from tests.sparse.test_matrix import sparse
from tests.strategies import tables
from tests.teachers.test_blocks import networks


@settings(max_examples=60)
@given(adj=graphs(8), x=tables(8, 4), model=networks(), bag=st.booleans(), size=st.sampled_from([1, 300, 2**20]))
def test_hop_by_hop_it_says_what_it_says_at_once(
    adj: Adjacency, x: Tensor, model: Teacher, bag: bool, size: int
) -> None:
    features = sparse(x) if bag else x
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "PIECE_BYTES", size)
        out = layerwise(model, features, adj)
    torch.testing.assert_close(out.hops, model(features, adj).hops)
    assert out.hops[-1] is out.logits


@given(adj=graphs(8), start=st.integers(0, 7), length=st.integers(1, 8), entries=st.integers(0, 30))
def test_pieces_are_the_nodes_in_order_and_hold_what_they_may(
    adj: Adjacency, start: int, length: int, entries: int
) -> None:
    rows = slice(start, min(start + length, 8))
    found = list(pieces(adj, rows, entries))
    assert [node for part, _ in found for node in range(part.start, part.stop)] == list(range(8))[rows]
    sizes = adj.matrix.rowptr.diff() + 1
    for part, block in found:
        assert block.num_receivers == part.stop - part.start
        load = block.matrix.nnz + block.num_receivers
        assert block.num_receivers == 1 or load <= entries
        assert part.stop == rows.stop or load + sizes[part.stop] > entries  # no more would have fitted


@pytest.mark.parametrize("hops", ["after_activation", "before_activation"])
def test_tables_in_files_hold_the_same_and_are_found_again(
    hops: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    torch.manual_seed(0)
    adj, x = Adjacency(torch.randint(50, (2, 150)), 50), torch.randn(50, 4)
    model = GCN(4, 6, 3, 3, initial_residual=0.1, hops=hops).eval()
    with TableStore(tmp_path, budget=2000):
        out = layerwise(model, x, adj)
    torch.testing.assert_close(out.hops, model(x, adj).hops)
    names = {"teacher-hop1", "teacher-hop2", "teacher-logits"}
    assert {file.name for file in tmp_path.iterdir() if file.suffix != ".json"} == names
    made: list[slice] = []
    real = module.pieces

    def spy(adj: Adjacency, rows: slice, entries: int):
        made.append(rows)
        return real(adj, rows, entries)

    monkeypatch.setattr(module, "pieces", spy)
    with TableStore(tmp_path, budget=2000):
        again = layerwise(model, x, adj)
    assert made == [slice(0, 1)] * 3  # the widths
    assert all(torch.equal(one, other) for one, other in zip(out.hops, again.hops, strict=True))
