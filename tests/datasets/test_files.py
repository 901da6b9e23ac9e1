import io
from pathlib import Path

import pytest

from graphkd import GraphKDError, load_dataset
from graphkd.datasets.loading import locate
from tests.datasets.planetoid_files import NUM_NODES, write_planetoid


def load(tmp_path: Path, **keys: str):
    return load_dataset("cora", tmp_path / "data", cache_dir=tmp_path / "cache", **keys)


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(
        GraphKDError, match=r"cora is not in data_dir=.*/data, which does not exist: .*download=yes"
    ):
        load(tmp_path, download="never")


def test_asking_needs_somebody_who_answers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(GraphKDError, match="allow download=yes"):
        load(tmp_path, download="ask")
    terminal = io.StringIO("n\n")
    terminal.isatty = lambda: True
    monkeypatch.setattr("sys.stdin", terminal)
    with pytest.raises(GraphKDError, match="allow download=yes"):
        load(tmp_path, download="ask")


def test_a_half_copied_folder(tmp_path: Path) -> None:
    raw = tmp_path / "data" / "Planetoid" / "Cora" / "raw"
    write_planetoid(raw)
    (raw / "ind.cora.graph").unlink()
    with pytest.raises(GraphKDError, match="raw is incomplete, ind.cora.graph is missing"):
        load(tmp_path, download="never")


def test_an_unknown_permission(tmp_path: Path) -> None:
    with pytest.raises(GraphKDError, match="download is 'maybe': choose ask, yes or never"):
        load(tmp_path, download="maybe")


def test_a_download_goes_to_the_cache_whole_or_not_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_planetoid(tmp_path / "web")
    served: list[str] = []

    def fetch(url: str, folder: str, log: bool) -> None:
        name = url.rpartition("/")[2]
        if len(served) == 3 and "broken" not in served:
            served.append("broken")
            raise OSError("connection lost")
        served.append(name)
        (Path(folder) / name).write_bytes((tmp_path / "web" / name).read_bytes())

    monkeypatch.setattr("torch_geometric.data.download_url", fetch)
    with pytest.raises(GraphKDError, match=r"could not be downloaded \(connection lost\)"):
        load(tmp_path, download="yes")
    assert list((tmp_path / "cache" / "Planetoid" / "Cora").iterdir()) == []
    assert load(tmp_path, download="yes").num_nodes == NUM_NODES
    served.clear()
    assert load(tmp_path, download="never").num_nodes == NUM_NODES
    assert served == []
    assert not (tmp_path / "data").exists()


def test_a_tilde_is_the_home_folder() -> None:
    assert locate("~/data", None, "ask").data_dir == Path.home() / "data"


def test_folders_in_any_case(tmp_path: Path) -> None:
    write_planetoid(tmp_path / "data" / "planetoid" / "CORA" / "Raw")
    assert load(tmp_path, download="never").num_nodes == NUM_NODES
