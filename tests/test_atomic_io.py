from pathlib import Path

import pytest

from graphkd import GraphKDError
from graphkd.atomic_io import (
    as_path,
    check_schema,
    check_writable,
    default_cache_dir,
    read_json,
    whole_folder,
    write_json,
    write_text,
)


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


def test_a_path_is_a_text_or_a_path() -> None:
    assert as_path("a/b", "it") == as_path(Path("a/b"), "it") == Path("a/b")
    assert as_path("~/a", "it") == Path.home() / "a"
    for wrong in (None, 3, "", b"a", "a\0b", ["a"]):
        with pytest.raises(GraphKDError, match="it is .*: give a path"):
            as_path(wrong, "it")


def test_a_folder_can_be_made_below_folders_only(tmp_path: Path) -> None:
    check_writable(tmp_path / "new" / "newer", "cache_dir")
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "file").write_text("x")
    (tmp_path / "link").symlink_to(tmp_path / "gone")
    for name in ("file", "link"):
        with pytest.raises(GraphKDError, match="is no folder that can be written to: choose another cache_dir"):
            check_writable(tmp_path / name / "below", "cache_dir")


def test_the_cache_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GRAPHKD_CACHE", "/somewhere")
    assert default_cache_dir() == Path("/somewhere")
    monkeypatch.delenv("GRAPHKD_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", "/caches")
    assert default_cache_dir() == Path("/caches/graphkd")


def test_what_another_version_wrote_is_refused_by_name(tmp_path: Path) -> None:
    check_schema(tmp_path, {"schema_version": 1}, 1, "bundle", "export")
    for content in ({"schema_version": 2}, {}):
        with pytest.raises(GraphKDError, match="reads version 1: export it again or install"):
            check_schema(tmp_path, content, 1, "bundle", "export")
