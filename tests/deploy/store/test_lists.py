import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from graphkd.deploy.store.layout import INDEX
from graphkd.deploy.store.lists import Edits, Lists, checksum, packed

SIZE = 5
PAIRS = st.lists(st.tuples(st.integers(0, SIZE), st.integers(0, 9)), max_size=6, unique=True)


def lists(table: dict[int, dict[int, float]]) -> Lists:
    """On disk, with gaps; node ``SIZE`` is new and has no place there."""
    index, parts, start = np.zeros(SIZE, dtype=INDEX), [], 0
    for node in range(SIZE):
        entries = sorted(table.get(node, {}).items())
        room = len(entries) + node % 2
        index[node] = start, len(entries), room, 0, 0
        ids, weights = np.array([entry[0] for entry in entries], int), np.array([entry[1] for entry in entries])
        parts += [packed(ids, weights), packed(np.full(room - len(entries), 99), np.zeros(room - len(entries)))]
        start += room
    return Lists(index, np.concatenate(parts))


@given(PAIRS, st.lists(st.tuples(st.booleans(), PAIRS), max_size=4))
def test_edits_are_those_of_a_table(first: list, steps: list) -> None:
    table: dict[int, dict[int, float]] = {node: {} for node in range(SIZE + 1)}
    for node, other in first:
        if node < SIZE:
            table[node][other] = 1.0 + other
    edits = Edits(lists(table))
    before = {node: dict(row) for node, row in table.items()}
    for number, (adds, pairs) in enumerate(steps):
        owners, others = (np.array([pair[end] for pair in pairs], dtype=np.int64) for end in (0, 1))
        if adds:
            edits.put(owners, others, np.full(owners.size, 10.0 + number))
            for node, other in pairs:
                table[node][other] = 10.0 + number
        else:
            missing = edits.drop(owners, others)
            assert (missing is None) == all(other in table[node] for node, other in pairs)
            assert missing is None or missing[1] not in table[missing[0]]
            for node, other in pairs:
                table[node].pop(other, None)
    for node, row in table.items():
        ids, weights = edits.read(node)
        assert dict(zip(ids.tolist(), weights.tolist(), strict=True)) == row
        assert ids.tolist() == sorted(row)
    nodes = np.array([3, 0, 4])
    found = edits.gather(nodes)
    expected = [sorted(table[node].items()) for node in nodes.tolist()]
    assert found.counts.tolist() == [len(row) for row in expected]
    pairs = zip(found.ids.tolist(), found.weights.tolist(), strict=True)
    assert list(pairs) == [entry for row in expected for entry in row]
    for node, room in edits.rooms().items():
        place = 0 if node == SIZE else len(before[node]) + node % 2
        assert len(table[node]) > place
        assert room >= len(table[node])
    assert edits.most() >= sum(edits.rooms().values())


def test_where_the_last_list_ends() -> None:
    found = lists({0: {7: 1.0}, 3: {1: 1.0, 2: 1.0}})
    assert found.used() == 1 + 1 + 0 + 3 + 0
    assert found.gather(np.array([3])).starts().tolist() == [0]
    assert [part.tolist() for part in found.read(3)] == [[1, 2], [1.0, 1.0]]


def test_a_checksum_is_of_all_bytes() -> None:
    one, other = packed(np.array([1, 2]), np.ones(2)), packed(np.array([1, 2]), np.array([1.0, 1.0 + 1e-15]))
    assert checksum(one) != checksum(other)
    assert checksum(one[:0]) == 0
