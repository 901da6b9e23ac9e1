import json
import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest
import safetensors.torch
import torch

import graphkd
from graphkd import GraphKDError, Training
from graphkd.atomic_io import seal
from graphkd.cli import main
from graphkd.datasets import Graph
from graphkd.runs import SeedRun
from graphkd.spec import resolve
from graphkd.training.stages.stage_cache import StageCache, StageResult, arithmetic, digest
from tests.conftest import make_data

KEY = {"seed": 0, "code": "abc"}
SHORT = Training(max_epochs=4, patience=4)
FASTER = Training(max_epochs=4, patience=4, teacher_lr=0.1)


def stage_result(value: float = 1.0) -> StageResult:
    return StageResult({"w": torch.full((3, 2), value), "count": torch.tensor(7)}, {"log": [{"loss": 0.1}]})


def test_what_is_saved_is_found_by_its_key_alone(tmp_path: Path) -> None:
    cache = StageCache(tmp_path)
    assert cache.load("teacher", KEY) is None
    cache.save("teacher", KEY, stage_result())
    found = cache.load("teacher", {"code": "abc", "seed": 0})
    assert found.facts == {"log": [{"loss": 0.1}]}
    assert torch.equal(found.tensors["w"], torch.ones(3, 2))
    assert int(found.tensors["count"]) == 7
    assert cache.load("teacher", {**KEY, "seed": 1}) is None
    assert cache.load("student", KEY) is None
    assert [file.name[:8] for file in (tmp_path / "stages").iterdir()] == ["teacher-"]


def test_without_a_folder_nothing_is_kept() -> None:
    StageCache(None).save("teacher", KEY, stage_result())
    assert StageCache(None).load("teacher", KEY) is None


DAMAGE = {
    "truncated": lambda content: content[:-3],
    "a flipped bit in a weight": lambda content: content[:-9] + bytes([content[-9] ^ 1]) + content[-8:],
    "edited facts": lambda content: content.replace(b"loss", b"lost"),
    "empty": lambda content: b"",
    "text": lambda content: b"hello",
    "other tensors only": lambda content: __import__("safetensors.torch").torch.save({"w": torch.ones(3, 2)}),
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_damaged_artefact_is_noticed_and_made_again(damage: str, tmp_path: Path) -> None:
    cache = StageCache(tmp_path)
    cache.save("teacher", KEY, stage_result())
    (file,) = (tmp_path / "stages").iterdir()
    file.write_bytes(DAMAGE[damage](file.read_bytes()))
    with pytest.warns(UserWarning, match=r"is damaged \(.*\): the teacher is computed again"):
        assert cache.load("teacher", KEY) is None
    cache.save("teacher", KEY, stage_result())
    assert cache.load("teacher", KEY) is not None


def test_a_file_under_another_name_is_not_taken(tmp_path: Path) -> None:
    """As a copied, renamed or restored cache may have it: each file of the cache under the name of each other."""
    cache, other = StageCache(tmp_path), {**KEY, "seed": 1}
    files = {}
    for number, (stage, key) in enumerate(
        [("teacher", KEY), ("teacher", other), ("student", KEY), ("student", other)]
    ):
        cache.save(stage, key, stage_result(number))
        cache.save_partial(stage, key, stage_result(number + 10))
        for part in ("", "-part"):
            files[stage + part, key["seed"]] = cache._path(stage + part, key, tmp_path / "stages")
    contents = {name: file.read_bytes() for name, file in files.items()}
    for name, file in files.items():
        load = cache.load_partial if name[0].endswith("-part") else cache.load
        stage, key = name[0].removesuffix("-part"), {**KEY, "seed": name[1]}
        for given, content in contents.items():
            file.write_bytes(content)
            if given == name:
                assert load(stage, key) is not None
                continue
            with pytest.warns(UserWarning, match="is damaged .it is another stage's, or has another key."):
                assert load(stage, key) is None
        file.write_bytes(contents[name])


def test_a_file_of_an_older_version_names_no_stage_and_is_read(tmp_path: Path) -> None:
    cache, kept = StageCache(tmp_path), stage_result()
    cache.save("teacher", KEY, kept)
    card = {"key": KEY, "facts": kept.facts, "tensors": digest(kept.tensors)}
    metadata = {"schema_version": "1", "card": json.dumps(card), "checksum": seal(card)}
    (file,) = (tmp_path / "stages").iterdir()
    file.write_bytes(safetensors.torch.save(dict(kept.tensors), metadata))
    assert cache.load("teacher", KEY) is not None


def test_a_cache_that_cannot_be_written_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(GraphKDError, match="is no folder that can be written to: choose another cache_dir"):
        StageCache(tmp_path / "file")


OTHER_TENSORS = {
    "a name": {"a": torch.arange(4), "c": torch.arange(2)},
    "names that change places": {"b": torch.arange(4), "a": torch.arange(2)},
    "a shape": {"a": torch.arange(4).view(2, 2), "b": torch.arange(2)},
    "a type of the same bytes": {"a": torch.arange(4).view(torch.float64), "b": torch.arange(2)},
    "where one ends": {"a": torch.arange(3), "b": torch.tensor([3, 0, 1])},
    "a number": {"a": torch.arange(4), "b": torch.tensor([0, 2])},
    "one less": {"a": torch.arange(4)},
    "one more": {"a": torch.arange(4), "b": torch.arange(2), "c": torch.zeros(0)},
}


@pytest.mark.parametrize("other", OTHER_TENSORS)
def test_a_digest_is_of_names_shapes_types_and_numbers(other: str) -> None:
    tensors = {"a": torch.arange(4), "b": torch.arange(2)}
    assert digest(tensors) == digest(dict(reversed(tensors.items())))
    assert digest(tensors) != digest(OTHER_TENSORS[other])


def test_two_writers_and_a_reader_at_once_never_see_half_a_file(tmp_path: Path) -> None:
    cache, big = StageCache(tmp_path), StageResult({"w": torch.arange(200_000.0)}, {})
    found, stop = [], threading.Event()

    def write() -> None:
        while not stop.is_set():
            cache.save("teacher", KEY, big)

    writers = [threading.Thread(target=write) for _ in range(2)]
    for writer in writers:
        writer.start()
    while len(found) < 30:
        kept = cache.load("teacher", KEY)
        found += [] if kept is None else [kept]
    stop.set()
    for writer in writers:
        writer.join()
    assert all(torch.equal(kept.tensors["w"], big.tensors["w"]) for kept in found)
    assert len(list((tmp_path / "stages").iterdir())) == 1


def stages(folder: Path) -> list[str]:
    return sorted(file.name.split("-")[0] for file in (folder / "stages").iterdir())


def test_one_teacher_and_one_plain_mlp_serve_every_method(tmp_path: Path) -> None:
    graph, cache, logs = Graph.from_data(make_data()), StageCache(tmp_path), []
    for method, matching in (("glnn", "none"), ("infgrand", "reverse"), ("glnn", "none")):
        spec = resolve(method=method, matching=matching, training=SHORT)
        logs.append(SeedRun.train(graph, spec, 0, baseline=True, cache=cache))
    students = ["student"] * 4  # GLNN's, InfGraND's, and a plain one on the inputs of each
    assert stages(tmp_path) == ["influence", *students, "teacher"]
    fresh = SeedRun.train(graph, resolve(method="glnn", training=SHORT), 0, baseline=True)
    assert logs[0].log == logs[2].log == fresh.log
    for one, two in ((logs[2].distilled, fresh.distilled), (logs[2].baselines["mlp"], fresh.baselines["mlp"])):
        assert one.scores == two.scores
        states = one.model.state_dict(), two.model.state_dict()
        assert all(torch.equal(states[0][name], states[1][name]) for name in states[0])


CHANGES = {
    "the seed": ({"seed": 1}, ["student", "teacher"]),
    "the student's rate": ({"training": Training(max_epochs=4, patience=4, lr=0.1)}, ["student"]),
    "the teacher's rate": (
        {"training": Training(max_epochs=4, patience=4, teacher_lr=0.1)},
        ["student", "teacher"],
    ),
    "the setting": ({"setting": "production"}, ["student", "teacher"]),
    "the method": ({"method": "mlp"}, ["student"]),
    "the teacher": ({"teacher": "sage"}, ["student", "teacher"]),
    "nothing": ({}, []),
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_key_holds_what_the_result_depends_on_and_no_more(change: str, tmp_path: Path) -> None:
    keys, expected = CHANGES[change]
    common = {"training": SHORT, "cache_dir": tmp_path, "baseline": False}
    graphkd.distill(make_data(), **common)
    before = stages(tmp_path)
    graphkd.distill(make_data(), **{**common, **keys})
    assert sorted(stages(tmp_path)) == sorted(before + expected)


def test_a_plain_mlp_that_is_matched_depends_on_its_teacher(tmp_path: Path) -> None:
    keys = {"method": "mlp", "matching": "forward", "training": SHORT, "cache_dir": tmp_path, "baseline": False}
    for teacher in ("gcn", "sage"):
        graphkd.distill(make_data(), teacher=teacher, **keys)
    assert stages(tmp_path) == ["student", "student", "teacher", "teacher"]


def test_other_labels_features_edges_or_masks_are_another_graph(tmp_path: Path) -> None:
    for count, part in enumerate((None, "x", "edge_index", "y", "test_mask"), start=1):
        data = make_data()
        if part == "x":
            data.x[0, 0] += 1
        elif part == "edge_index":
            data.edge_index = data.edge_index[:, 1:]
        elif part == "y":
            node = int(data.test_mask.nonzero()[0])
            data.y[node] = (data.y[node] + 1) % 3
        elif part == "test_mask":
            data.test_mask[data.test_mask.nonzero()[0]] = False
        graphkd.distill(data, training=SHORT, cache_dir=tmp_path)
        assert stages(tmp_path).count("teacher") == count


def test_parts_that_are_not_graphkd_s_own_are_not_kept(tmp_path: Path) -> None:
    """Their code is not part of the key: they might have changed."""

    class Mine(graphkd.methods.GLNN):
        """Somebody's."""

    graphkd.distill(make_data(), method=Mine(), training=SHORT, cache_dir=tmp_path, baseline=False)
    assert not (tmp_path / "stages").exists()


KILLED = """
import os, signal, sys
import pandas, sklearn.datasets, sklearn.metrics, torch_geometric.data  # once, before the processes part
import graphkd, graphkd.commands.distill, graphkd.runs
graphkd.load_dataset("digits")
from graphkd.cli import main
from graphkd.training.fit import checkpoint
from graphkd.training.stages.stage_cache import StageCache
checkpoint.CHECKPOINT_SECONDS, checkpoint.SHARE = 0.0, float("inf")
write, left = StageCache._save, []
def dying(self, name, key, stage_result):
    write(self, name, key, stage_result)
    left[1] -= name.endswith("-part") == left[0].endswith("-part") and name.startswith(left[0])
    if left[1] == 0:
        os.kill(os.getpid(), signal.SIGKILL)
StageCache._save = dying
for left[:] in (["teacher-part", 2], ["student-part", 2], ["", 4]):
    child = os.fork()
    if child == 0:
        main(sys.argv[1:])
        os._exit(0)
    print("ended", os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
"""


@pytest.mark.slow
def test_a_sweep_that_is_killed_three_times_goes_on_and_ends_with_the_same_bits(tmp_path: Path) -> None:
    """In a teacher's second epoch, in a student's, and in the second job between two stages."""
    args = ["distill", "-m", "method=glnn,infgrand", "seeds=2", "training.max_epochs=3", "baseline=false"]
    cut = [*args, f"output_dir={tmp_path / 'cut'}", f"cache_dir={tmp_path / 'cut_cache'}"]
    torch.set_num_threads(1)  # bits are those of a number of threads: here as in the processes that are killed
    alone = {**os.environ, "OMP_NUM_THREADS": "1"}
    done = subprocess.run([sys.executable, "-c", KILLED, *cut], capture_output=True, text=True, env=alone)
    assert done.stdout.splitlines().count("ended -9") == 3, done.stderr
    before = {file: file.stat().st_mtime_ns for file in (tmp_path / "cut_cache" / "stages").iterdir()}
    assert len(before) == 5
    assert not [file for file in before if "-part-" in file.name]
    assert main(cut) == 0
    assert main([*args, f"output_dir={tmp_path / 'whole'}", f"cache_dir={tmp_path / 'cache'}"]) == 0
    assert all(file.stat().st_mtime_ns == time for file, time in before.items())
    written = [path for pattern in ("*.safetensors", "log.jsonl") for path in (tmp_path / "whole").rglob(pattern)]
    assert len(written) > 8
    for path in written:
        assert (tmp_path / "cut" / path.relative_to(tmp_path / "whole")).read_bytes() == path.read_bytes()


def test_another_number_of_threads_is_another_key() -> None:
    """Threads share a sum among themselves: its last bits are theirs."""
    before = torch.get_num_threads()
    try:
        found = []
        for threads in (1, 2, 1):
            torch.set_num_threads(threads)
            found.append(arithmetic(torch.device("cpu")))
    finally:
        torch.set_num_threads(before)
    assert found[0] == found[2] != found[1]
    assert arithmetic(torch.device("cuda", 1)) == "cuda"
