import os
import pickle
import pickletools
from collections import defaultdict
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import scipy.sparse
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from graphkd import GraphKDError
from graphkd.datasets.pickles import read_pickle


class Evil:
    def __reduce__(self):
        return os.system, ("touch pwned",)


def test_a_pickle_that_names_anything_else_is_not_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "evil").write_bytes(pickle.dumps(Evil()))
    with pytest.raises(GraphKDError, match=r"evil is not read: it names posix.system"):
        read_pickle(tmp_path / "evil")
    assert not (tmp_path / "pwned").exists()


def graph() -> defaultdict[int, list[int]]:
    found: defaultdict[int, list[int]] = defaultdict(list)
    for node in range(300):
        found[node] += [(node * 7) % 300, 70_000]
    return found


MATRIX = scipy.sparse.random(9, 5, density=0.4, format="csr", random_state=0, dtype=np.float32)
VALUES = {
    "int32": np.arange(12, dtype=np.int32).reshape(3, 4),
    "double, big-endian": np.arange(3.0).astype(">f8"),
    "by columns": np.asfortranarray(np.arange(6.0).reshape(2, 3)),
    "truth": np.array([True, False]),
    "matrix": MATRIX,
    "graph": graph(),
}


@pytest.mark.parametrize("protocol", [0, 1, 2, 3, 4])
@pytest.mark.parametrize("name", VALUES)
def test_what_planetoid_holds_is_read_in_every_protocol(name: str, protocol: int, tmp_path: Path) -> None:
    if protocol < 2 and name == "matrix":
        pytest.skip("copy_reg is not named by Planetoid")
    value = VALUES[name]
    (tmp_path / "a").write_bytes(pickle.dumps(value, protocol))
    found = read_pickle(tmp_path / "a")
    if isinstance(value, dict):
        assert found == dict(value)
    elif name == "matrix":
        assert (found != value).nnz == 0
    else:
        assert (found.dtype, found.shape) == (value.dtype, value.shape)
        np.testing.assert_array_equal(found, value)


def program(*parts: Any) -> bytes:
    """A pickle in instructions; texts are class names, tuples are pickled by themselves."""
    made = b"\x80\x02"
    for part in parts:
        if isinstance(part, bytes):
            made += part
        elif isinstance(part, str):
            made += b"c" + part.replace(" ", "\n").encode() + b"\n"
        else:
            made += pickle.dumps(part, 2)[2:-1]
    return made + b"."


DTYPE = ("numpy dtype", ("f8", 0, 1), b"R")
ARRAY = ("numpy.core.multiarray _reconstruct", "numpy ndarray", (0,), b"U\x01b\x87R")


def array(shape: Any, content: Any, dtype: tuple[Any, ...] = DTYPE) -> bytes:
    """An array with this state."""
    held = pickle.dumps(content, 3)[2:-1]  # as Python 3 writes bytes for itself
    return program(*ARRAY, b"(K\x01", shape, *dtype, b"\x89", held, b"tb")


def csr(data: Any, indices: Any, indptr: Any, shape: Any) -> bytes:
    """A matrix that scipy would not make."""
    matrix = scipy.sparse.csr_matrix((2, 2), dtype=np.float32)
    matrix.data, matrix.indices, matrix.indptr = map(np.asarray, (data, indices, indptr))
    matrix._shape = shape
    return pickle.dumps(matrix, 2)


GRAPH = ("collections defaultdict", "builtins list", b"\x85R")
COPY = b"c_codecs\nencode\nh\x01X\x06\x00\x00\x00latin1\x86R0"
ATTACKS: dict[str, bytes] = {
    "a dtype of objects": array((1,), b"x" * 8, ("numpy dtype", ("O8", 0, 1), b"R")),
    "a dtype with a state of fields": array(
        (1,), b"x" * 8, ("numpy dtype", ("V8", 0, 1), b"R", (3, "|", None, ("a",), {"a": 1}, 8, 1, 0), b"b")
    ),
    "a dtype of texts": array((1,), b"x" * 8, ("numpy dtype", ("U2", 0, 1), b"R")),
    "a dtype of dates": array((1,), b"x" * 8, ("numpy dtype", ("M8", 0, 1), b"R")),
    "a dtype of bytes": array((1,), b"x" * 8, ("numpy dtype", ("V8", 0, 1), b"R")),
    "a dtype of pairs": array((1,), b"x" * 16, ("numpy dtype", ("c16", 0, 1), b"R")),
    "a dtype of flags": array((1,), b"x" * 8, (*DTYPE, (3, "O", None, None, None, -1, -1, 63), b"b")),
    "a dtype that is a list": array((1,), b"x" * 8, ("numpy dtype", (["f8"], 0, 1), b"R")),
    "more shape than content": array((10**12,), b"x" * 8),
    "a negative shape": array((-1,), b"x" * 8),
    "many dimensions": array((1,) * 40, b"x" * 8),
    "a shape of texts": array(("a",), b"x" * 8),
    "content of numbers": array((1,), (1, 2, 3)),
    "no state": program(*ARRAY),
    "a class alone": program("numpy ndarray"),
    "a state of a class": program("numpy dtype", (1, 2), b"b"),
    "a key of tuples in tuples": program(
        "collections defaultdict", "builtins list", b"\x85RN" + b"\x85" * 200_000 + b"Ns"
    ),
    "a state of tuples in tuples": program("numpy dtype", b"N" + b"\x85" * 200_000 + b"R"),
    "neighbours of texts": program(*GRAPH, b"K\x01", (["a"],), b"s"),
    "a mapping that holds itself": program(*GRAPH, b"q\x01K\x01h\x01s"),
    "a hundred thousand copies": program(
        b"X\x40\x42\x0f\x00" + b"a" * 1_000_000 + b"q\x010",
        COPY * 1000,
    ),
    "an index outside": csr([1.0], [9], [0, 1, 1], (2, 2)),
    "a negative index": csr([1.0], [-9], [0, 1, 1], (2, 2)),
    "row starts that fall": csr([1.0, 1.0], [0, 1], [0, 5, 2], (2, 2)),
    "row starts behind the end": csr([1.0], [0], [0, 10**9, 10**9], (2, 2)),
    "another shape": csr([1.0], [0], [0, 1, 1], (10**9, 2)),
    "an extension": b"\x80\x02\x82\x01.",
    "a persistent id": b"Pabc\n.",
    "an instance": b"(ios\nsystem\n.",
    "a set": b"\x80\x04\x8f.",
    "a frame without an end": b"\x80\x04\x95" + b"\xff" * 8 + b".",
    "bytes without an end": b"\x80\x03B\xff\xff\xff\x7fabc.",
    "a number of many digits": b"L" + b"9" * 100_000 + b"L\n.",
    "a list": pickle.dumps([1, 2, 3]),
    "cut": pickle.dumps(graph(), 2)[:-40],
    "nothing": b"",
}


def test_what_is_made_by_hand_is_read_where_it_is_right(tmp_path: Path) -> None:
    """Else what is wrong in the attacks would be refused for another reason."""
    for content, expected in (
        (array((1, 2), np.array([1.5, -2.0]).tobytes()), [[1.5, -2.0]]),
        (program(*GRAPH, b"K\x01", [3], b"s"), {1: [3]}),
        (csr(np.float32([1]), np.int32([0]), np.int32([0, 1, 1]), (2, 2)), [[1, 0], [0, 0]]),
    ):
        (tmp_path / "a").write_bytes(content)
        found = read_pickle(tmp_path / "a")
        found = found.toarray() if scipy.sparse.issparse(found) else found
        assert (found.tolist() if isinstance(found, np.ndarray) else found) == expected


@pytest.mark.parametrize("attack", ATTACKS)
def test_what_only_looks_like_planetoid_is_one_line(attack: str, tmp_path: Path) -> None:
    (tmp_path / "bad").write_bytes(ATTACKS[attack])
    with pytest.raises(GraphKDError, match="bad is (damaged|not read)") as caught:
        read_pickle(tmp_path / "bad")
    assert len(str(caught.value).splitlines()) == 1


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    name=st.sampled_from(["matrix", "int32", "graph"]),
    flips=st.lists(st.tuples(st.integers(0, 10**6), st.integers(0, 255)), min_size=1, max_size=4),
)
def test_flipped_bytes_are_one_line_or_values_of_the_same_kind(
    name: str, flips: list[tuple[int, int]], tmp_path: Path
) -> None:
    content = bytearray(pickle.dumps(VALUES[name], 2))
    for place, value in flips:
        content[place % len(content)] = value
    (tmp_path / "bad").write_bytes(bytes(content))
    with suppress(GraphKDError):
        assert isinstance(read_pickle(tmp_path / "bad"), np.ndarray | scipy.sparse.csr_matrix | dict)


def test_the_machine_knows_no_more_than_the_files_need() -> None:
    names = {opcode.name for opcode in pickletools.opcodes}
    from graphkd.datasets import pickles

    known = set(pickles._OPCODES.split())
    assert known <= names | {"TUPLE", "LIST"}
    assert not known & {"INST", "OBJ", "EXT1", "EXT2", "EXT4", "PERSID", "BINPERSID", "NEWOBJ_EX", "FROZENSET"}
