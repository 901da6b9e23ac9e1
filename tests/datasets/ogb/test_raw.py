"""Every way in which a folder can be broken: one line that names it."""

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from graphkd import GraphKDError
from graphkd.datasets.ogb import raw
from graphkd.system import Memory
from tests.datasets.ogb.graphs import load, place, read_lines, write_lines


def cut(file: str) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        content = (folder / file).read_bytes()
        (folder / file).write_bytes(content[: len(content) // 2])

    return change


def lines(file: str, edit: Callable[[list[str]], list[str]]) -> Callable[[Path], None]:
    return lambda folder: write_lines(folder / file, edit(read_lines(folder / file)))


CSV = {
    "a truncated file": (cut("raw/node-feat.csv.gz"), "node-feat.csv.gz is damaged or cut off"),
    "truncated edges": (cut("raw/edge.csv.gz"), "edge.csv.gz is damaged or cut off"),
    "truncated labels": (cut("raw/node-label.csv.gz"), "node-label.csv.gz cannot be read"),
    "a truncated split": (cut("split/time/test.csv.gz"), "test.csv.gz cannot be read"),
    "a missing split": (lambda folder: shutil.rmtree(folder / "split"), "incomplete, split/time/train.csv.gz is"),
    "a missing file": (lambda folder: (folder / "raw/edge.csv.gz").unlink(), "incomplete, raw/edge.csv.gz is"),
    "no release note": (
        lambda folder: (folder / "RELEASE_v1.txt").unlink(),
        "has no release note, so its download",
    ),
    "another release": (
        lambda folder: (folder / "RELEASE_v1.txt").rename(folder / "RELEASE_v2.txt"),
        r"is another release \(RELEASE_v2.txt\): fetch ogbn-arxiv again",
    ),
    "too few rows": (lines("raw/node-feat.csv.gz", lambda rows: rows[:-1]), "node-feat has 599 rows where 600"),
    "too few labels": (
        lines("raw/node-label.csv.gz", lambda rows: rows[:-1]),
        "node-label has 599 rows where 600",
    ),
    "too many labels": (
        lines("raw/node-label.csv.gz", lambda rows: [*rows, "1"]),
        "node-label has 601 rows where",
    ),
    "too few edges": (lines("raw/edge.csv.gz", lambda rows: rows[:-2]), "edge has 1998 rows where 2000"),
    "a label outside": (
        lines("raw/node-label.csv.gz", lambda rows: ["40", *rows[1:]]),
        "a label is 40, but ogbn-arx",
    ),
    "a negative label": (lines("raw/node-label.csv.gz", lambda rows: ["-1", *rows[1:]]), "a label is -1, but"),
    "half a label": (
        lines("raw/node-label.csv.gz", lambda rows: ["0.5", *rows[1:]]),
        "labels are not whole numbers",
    ),
    "two labels": (
        lines("raw/node-label.csv.gz", lambda rows: [f"{row},1" for row in rows]),
        "has 2 columns, not one",
    ),
    "a foreign edge": (
        lines("raw/edge.csv.gz", lambda rows: ["0,600", *rows[1:]]),
        "edges name nodes 0 to 600, but",
    ),
    "a word": (lines("raw/edge.csv.gz", lambda rows: ["a,b", *rows[1:]]), "raw cannot be read"),
    "a foreign split": (
        lines("split/time/valid.csv.gz", lambda rows: ["600"]),
        "names what is no node of 0 to 599",
    ),
}


@pytest.mark.parametrize("mistake", CSV)
def test_a_broken_folder_is_one_line(mistake: str, tmp_path: Path) -> None:
    change, line = CSV[mistake]
    _, folder = place(tmp_path)
    change(folder)
    with pytest.raises(GraphKDError, match=line) as refusal:
        load(tmp_path)
    assert "\n" not in str(refusal.value)


NPZ = {
    "truncated data": (cut("raw/data.npz"), "data.npz is damaged or cut off"),
    "truncated labels": (cut("raw/node-label.npz"), "node-label.npz is damaged"),
    "a missing split": (lambda folder: shutil.rmtree(folder / "split"), "train.csv.gz is missing: fetch"),
    "objects as labels": (
        lambda folder: np.savez(folder / "raw/node-label.npz", node_label=np.array([{}])),
        "node-label.npz is damaged or holds Python objects",
    ),
    "two labels": (
        lambda folder: np.savez(folder / "raw/node-label.npz", node_label=np.zeros((600, 2))),
        "holds another kind of data|labels",
    ),
}


@pytest.mark.parametrize("mistake", NPZ)
def test_a_broken_archive_is_one_line(mistake: str, tmp_path: Path) -> None:
    change, line = NPZ[mistake]
    _, folder = place(tmp_path, "ogbn-papers100M")
    change(folder)
    with pytest.raises(GraphKDError, match=line):
        load(tmp_path, "ogbn-papers100M")


def test_a_graph_that_does_not_fit_into_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place(tmp_path, "ogbn-papers100M")
    monkeypatch.setattr(raw, "memory", lambda: Memory(1024, 2048))
    with pytest.raises(
        GraphKDError, match=r"ogbn-papers100M takes at least 4\d\.\d KiB of memory, 1.0 KiB are free"
    ):
        load(tmp_path, "ogbn-papers100M")


def test_a_folder_that_may_not_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _, folder = place(tmp_path)
    is_file, opened = Path.is_file, open

    def refuse(path: Path) -> bool:
        if path.is_relative_to(folder / "raw"):
            raise PermissionError(13, "Permission denied", str(path))
        return is_file(path)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "is_file", refuse)
        with pytest.raises(GraphKDError, match=r"edge.csv.gz: Permission denied: let it be read, or give another"):
            load(tmp_path)

    def denied(file, *args, **keys):
        if str(file).endswith("edge.csv.gz"):
            raise PermissionError(13, "Permission denied", str(file))
        return opened(file, *args, **keys)

    monkeypatch.setattr("builtins.open", denied)
    with pytest.raises(GraphKDError, match=r"edge.csv.gz may not be read: change its permissions"):
        load(tmp_path)


def test_unknown_labels_are_allowed_outside_the_masks(tmp_path: Path) -> None:
    data, folder = place(tmp_path)
    free = int((~(data.train_mask | data.val_mask | data.test_mask)).nonzero()[0])
    labels = [str(label) for label in data.y.tolist()]
    labels[free] = "nan"
    write_lines(folder / "raw" / "node-label.csv.gz", [label if label != "-1" else "nan" for label in labels])
    assert int(load(tmp_path).y[free]) == -1
    assert load(tmp_path).y.dtype == torch.int64
