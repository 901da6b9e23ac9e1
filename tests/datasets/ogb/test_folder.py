import io
import shutil
from pathlib import Path

import pytest

from graphkd import GraphKDError
from graphkd.datasets.ogb import download
from graphkd.datasets.ogb.facts import Facts
from tests.datasets.ogb.graphs import load, place


@pytest.fixture
def web(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """OGB's archive of arxiv on a server that is a file; nothing is in the user's folder."""
    _, folder = place(tmp_path)
    (tmp_path / "web").mkdir()
    folder.rename(tmp_path / "web" / "arxiv")
    shutil.make_archive(str(tmp_path / "web" / "arxiv"), "zip", tmp_path / "web", "arxiv")
    archive = tmp_path / "web" / "arxiv.zip"
    monkeypatch.setattr(Facts, "url", property(lambda facts: archive.as_uri()))
    return archive


def test_nothing_is_fetched_without_permission(web: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def untouched(*args):
        raise AssertionError

    monkeypatch.setattr("graphkd.datasets.ogb.folder.fetch", untouched)
    for permission in ("never", "ask"):
        with pytest.raises(
            GraphKDError, match=r"ogbn-arxiv is not in data_dir=.*put its files into .*download=yes"
        ):
            load(tmp_path, download=permission)
    terminal = io.StringIO("n\n")
    terminal.isatty = lambda: True
    monkeypatch.setattr("sys.stdin", terminal)
    asked = []
    monkeypatch.setattr("builtins.input", lambda text: (asked.append(text), "n")[1])
    with pytest.raises(GraphKDError, match="download=yes"):
        load(tmp_path, download="ask")
    assert asked == [f"Download ogbn-arxiv (about 0.08 GB) to {tmp_path / 'cache'}? [y/N] "]


def test_a_download_goes_to_the_cache_and_is_found_there(web: Path, tmp_path: Path) -> None:
    assert load(tmp_path, download="yes").num_nodes == 600
    assert [entry.name for entry in (tmp_path / "cache" / "OGB").iterdir()] == ["ogbn_arxiv"]
    web.unlink()
    assert load(tmp_path, download="never").num_nodes == 600
    assert list((tmp_path / "data").iterdir()) == []


@pytest.mark.parametrize(
    ("content", "line"),
    [(None, "could not be downloaded from file://.*arxiv.zip .*: connect, or put"), (b"<html>", "not a zip file")],
)
def test_a_download_that_fails_leaves_nothing(content, line: str, web: Path, tmp_path: Path) -> None:
    web.unlink() if content is None else web.write_bytes(content)
    with pytest.raises(GraphKDError, match=line):
        load(tmp_path, download="yes")
    assert list((tmp_path / "cache" / "OGB").iterdir()) == []


def test_a_transfer_that_was_cut_short(web: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Short(io.BytesIO):
        headers = {"Content-Length": "1000"}  # noqa: RUF012

    monkeypatch.setattr("urllib.request.urlopen", lambda *args, **keys: Short(b"x" * 10))
    with pytest.raises(GraphKDError, match="10 of 1000 bytes came"):
        load(tmp_path, download="yes")


def test_an_archive_of_something_else(web: Path, tmp_path: Path) -> None:
    (tmp_path / "web" / "arxiv").rename(tmp_path / "web" / "other")
    shutil.make_archive(str(web.with_suffix("")), "zip", tmp_path / "web", "other")
    with pytest.raises(GraphKDError, match="holds no folder arxiv/raw: it is another archive"):
        load(tmp_path, download="yes")


def test_a_full_disk(web: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(download, "free_disk", lambda path: 1024)
    with pytest.raises(GraphKDError, match=r"takes about 15\d.\d MiB while it is unpacked, 1.0 KiB are free"):
        load(tmp_path, download="yes")


def test_half_a_download_of_a_person_s_own(web: Path, tmp_path: Path) -> None:
    shutil.copy(web, tmp_path / "data")
    with pytest.raises(GraphKDError, match=r"arxiv.zip is there, but not unpacked: unpack it and rename"):
        load(tmp_path)
    (tmp_path / "data" / "ogbn_arxiv" / "raw").mkdir(parents=True)  # what ogb leaves where it had no connection
    with pytest.raises(GraphKDError, match=r"arxiv.zip is there, but not unpacked"):
        load(tmp_path)
    shutil.unpack_archive(web, tmp_path / "data")
    with pytest.raises(GraphKDError, match="data/arxiv is ogbn-arxiv under another name: rename it to ogbn_arxiv"):
        load(tmp_path)
