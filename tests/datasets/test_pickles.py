import os
import pickle
from pathlib import Path

import pytest

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


def test_a_damaged_pickle_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "cut").write_bytes(pickle.dumps([1, 2, 3])[:-4])
    with pytest.raises(GraphKDError, match="cut is damaged"):
        read_pickle(tmp_path / "cut")
