from pathlib import Path

import pytest

from graphkd import GraphKDError
from graphkd.storage import read_json, whole_folder, write_json, write_text


def test_a_file_is_replaced_whole_and_leaves_no_draft(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_text(tmp_path / "a", "old")
    write_text(tmp_path / "a", "new")
    assert (tmp_path / "a").read_text() == "new"
    monkeypatch.setattr("os.replace", lambda *_: (_ for _ in ()).throw(OSError("full")))
    with pytest.raises(OSError, match="full"):
        write_text(tmp_path / "a", "newest")
    assert [file.name for file in tmp_path.iterdir()] == ["a"]
    assert (tmp_path / "a").read_text() == "new"


def test_a_folder_appears_whole_or_not_at_all(tmp_path: Path) -> None:
    with whole_folder(tmp_path / "f") as draft:
        (draft / "x").write_text("1")
        assert not (tmp_path / "f").exists()
    assert (tmp_path / "f" / "x").read_text() == "1"
    with pytest.raises(ZeroDivisionError), whole_folder(tmp_path / "f") as draft:
        (draft / "x").write_text(str(1 / 0))
    assert (tmp_path / "f" / "x").read_text() == "1"
    assert [file.name for file in tmp_path.iterdir()] == ["f"]


def test_json(tmp_path: Path) -> None:
    write_json(tmp_path / "v.json", {"a": [1]})
    assert read_json(tmp_path / "v.json", "a thing") == {"a": [1]}
    with pytest.raises(GraphKDError, match="is not a thing: it holds no w.json"):
        read_json(tmp_path / "w.json", "a thing")
