from pathlib import Path

import numpy as np
import pytest
import scipy.sparse

from graphkd import GraphKDError
from graphkd.commands.rows import check_output, read_rows, write_predictions

X = np.array([[1.0, 0.0, 2.0], [0.0, 3.0, 0.0]], dtype=np.float32)
EDGES = np.array([[0, 1], [1, 0]])


def test_every_kind_of_file_gives_the_same_rows(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", X)
    np.savez(tmp_path / "b.npz", x=X, edge_index=EDGES)
    scipy.sparse.save_npz(tmp_path / "c.npz", scipy.sparse.csr_matrix(X))
    np.savetxt(tmp_path / "d.csv", X, delimiter=",")
    np.savetxt(tmp_path / "e.csv", X, delimiter=",", header="one,two,three", comments="")
    np.save(tmp_path / "f.npy", X.astype(">f8"))
    scipy.sparse.save_npz(tmp_path / "g.npz", scipy.sparse.coo_matrix(X))
    for name in ("f.npy", "g.npz", "a.npy", "b.npz", "c.npz", "d.csv", "e.csv"):
        rows, edges = read_rows(tmp_path / name)
        np.testing.assert_array_equal(rows.toarray() if hasattr(rows, "toarray") else rows, X)
        assert (edges is not None) == (name == "b.npz")


def test_files_that_are_not_rows_are_one_line(tmp_path: Path) -> None:
    (tmp_path / "text.npy").write_text("hello")
    (tmp_path / "words.csv").write_text("a,b\n1,x\n")
    (tmp_path / "table.xlsx").write_text("")
    np.save(tmp_path / "objects.npy", np.array([{}], dtype=object), allow_pickle=True)
    (tmp_path / "empty.csv").write_text("")
    np.save(tmp_path / "flat.npy", np.ones(3))
    np.save(tmp_path / "letters.npy", np.array([["a"]]))
    np.savez(tmp_path / "other.npz", y=X)
    expected = {
        "missing.npy": "is no file",
        "text.npy": "does not hold rows of numbers",
        "words.csv": "does not hold rows of numbers",
        "table.xlsx": "ends in '.xlsx'",
        "objects.npy": "does not hold rows of numbers",
        "empty.csv": "is empty",
        "flat.npy": "must hold",
        "letters.npy": "must hold",
        "other.npz": "holds no array x: it has y",
    }
    for name, message in expected.items():
        with pytest.raises(GraphKDError, match=message) as caught:
            read_rows(tmp_path / name)
        assert "\n" not in str(caught.value)


def test_predictions(tmp_path: Path) -> None:
    proba = np.array([[0.25, 0.75], [0.9, 0.1]], dtype=np.float32)
    write_predictions(tmp_path / "p.csv", proba, None)
    assert (tmp_path / "p.csv").read_text() == "row,class,probability\n0,1,0.750000\n1,0,0.900000\n"
    write_predictions(tmp_path / "p.csv", proba, ["no", "yes, sir"])
    assert (tmp_path / "p.csv").read_text().splitlines()[1] == '0,1,"yes, sir",0.750000'
    write_predictions(tmp_path / "p.csv", proba, None, ["a", 7])
    assert (tmp_path / "p.csv").read_text() == "row,id,class,probability\n0,a,1,0.750000\n1,7,0,0.900000\n"
    write_predictions(tmp_path / "p.npy", proba, None)
    np.testing.assert_array_equal(np.load(tmp_path / "p.npy"), proba)
    (tmp_path / "folder.csv").mkdir()
    for path in (tmp_path / "folder.csv", tmp_path / "p.json", tmp_path / "no" / "p.csv"):
        with pytest.raises(GraphKDError):
            check_output(path)
