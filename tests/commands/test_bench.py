import json
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import torch

import graphkd
from graphkd import GraphKDError
from graphkd.cli import main
from graphkd.commands import bench as command
from graphkd.commands import bench_calls, bench_student
from graphkd.commands.bench import bench
from graphkd.evaluation import Times
from graphkd.system import Memory
from tests.commands.runs import SHORT
from tests.conftest import make_data
from tests.datasets.planetoid_files import write_planetoid

SHORTLY = ["--seconds", "0.001"]
TEACHER = ["teacher, with fetch", "teacher, full graph layer-wise", "teacher, full graph at once"]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Runs: on the digits, exported to C; on a small bag-of-words graph with hops, two seeds; with positions."""
    folder = tmp_path_factory.mktemp("made")
    keys = ["training.max_epochs=3", "baseline=false"]
    assert main(["distill", *keys, "student.hidden_dim=8", f"output_dir={folder}/digits"]) == 0
    assert main(["export", f"{folder}/digits", "--to", "c", "--allow-loss"]) == 0
    write_planetoid(folder / "data" / "Cora" / "raw")
    hops = ["dataset=cora", "method=infgrand", "setting=production", "seeds=2", f"data_dir={folder}/data"]
    assert main(["distill", *keys, *hops, f"output_dir={folder}/hops"]) == 0
    positions = ["method=glnn", "encoder=positions", "encoder.kind=laplacian", "encoder.dim=3"]
    hops = [key for key in hops if key not in ("method=infgrand", "seeds=2")]
    assert main(["distill", *keys, *hops, *positions, f"output_dir={folder}/positions"]) == 0
    return folder


@pytest.fixture
def _no_processes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bench_student, "_resident", lambda *_: 2**25)


def numbers(found: dict[str, Any]) -> dict[tuple[str, int], dict[str, Any]]:
    return {(model["name"], row["rows"]): row for model in found["models"] for row in model["batches"]}


@pytest.mark.slow
@pytest.mark.usefixtures("_no_processes")
def test_the_student_in_every_runtime_and_its_teacher(
    made: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    capsys.readouterr()
    file = tmp_path / "found.json"
    assert main(["bench", str(made / "digits"), "--json", str(file), *SHORTLY]) == 0
    said, found = capsys.readouterr(), json.loads(file.read_text())
    students = ["torch", "numpy", "native", "native-int8"]
    assert said.err == ""
    assert found["schema_version"] == 1
    assert [model["name"] for model in found["models"]] == [*students, *TEACHER]
    rows = numbers(found)
    assert set(rows) == {(name, size) for name in [*students, TEACHER[0]] for size in (1, 64, 1024)} | {
        (name, 1797) for name in TEACHER[1:]
    }
    for (_, size), row in rows.items():
        assert 0 < row["p50"] <= row["p95"] <= row["p99"]
        assert row["calls"] >= 5
        assert row["rows_per_second"] == pytest.approx(size / row["p50"] * 1e6)
    for each in found["speed_up"]:
        single = rows[TEACHER[0], 1]["p50"] / rows[each["name"], 1]["p50"]
        row = rows[each["name"], 1024]["p50"] / 1024
        layerwise, at_once = (rows[name, 1797]["p50"] / 1797 / row for name in TEACHER[1:])
        assert each["single_node_with_fetch"] == pytest.approx(single)
        assert each["full_graph_layerwise_per_node"] == pytest.approx(layerwise)
        assert each["full_graph_at_once_per_node"] == pytest.approx(at_once)
    assert [each["name"] for each in found["speed_up"]] == students
    assert (tmp_path / "found.png").read_bytes().startswith(b"\x89PNG")
    check_facts(found, json.loads((made / "digits" / "metrics.json").read_text()))
    check_text(said.out, students)


def check_facts(found: dict[str, Any], metrics: dict[str, Any]) -> None:
    assert [found[key] for key in ("dataset", "setting", "teacher", "method")] == [
        "digits", "transductive", "gcn", "glnn",
    ]  # fmt: skip
    student = {"widths": [64, 8, 10], "parameters": 610, "hops": 0, "reads": "x", "non_zeros_per_row": None}
    assert found["student"] == student
    assert found["teacher_network"]["widths"] == [128, 10]
    assert (found["machine"]["threads"], found["graph"]["nodes"]) == (1, 1797)
    scores = {model["name"]: model["scores"]["test"] for model in found["models"]}
    (seed,) = metrics["seeds"]
    assert scores["torch"] == scores["numpy"] == scores["native"] == pytest.approx(seed["student"]["test"])
    assert scores[TEACHER[0]] == pytest.approx(seed["teacher"]["test"])
    assert all(model["resident_bytes"] == 2**25 for model in found["models"][:4])


def check_text(text: str, students: list[str]) -> None:
    """All speed-ups stand in the same table; what is not there is named with the way to it."""
    lines = text.splitlines()
    assert lines[0] == "## digits · random split · transductive · gcn to glnn · seed 0"
    heads = [line for line in lines if line.startswith("| model")]
    assert "p50 us | p95 us | p99 us" in heads[0]
    assert "speed-up: one node, with fetch | per node of the full graph, layer-wise | " in heads[1]
    for name in students:
        last = [line for line in lines if line.split("|")[1:2] == [f" {name:<30} "]][-1]
        assert last.count(" x ") == 3
    assert "Not exported: onnx, onnx-int8: graphkd export" in text
    assert "--to onnx | onnx-int8." in text


@pytest.mark.usefixtures("_no_processes")
@pytest.mark.slow
def test_a_student_with_hops_is_also_timed_with_rows_from_a_store(
    made: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    plot = tmp_path / "plot.png"
    bench(str(made / "hops"), plot_file=str(plot), seconds=0.001, json_file=str(tmp_path / "found.json"))
    found = json.loads((tmp_path / "found.json").read_text())
    names = ["torch", "numpy", *TEACHER, "numpy, row from a FeatureStore"]
    assert [model["name"] for model in found["models"]] == names
    assert found["speed_up"][-1]["name"] == names[-1]
    metrics, seed = json.loads((made / "hops" / "metrics.json").read_text()), found["seed"]
    assert seed == max(metrics["seeds"], key=lambda entry: entry["student"]["val"])["seed"]
    recorded = metrics["seeds"][seed]["student"]["test"]
    assert [model["scores"]["test"] for model in found["models"][:2]] == pytest.approx([recorded] * 2)
    assert "propagated over 2 hops" in capsys.readouterr().out
    assert sorted(file.name for file in tmp_path.iterdir()) == ["found.json", "plot.png"]


@pytest.mark.slow
@pytest.mark.usefixtures("_no_processes")
def test_a_student_with_positions_is_timed_with_rows_from_a_store(made: Path, tmp_path: Path) -> None:
    bench(str(made / "positions"), seconds=0.001, json_file=str(tmp_path / "found.json"))
    found = json.loads((tmp_path / "found.json").read_text())
    names = [model["name"] for model in found["models"]]
    assert names == ["torch", "numpy", *TEACHER, "numpy, row from a FeatureStore"]


@pytest.mark.usefixtures("_no_processes")
def test_a_store_that_would_be_large_is_not_built(
    made: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(command, "STORE_BYTES", 100)
    bench(str(made / "hops"), seconds=0.001)
    assert "Rows from a FeatureStore are not timed: the store would take" in capsys.readouterr().out


@pytest.mark.slow
@pytest.mark.usefixtures("_no_processes")
def test_a_graph_too_large_to_be_computed_at_once_is_not(
    made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(bench_calls, "memory", lambda: Memory(2**20, 2**30))
    bench(str(made / "digits"), str(tmp_path / "found.json"), seconds=0.001)
    assert "The full graph at once is not timed: there is too little free memory" in capsys.readouterr().out
    found = json.loads((tmp_path / "found.json").read_text())
    assert TEACHER[2] not in [model["name"] for model in found["models"]]
    assert found["speed_up"][0]["full_graph_at_once_per_node"] is None
    assert found["speed_up"][0]["full_graph_layerwise_per_node"] > 0


@pytest.mark.usefixtures("_no_processes")
def test_threads_are_as_before_afterwards(made: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[int] = []

    def instead(contenders: Mapping[Any, Any], _: float) -> dict[Any, Times]:
        """On a busy machine a second thread for tiny tensors takes seconds."""
        seen.append(torch.get_num_threads())
        return dict.fromkeys(contenders, Times(1.0, 1.0, 1.0, 1))

    monkeypatch.setattr(command, "latency", instead)
    before = torch.get_num_threads()
    bench(str(made / "digits"), threads=before + 1, seconds=0.001)
    assert (seen, torch.get_num_threads()) == ([before + 1], before)


def test_resident_memory_is_that_of_a_process_of_its_own(made: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = bench_student._resident(made / "digits", "numpy", 64)
    assert found is not None
    assert 2**23 < found < 2**28
    monkeypatch.setattr(subprocess, "run", lambda *args, **_: subprocess.CompletedProcess(args, 1, "", ""))
    assert bench_student._resident(made / "digits", "numpy", 64) is None


def test_a_runtime_without_its_package_is_left_out_and_named(
    made: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(bench_student, "_resident", lambda *_: None)
    monkeypatch.setenv("CC", "no-such-compiler")
    bench(str(made / "digits"), seconds=0.001)
    text = capsys.readouterr().out
    assert "Left out: the native runtime needs a C compiler" in text
    assert "| native" not in text


def test_a_teacher_that_needs_the_whole_graph_is_not_timed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = graphkd.load_dataset("digits")
    graphkd.distill(data, teacher="appnp", training=SHORT, baseline=False).save(tmp_path / "run")
    assert main(["bench", str(tmp_path / "run")]) == 2
    assert "appnp answers for the whole graph only: choose a run with another teacher" in capsys.readouterr().err


def test_mistakes_end_in_one_line(made: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data, run = make_data(), str(made / "digits")
    graphkd.distill(data, training=SHORT).save(tmp_path / "data")
    digits = graphkd.load_dataset("digits")
    graphkd.distill(digits, teacher=torch.zeros(1797, 10), training=SHORT).save(tmp_path / "teacher")
    mistakes = {
        (str(tmp_path / "data"),): "was made with a dataset in memory: a run that graphkd distill made",
        (str(tmp_path / "teacher"),): "was made with a teacher in memory: a run that graphkd distill made",
        ("nowhere",): "nowhere is not a run",
        (run, "--thread-count", "2"): "unrecognized arguments: --thread-count 2",
        (run, "--threads", "0"): "--threads is 0: give a whole number from 1",
        (run, "--threads", "two"): "invalid int value: 'two'",
        (run, "--seconds", "0"): "--seconds is 0.0: give a number above 0",
        (run, "--seconds", "nan"): "--seconds is nan: give a number above 0",
        (run, "--json", str(tmp_path)): "cannot be written: it is a folder",
        (run, "--json", "/no/where.json"): "cannot be written: it is a folder, or its own folder is not there",
        (run, "--plot", "plot.pdf"): "plot.pdf does not end in .png",
        (run, "--json", "same.png"): "same.png does not end in .png, or is the JSON file",
        (run, "--json", "new.png", "--plot", "./new.png"): "new.png does not end in .png, or is the JSON file",
    }
    (tmp_path / "link.json").symlink_to(made / "digits" / "metrics.json")
    for name in (
        "metrics.json",
        "config.yaml",
        "bundle/bundle.json",
        "bundle/../metrics.json",
        "bundle/exports.json",
    ):
        mistakes[run, "--json", f"{run}/{name}"] = f"{name} is a file of the run: choose another"
    mistakes[run, "--json", str(tmp_path / "link.json")] = "link.json is a file of the run: choose another"
    capsys.readouterr()
    for args, message in mistakes.items():
        assert main(["bench", *args]) == 2
        said = capsys.readouterr()
        assert (said.out, said.err.count("\n")) == ("", 1)
        assert message in said.err


def test_another_student_than_the_run_s_is_refused(made: Path, tmp_path: Path) -> None:
    run = shutil.copytree(made / "hops", tmp_path / "run")
    config = (run / "config.yaml").read_text()
    (run / "config.yaml").write_text(config.replace("  lr: 0.01", "  lr: 0.02"))
    with pytest.raises(GraphKDError, match="now gives another student than"):
        bench(str(run))


def test_without_matplotlib_nothing_is_timed_for_a_plot(made: Path, tmp_path: Path, no_matplotlib: None) -> None:
    with pytest.raises(GraphKDError, match=r"a plot needs matplotlib: pip install 'graphkd\[plot\]'"):
        bench(str(made / "digits"), json_file=str(tmp_path / "found.json"))
    assert list(tmp_path.iterdir()) == []
