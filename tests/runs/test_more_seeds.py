"""A finished run goes on with more seeds, and ends with the bits of a run of all of them."""

import shutil
from pathlib import Path
from typing import Any

import pytest

from graphkd import GraphKDError
from graphkd.atomic_io import write_json
from graphkd.datasets import Graph
from graphkd.deploy.files import read_bundle
from graphkd.runs import RunFolder, read_config, read_metrics
from graphkd.runs.saved_teacher import SAVED_TEACHER
from tests.conftest import make_data
from tests.runs.test_folder import CONFIG, RECIPE, stable
from tests.runs.test_folder import fill as train
from tests.runs.test_metrics import facts_of

VAL = {0: 0.8, 1: 0.7, 2: 0.9, 3: 0.1}
"""Validation scores by seed: seed 0 is the best of two, seed 2 of three."""


class Trained:
    """A seed that was trained, as far as a run folder looks at it."""

    def __init__(self, seed: int) -> None:
        self.seed = seed

    def write(self, folder: Path, save_teacher: bool = False) -> None:
        scores = {"student": {"val": VAL[self.seed], "test": 0.1 * self.seed}}
        write_json(folder / "metrics.json", {"seed": self.seed, **scores, "teacher": scores["student"]})
        (folder / "bundle").mkdir()
        (folder / "bundle" / "bundle.json").write_text(f"bundle {self.seed}")
        (folder / "log.jsonl").write_text(f"log {self.seed}\n")
        for name in SAVED_TEACHER:
            (folder / name).write_text(f"{name} {self.seed}")


def fill(path: Path, *seeds: int, stop_at: int | None = None) -> list[int]:
    """Makes the run as the command does; is killed at a seed where told to. Returns what it trained."""
    trained = []

    def train(seed: int) -> Any:
        if seed == stop_at:
            raise KeyboardInterrupt
        trained.append(seed)
        return Trained(seed)

    folder = RunFolder(path, of_seeds(*seeds), overwrite=False)
    expected = folder.pending
    for seed in seeds:
        folder.add(seed, lambda seed=seed: train(seed))
    folder.finish(facts_of(RECIPE))
    assert trained == expected
    return trained


def of_seeds(*seeds: int) -> dict[str, Any]:
    return {**CONFIG, "seeds": list(seeds)}


def contents(path: Path) -> dict[str, bytes]:
    """Every file of a run."""
    return {str(file.relative_to(path)): file.read_bytes() for file in path.rglob("*") if file.is_file()}


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """The files of a run of three seeds that was made at once."""
    path = tmp_path_factory.mktemp("whole") / "run"
    fill(path, 0, 1, 2)
    return contents(path)


def test_a_trained_run_of_one_seed_goes_on_to_the_bits_of_a_run_of_three(tmp_path: Path) -> None:
    graph, three = Graph.from_data(make_data()), {**CONFIG, "save_teacher": True}
    train(tmp_path / "whole", graph, config=three)
    train(tmp_path / "run", graph, config={**three, "seeds": [0]})
    kept = read_metrics(tmp_path / "run")["seeds"]
    assert train(tmp_path / "run", graph, config=three) == [1, 2]
    assert stable(tmp_path / "run") == stable(tmp_path / "whole")
    assert read_metrics(tmp_path / "run")["seeds"][:1] == kept, "seconds included"
    assert contents(tmp_path / "run").keys() == contents(tmp_path / "whole").keys()
    assert read_bundle(tmp_path / "run" / "seed_0").description["card"]["seed"] == 0


@pytest.mark.parametrize("first", [(0,), (0, 1)])
def test_more_seeds_train_those_that_are_missing_and_keep_the_rest(
    tmp_path: Path, whole: dict[str, bytes], first: tuple[int, ...]
) -> None:
    run = tmp_path / "run"
    fill(run, *first)
    assert fill(run, 0, 1, 2) == [seed for seed in (0, 1, 2) if seed not in first]
    assert contents(run) == whole
    assert read_config(run)["seeds"] == [0, 1, 2]
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["run"]


@pytest.mark.parametrize("first", [(0,), (0, 1)])
def test_a_run_that_is_killed_while_it_goes_on_stays_what_it_was_and_goes_on(
    tmp_path: Path, whole: dict[str, bytes], first: tuple[int, ...]
) -> None:
    run = tmp_path / "run"
    fill(run, *first)
    before = contents(run)
    with pytest.raises(KeyboardInterrupt):
        fill(run, 0, 1, 2, stop_at=2)
    assert contents(run) == before
    assert RunFolder(run, of_seeds(*first), overwrite=False).finished
    assert fill(run, 0, 1, 2) == [2]
    assert contents(run) == whole


@pytest.mark.parametrize(
    "step", ["earlier.shutil.copytree", "earlier.write_json", "folder.write_json", "folder.replace_folder"]
)
def test_it_is_replaced_at_once_wherever_it_is_killed(
    tmp_path: Path, whole: dict[str, bytes], step: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def die(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    run = tmp_path / "run"
    fill(run, 0)
    before = contents(run)
    with monkeypatch.context() as patch:
        patch.setattr(f"graphkd.runs.{step}", die)
        with pytest.raises(KeyboardInterrupt):
            fill(run, 0, 1, 2)
    assert contents(run) == before
    assert not RunFolder(run, of_seeds(0, 1, 2), overwrite=False).finished
    assert fill(run, 0, 1, 2) == []
    assert contents(run) == whole


def test_other_files_stay_and_so_do_exports_while_the_best_seed_is_the_same(
    tmp_path: Path,
) -> None:
    run = tmp_path / "run"
    fill(run, 0, 1)
    (run / "notes").mkdir()
    (run / "notes" / "a.txt").write_text("mine")
    (run / "link").symlink_to("notes")
    (run / "bundle" / "student.c").write_text("exported")
    fill(run, 0, 1, 3)
    assert (run / "bundle" / "student.c").read_text() == "exported"
    assert (run / "link" / "a.txt").read_text() == "mine"
    fill(run, 0, 1, 3, 2)
    assert not (run / "bundle" / "student.c").exists()
    assert (run / "bundle" / "bundle.json").read_text() == "bundle 2"
    assert (run / "link").is_symlink()


def test_fewer_seeds_and_other_ones_are_one_line(tmp_path: Path) -> None:
    run = tmp_path / "run"
    fill(run, 0, 1)
    mistakes = {
        (0,): "run holds a run of 2 seeds, more than the 1 here: give all of them, choose another output_dir",
        (1, 0): "run holds a run with another seeds: choose another output_dir",
        (1, 2): "run holds a run with another seeds",
        (2, 0, 1): "run holds a run with another seeds",
    }
    for seeds, message in mistakes.items():
        with pytest.raises(GraphKDError, match=message):
            RunFolder(run, of_seeds(*seeds), overwrite=False)
    with pytest.raises(GraphKDError, match=r"holds a run with another training\.lr"):
        RunFolder(run, {**of_seeds(0, 1, 2), "training": {"lr": 1.0}}, overwrite=False)


def test_a_seed_whose_folder_was_deleted_is_trained_again(tmp_path: Path, whole: dict[str, bytes]) -> None:
    run = tmp_path / "run"
    fill(run, 0, 1)
    shutil.rmtree(run / "seed_1")
    assert fill(run, 0, 1, 2) == [1, 2]
    assert contents(run) == whole


def test_an_interrupted_run_of_fewer_seeds_goes_on_with_more(tmp_path: Path, whole: dict[str, bytes]) -> None:
    run = tmp_path / "run"
    with pytest.raises(KeyboardInterrupt):
        fill(run, 0, 1, stop_at=1)
    assert fill(run, 0, 1, 2) == [1, 2]
    assert contents(run) == whole


def test_what_was_begun_with_other_seeds_is_not_used(tmp_path: Path) -> None:
    run = tmp_path / "run"
    fill(run, 0)
    with pytest.raises(KeyboardInterrupt):
        fill(run, 0, 1, 2, stop_at=2)
    assert fill(run, 0, 3) == [3]
    assert [seed["seed"] for seed in read_metrics(run)["seeds"]] == [0, 3]
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["run"]


def test_data_in_a_run_that_goes_on_is_not_copied_with_it(tmp_path: Path) -> None:
    run = tmp_path / "run"
    fill(run, 0)
    with pytest.raises(GraphKDError, match="data_dir=.* is in .*run, which is overwritten: move it"):
        RunFolder(run, {**of_seeds(0, 1, 2), "data_dir": str(run / "data")}, overwrite=False)


def test_seeds_of_other_versions_are_a_warning(tmp_path: Path) -> None:
    run = tmp_path / "run"
    fill(run, 0)
    metrics = read_metrics(run)
    write_json(run / "metrics.json", {**metrics, "versions": {**metrics["versions"], "torch": "1.0"}})
    with pytest.warns(UserWarning, match=r"the seeds in .*run were trained with torch 1\.0, now "):
        RunFolder(run, of_seeds(0, 1), overwrite=False)
