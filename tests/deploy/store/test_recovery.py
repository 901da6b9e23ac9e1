"""Journals that were damaged beside arrays that are whole: the last version or a refusal, never a mixture."""

import random
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from graphkd import GraphKDError
from graphkd.deploy import FeatureStore
from graphkd.deploy.store import disk, reading
from graphkd.deploy.store.journal import Record
from graphkd.deploy.store.recovery import check_journal, next_version, replayed_version
from tests.deploy.store.test_crash import OPERATIONS, build, contents, restored, state
from tests.deploy.store.test_journal import old

NAMES = ("insert_node", "insert_edges", "update_features", "delete_edges", "delete_node")


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(disk.os, "fsync", lambda handle: None)
    monkeypatch.setattr(reading, "PATIENCE", 0.0)


def killed(path: Path) -> tuple[dict[str, bytes], list[list]]:
    """The files of a store after five updates, as a killed writer leaves them; its versions."""
    build(path, directed=False)
    store = FeatureStore(path, write=True)
    versions = [state(store)]
    for name in NAMES:
        OPERATIONS[name](store)
        versions.append(state(store))
    return contents(path), versions


def damages(journal: bytes) -> Iterator[bytes]:
    draw = random.Random(0)
    for _ in range(60):
        at = draw.randrange(len(journal))
        yield journal[:at] + bytes([journal[at] ^ 1 << draw.randrange(8)]) + journal[at + 1 :]
    for _ in range(40):
        yield journal[: draw.randrange(len(journal))]
    for _ in range(10):
        a, b = sorted(draw.sample(range(len(journal)), 2))
        yield journal[:a] + journal[b:]
        yield journal[:a] + bytes(b - a) + journal[b:]


def test_a_damaged_journal_never_brings_an_older_version_back(tmp_path: Path) -> None:
    files, versions = killed(tmp_path / "s")
    refusals = []
    for number, journal in enumerate(damages(files["journal"])):
        copy = restored(tmp_path / "copy", {**files, "journal": journal})
        try:
            store = FeatureStore(copy, write=number % 2 == 0)
        except GraphKDError as error:
            refusals.append(str(error))
            assert contents(copy)["hops"] == files["hops"], "nothing is written over"
        else:
            assert state(store) == versions[-1]
            store.close()
    assert len(refusals) > 60
    assert all("damaged" in line and "\n" not in line for line in refusals)


def test_a_record_that_never_reached_the_arrays_is_forgotten(tmp_path: Path) -> None:
    """Killed, or without power, before the last update was applied; its record is torn."""
    first = tmp_path / "first"
    build(first, directed=False)
    before, store = contents(first), FeatureStore(first, write=True)
    OPERATIONS["insert_node"](store)
    middle, one = contents(first), state(store)
    OPERATIONS["insert_edges"](store)
    journal = contents(first)["journal"]
    for size in range(len(middle["journal"]), len(journal), 37):
        for files in (before, middle):
            copy = restored(tmp_path / "copy", {**files, "journal": journal[:size]})
            with FeatureStore(copy, write=True) as found:
                assert state(found) == one


@pytest.mark.parametrize("count", [2, 4, 6, 8, 10, 14, 16])
def test_the_journal_of_an_older_version_is_replayed(tmp_path: Path, count: int) -> None:
    files, versions = killed(tmp_path / "s")
    header = np.frombuffer(files["header"], "<i8").copy()
    for sequence in (count, count - 1):
        header[0] = sequence
        journal = old(files["journal"])
        copy = restored(tmp_path / "copy", {**files, "journal": journal, "header": header.tobytes()})
        with FeatureStore(copy, write=True) as store:
            assert state(store) == versions[-1]
            store.insert_node([1.0, 2.0])
            assert store._reader.arrays.header[0] % 8 == 0


RECORDS = [Record(0, 0, 1, sequence, b"") for sequence in (8, 16)]
OLD = [Record(0, 0, 1, None, b"")]


@pytest.mark.parametrize(
    ("sequence", "records", "fits", "version"),
    [
        (0, [], True, None),
        (6, [], True, None),
        (8, [], True, None),
        (1, [], False, None),
        (9, [], False, None),
        (3, [], False, None),
        (21, [], True, 16),
        (0, RECORDS, True, 16),
        (16, RECORDS, True, 16),
        (9, RECORDS, True, 16),
        (17, RECORDS, False, None),
        (18, RECORDS, False, None),
        (24, RECORDS, False, None),
        (19, RECORDS, True, 16),
        (21, RECORDS, True, 16),
        (27, RECORDS, False, None),
        (2**50, RECORDS, False, None),
        (6, OLD, True, 8),
        (7, OLD, True, 8),
        (9, OLD, True, 16),
    ],
)
def test_which_journals_fit_their_arrays(
    tmp_path: Path, sequence: int, records: list[Record], fits: bool, version: int | None
) -> None:
    if not fits:
        with pytest.raises(GraphKDError, match="its journal.*damaged: build it again"):
            check_journal(tmp_path, sequence, records)
        return
    check_journal(tmp_path, sequence, records)
    if version is not None:
        assert replayed_version(sequence, records) == version


def test_versions_count_in_eights() -> None:
    assert [next_version(each) for each in (0, 1, 2, 7, 8, 9, 2**40)] == [8, 8, 8, 8, 16, 16, 2**40 + 8]
