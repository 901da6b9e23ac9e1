"""What a user reads, on folders and packages in every state."""

import importlib
import re
import subprocess
import sys
import tomllib
from importlib import metadata
from pathlib import Path

import pytest

from graphkd import GraphKDError, datasets
from graphkd.cli import main
from graphkd.doctor import examine, packages
from graphkd.registry import catalogue
from tests.datasets.planetoid_files import write_planetoid


def lines(tmp_path: Path) -> dict[str, str]:
    report = examine(str(tmp_path / "data"), str(tmp_path / "cache"))
    return {line.name: str(line) for line in report.lines}


@pytest.fixture
def places(tmp_path: Path) -> Path:
    """Cora whole in the user's folder, PubMed in the cache, CiteSeer without its graph; two stages kept."""
    write_planetoid(tmp_path / "data" / "Planetoid" / "Cora" / "raw")
    write_planetoid(tmp_path / "data" / "citeseer" / "raw", "citeseer")
    (tmp_path / "data" / "citeseer" / "raw" / "ind.citeseer.graph").unlink()
    write_planetoid(tmp_path / "cache" / "Planetoid" / "PubMed" / "raw", "pubmed")
    (tmp_path / "cache" / "stages").mkdir()
    for stage in ("teacher-a", "student-b"):
        (tmp_path / "cache" / "stages" / f"{stage}.safetensors").write_bytes(bytes(1024))
    return tmp_path


def test_the_page(places: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = sorted(places.rglob("*"))
    assert main(["doctor", "--data-dir", str(places / "data"), "--cache-dir", str(places / "cache")]) == 0
    out, err = capsys.readouterr()
    assert err == ""
    found = out.splitlines()
    assert all(re.match(r"(ok|missing|broken|note) +\S.{7,20} \S", line) for line in found)
    assert {line.index(line.split()[1]) for line in found} == {9}
    data, cache = places / "data", places / "cache"
    for line in (
        f"ok       data folder          {data}",
        f"ok       cora                 {data}/Planetoid/Cora/raw",
        f"broken   citeseer             {data}/citeseer/raw is incomplete, ind.citeseer.graph is missing: fetch "
        "it again",
        f"ok       pubmed               {cache}/Planetoid/PubMed/raw",
        f"missing  photo                put amazon_electronics_photo.npz into {data}/Amazon/Photo/raw, or allow "
        "download=yes",
        f"missing  cpf_cora             put cora.npz into {data}/CPF/npz (https://github.com/BUPT-GAMMA/CPF, "
        "folder data/npz)",
        "ok       digits               needs no files",
        f"ok       cache folder         {cache}: 2 finished stages, 2.0 KiB; may be deleted at any time",
    ):
        assert line in found
    assert sorted(places.rglob("*")) == before


def test_every_data_set_has_its_line_and_says_what_find_raw_says(tmp_path: Path) -> None:
    found = lines(tmp_path)
    for name, source in catalogue(datasets).items():
        if isinstance(source, datasets.Source) and source.raw is not None:
            with pytest.raises(GraphKDError) as refusal:
                source.read(datasets.Location(tmp_path / "data", tmp_path / "cache", "never"))
            place = found[name].partition(" into ")[2]
            assert place
            assert str(refusal.value).endswith(f" into {place}")
    assert "ind.cora.{x,tx,allx,y,ty,ally,graph,test.index}" in found["cora"]
    assert found["data folder"].endswith("/data does not exist: give --data-dir DIR")
    assert "is not there yet" in found["cache folder"]


def test_a_folder_that_may_not_be_read(places: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    iterdir = Path.iterdir

    def refuse(path: Path):
        if path == places / "data":
            raise PermissionError(13, "Permission denied", str(path))
        return iterdir(path)

    monkeypatch.setattr(Path, "iterdir", refuse)
    text = (
        f"broken   cora                 {places}/data: Permission denied: let it be read, or give --data-dir DIR"
    )
    assert lines(places)["cora"] == text


def test_a_cache_that_is_a_file(tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("")
    assert "may not be read or written to: give --cache-dir DIR" in lines(tmp_path)["cache folder"]


def break_import(monkeypatch: pytest.MonkeyPatch, module: str, error: Exception) -> None:
    load = importlib.import_module

    def broken(name: str, *args):
        if name == module:
            raise error
        return load(name, *args)

    monkeypatch.setattr(importlib, "import_module", broken)


def pretend(monkeypatch: pytest.MonkeyPatch, package: str, version: str | None) -> None:
    real = metadata.version

    def stated(name: str) -> str:
        if name == package and version is None:
            raise metadata.PackageNotFoundError(name)
        return version if name == package else real(name)

    monkeypatch.setattr(metadata, "version", stated)


def test_an_optional_part_that_is_broken_or_missing_stops_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    pretend(monkeypatch, "torch-scatter", "2.1.2")
    break_import(monkeypatch, "torch_scatter", OSError("undefined symbol:\n _ZN3c10"))
    assert main(["doctor", "--data-dir", str(tmp_path)]) == 0
    line = "torch-scatter        2.1.2 cannot be imported (OSError: undefined symbol: _ZN3c10): optional, "
    assert f"broken   {line}" in capsys.readouterr().out
    pretend(monkeypatch, "pyarrow", None)
    text = "missing  pyarrow              optional, for parquet files: pip install 'graphkd[parquet]'"
    assert lines(tmp_path)["pyarrow"] == text


def test_a_required_part_that_is_old_or_missing_ends_with_2(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    pretend(monkeypatch, "torch", "2.5.1+cu121")
    assert main(["doctor", "--data-dir", str(tmp_path)]) == 2
    line = (
        "broken   torch                2.5.1+cu121, graphkd needs 2.6 or newer: pip install --upgrade 'torch>=2.6'"
    )
    assert line in capsys.readouterr().out
    pretend(monkeypatch, "scipy", None)
    assert lines(tmp_path)["scipy"] == "missing  scipy                not installed: pip install 'scipy>=1.12'"


@pytest.mark.slow
def test_without_torch_the_rest_is_still_looked_at(tmp_path: Path) -> None:
    """In a process of its own, where torch is a module that fails."""

    (tmp_path / "torch.py").write_text("raise ImportError('libtorch_cpu.so: cannot open shared object file')")
    program = f"import sys; sys.path.insert(0, {str(tmp_path)!r}); from graphkd.cli import main; sys.exit(main())"
    run = [sys.executable, "-c", program, "doctor", "--cache-dir", str(tmp_path / "cache")]
    done = subprocess.run(run, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (2, "")
    found = {line.split()[1]: line for line in done.stdout.splitlines()}
    assert "cannot be imported (ImportError: libtorch_cpu.so: cannot open shared object" in found["torch"]
    assert found["numpy"].startswith("ok ")
    assert found["memory"].split()[0] in ("ok", "note")
    assert re.match(r"broken +data sets +cannot be looked at: ImportError: libtorch_cpu", found["data"])
    assert found["current"].startswith("ok       current disk")


def test_the_packages_are_those_of_pyproject() -> None:
    text = (Path(__file__).parents[2] / "pyproject.toml").read_text()
    stated = tomllib.loads(text)["project"]
    required = {f"{package.name}>={package.least}" for package in packages.REQUIRED}
    assert required == set(stated["dependencies"])
    extras = stated["optional-dependencies"]
    assert [f"{package.name}>={package.least}" for package in packages.OPTIONAL] == [
        *extras["scatter"],
        *extras["parquet"],
        *[name for name in extras["ingest"] if name not in extras["parquet"]],
        *extras["ray"],
        *extras["plot"],
        *extras["onnx"],
        *extras["serve"],
        *extras["hub"],
        *extras["tune"],
        *extras["emd"],
        *extras["metis"],
    ]
    assert stated["requires-python"] == f">={packages.PYTHON}"


def test_compilers_that_are_not_there_are_told_with_their_use(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CC", "nocc -O2")
    monkeypatch.setenv("CXX", sys.executable)
    found = lines(tmp_path)
    assert re.match(
        r"missing +c compiler +there is no nocc: optional, for graphkd predict's native", found["c compiler"]
    )
    assert "or set CC" in found["c compiler"]
    assert found["c++ compiler"].startswith("ok ")
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("CC")
    assert "there is no cc: optional" in lines(tmp_path)["c compiler"]
