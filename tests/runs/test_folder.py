import itertools
import json
import shutil
from pathlib import Path

import pytest

from graphkd import GraphKDError, Training
from graphkd.atomic_io import write_json
from graphkd.datasets import Graph
from graphkd.deploy.files import read_bundle
from graphkd.runs import RunFolder, SeedRun, read_config, read_metrics
from graphkd.spec import resolve
from tests.conftest import make_data
from tests.runs.test_metrics import facts_of

RECIPE = resolve(training=Training(max_epochs=10, patience=10))
CONFIG = {"dataset": {"name": "toy"}, "seeds": [0, 1, 2], "training": {"lr": 0.01}, "device": "cpu"}


@pytest.fixture
def graph() -> Graph:
    return Graph.from_data(make_data())


def fill(path: Path, graph: Graph, stop_at: int | None = None, config: dict = CONFIG) -> list[int]:
    """Makes the run as the command does; dies in the middle of a seed where told to."""
    trained = []

    def train(seed: int) -> SeedRun:
        if seed == stop_at:
            raise KeyboardInterrupt
        trained.append(seed)
        return SeedRun.train(graph, RECIPE, seed, baseline=True)

    folder = RunFolder(path, config, overwrite=False)
    for seed in config["seeds"]:
        folder.add(seed, lambda seed=seed: train(seed))
    folder.finish(facts_of(RECIPE))
    return trained


def stable(path: Path) -> dict:
    """What a run holds that does not depend on the clock."""
    metrics = json.loads((path / "metrics.json").read_text())
    for seed in metrics["seeds"]:
        del seed["seconds"]
    weights = {file.relative_to(path): file.read_bytes() for file in path.rglob("*.safetensors")}
    return {"metrics": metrics, "weights": weights, "log": (path / "log.jsonl").read_text()}


def test_an_interrupted_run_goes_on_where_it_stopped_and_ends_with_the_same_bits(
    tmp_path: Path, graph: Graph
) -> None:
    assert fill(tmp_path / "whole", graph) == [0, 1, 2]
    with pytest.raises(KeyboardInterrupt):
        fill(tmp_path / "cut", graph, stop_at=1)
    assert sorted(entry.name for entry in (tmp_path / "cut").iterdir()) == ["config.yaml", "seed_0"]
    with pytest.raises(GraphKDError, match="cut is not finished: run its graphkd distill command again"):
        read_metrics(tmp_path / "cut")
    assert fill(tmp_path / "cut", graph) == [1, 2]
    assert stable(tmp_path / "cut") == stable(tmp_path / "whole")


def test_the_bundle_is_the_seed_s_that_is_best_on_validation(tmp_path: Path, graph: Graph) -> None:
    fill(tmp_path / "run", graph)
    seeds = read_metrics(tmp_path / "run")["seeds"]
    best = max(seeds, key=lambda seed: seed["student"]["val"])["seed"]
    assert json.loads((tmp_path / "run" / "bundle" / "bundle.json").read_text())["card"]["seed"] == best


class Scored:
    """A seed that was trained, as far as a run folder looks at it."""

    def __init__(self, seed: int, scores: dict[str, dict[str, float]]) -> None:
        self.seed, self.scores = seed, scores

    def write(self, folder: Path, save_teacher: bool = False) -> None:
        write_json(folder / "metrics.json", {"seed": self.seed, **self.scores})
        write_json(folder / "bundle.json", {"seed": self.seed})
        (folder / "bundle").mkdir()
        (folder / "bundle.json").rename(folder / "bundle" / "bundle.json")
        (folder / "log.jsonl").touch()


@pytest.mark.parametrize("order", list(itertools.permutations(range(4))))
def test_nothing_but_the_student_s_validation_score_chooses_the_bundle(
    tmp_path: Path, order: tuple[int, ...]
) -> None:
    """Of four seeds each is best by another score: the student's and the teacher's, on validation and test."""
    folder = RunFolder(tmp_path / "run", {**CONFIG, "seeds": [0, 1, 2, 3]}, overwrite=False)
    for seed, best_by in enumerate(order):
        named = {}
        for at, (part, score) in enumerate(itertools.product(("student", "teacher"), ("val", "test"))):
            named.setdefault(part, {})[score] = 0.9 if at == best_by else 0.5 + 0.01 * seed
        folder.add(seed, lambda seed=seed, named=named: Scored(seed, named))
    folder.finish(facts_of(RECIPE))
    shipped = json.loads((tmp_path / "run" / "bundle" / "bundle.json").read_text())
    assert shipped["seed"] == order.index(0)


def test_of_seeds_that_tie_on_validation_the_first_is_shipped(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path / "run", CONFIG, overwrite=False)
    for seed, test in enumerate((0.5, 0.9, 0.7)):
        scores = {"student": {"val": 0.8, "test": test}, "teacher": {"val": test, "test": test}}
        folder.add(seed, lambda seed=seed, scores=scores: Scored(seed, scores))
    folder.finish(facts_of(RECIPE))
    assert json.loads((tmp_path / "run" / "bundle" / "bundle.json").read_text())["seed"] == 0


def test_the_log_has_a_record_per_epoch_stage_and_seed_with_every_term(tmp_path: Path, graph: Graph) -> None:
    fill(tmp_path / "run", graph)
    rows = [json.loads(line) for line in (tmp_path / "run" / "log.jsonl").read_text().splitlines()]
    assert len(rows) == 3 * 3 * 10
    student = [row for row in rows if row["stage"] == "student"]
    assert set(student[0]) == {"seed", "stage", "epoch", "loss", "label", "soft", "val"}


def test_where_it_runs_may_change_but_not_what_runs(tmp_path: Path, graph: Graph) -> None:
    fill(tmp_path / "run", graph)
    assert RunFolder(tmp_path / "run", {**CONFIG, "device": "cuda"}, overwrite=False).finished
    with pytest.raises(GraphKDError, match=r"holds a run with another training\.lr"):
        RunFolder(tmp_path / "run", {**CONFIG, "training": {"lr": 1.0}}, overwrite=False)
    with pytest.raises(GraphKDError, match="holds a run of 3 seeds, more than the 1 here: give all of them"):
        RunFolder(tmp_path / "run", {**CONFIG, "seeds": [0]}, overwrite=False)


EARLIER = {
    "teacher": ("jumping_knowledge",),
    "deploy": ("calibrate",),
    "training": ("class_weight", "optimizer", "teacher_clip_norm", "label_smoothing", "teacher_label_rate"),
}
"""Keys by group that runs of before have not."""


@pytest.mark.parametrize("group", EARLIER)
def test_a_run_of_before_goes_on_with_the_defaults_of_keys_that_are_new(
    tmp_path: Path, graph: Graph, group: str
) -> None:
    now = {**CONFIG, **RECIPE.config()}
    before = {**now, group: {key: value for key, value in now[group].items() if key not in EARLIER[group]}}
    assert before[group].keys() != now[group].keys()
    fill(tmp_path / "run", graph, config={**before, "seeds": [0]})
    assert RunFolder(tmp_path / "run", {**now, "seeds": [0]}, overwrite=False).finished
    other = {**now[group], EARLIER[group][0]: "other"}
    with pytest.raises(GraphKDError, match=rf"holds a run with another {group}\.{EARLIER[group][0]}"):
        RunFolder(tmp_path / "run", {**now, "seeds": [0], group: other}, overwrite=False)


BOMBS = {
    "aliases of aliases": "a: &a [x, x]\n"
    + "".join(
        f"{name}: &{name} [*{before}, *{before}]\n" for before, name in itertools.pairwise("abcdefghijklmnopqrst")
    ),
    "one alias": "dataset: &d {name: x}\nseeds: [0]\nteacher: *d\n",
    "an alias of itself": "a: &a [*a]\n",
    "nested": "[" * 5000,
    "nested mappings": "{a: " * 5000,
    "an object of Python": "a: !!python/object/apply:os.system [ls]\n",
    "too long": "a: " + "x" * 2**21,
    "no text": "\0\0",
    "two documents": "a: 1\n---\nb: 2\n",
    "a key of lists": "? [a, b]\n: 1\n",
    "a number": "7",
}


@pytest.mark.parametrize("bomb", BOMBS)
def test_a_config_that_grows_or_runs_is_one_line(bomb: str, tmp_path: Path) -> None:
    (tmp_path / "config.yaml").write_text(BOMBS[bomb])
    with pytest.raises(GraphKDError, match=r"config.yaml is damaged \(\w+\): make the run again"):
        read_config(tmp_path)


def test_a_damaged_config_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "config.yaml").write_text("a: [")
    with pytest.raises(GraphKDError, match="config.yaml is damaged"):
        read_config(tmp_path)
    (tmp_path / "config.yaml").write_text("- a")
    with pytest.raises(GraphKDError, match="config.yaml is damaged"):
        read_config(tmp_path)


def test_drafts_of_a_killed_run_are_no_other_run(tmp_path: Path, graph: Graph) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / ".config.yaml.abcd").touch()
    assert fill(tmp_path / "run", graph) == [0, 1, 2]


def test_a_run_whose_bundle_is_gone_is_not_finished(tmp_path: Path, graph: Graph) -> None:
    config = {**CONFIG, "seeds": [0]}
    fill(tmp_path / "run", graph, config=config)
    before, bundle = stable(tmp_path / "run"), tmp_path / "run" / "bundle"
    bundle.rename(bundle.with_name(".bundle.old.abcdefgh"))
    assert RunFolder(tmp_path / "run", config, overwrite=False).finished, "it is put back"
    shutil.rmtree(bundle)
    assert not RunFolder(tmp_path / "run", config, overwrite=False).finished
    assert fill(tmp_path / "run", graph, config=config) == [0]
    assert stable(tmp_path / "run") == before
    (tmp_path / "run").rename(tmp_path / ".run.old.abcdefgh")
    assert read_metrics(tmp_path / "run")["dataset"] == "toy"


def test_overwriting_removes_no_folder_of_a_person(tmp_path: Path, graph: Graph) -> None:
    fill(tmp_path / "run", graph)
    new = tmp_path / ".run.new"
    new.mkdir()
    (new / "notes").write_text("mine")
    for place in (new, tmp_path / "link"):
        with pytest.raises(GraphKDError, match=r"\.run\.new is in the way of the new run, and is no run: rename"):
            RunFolder(tmp_path / "run", CONFIG, overwrite=True)
        assert (place / "notes").read_text() == "mine"
        if place == new:
            new.rename(tmp_path / "link")
            new.symlink_to(tmp_path / "link")
    new.unlink()
    new.mkdir()
    for name in (".config.yaml.abcdefgh.draft", "config.yaml"):
        (new / name).touch()
        RunFolder(tmp_path / "run", CONFIG, overwrite=True)
        assert not new.exists()
        new.mkdir()


def test_overwriting_does_not_take_what_the_run_is_made_from(tmp_path: Path, graph: Graph) -> None:
    fill(tmp_path / "run", graph)
    (tmp_path / "run" / "data").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "run" / "data")
    for place in (tmp_path / "run" / "data", tmp_path / "link", tmp_path / "run", tmp_path / "run" / ".." / "run"):
        for key in ("data_dir", "cache_dir"):
            with pytest.raises(GraphKDError, match=f"{key}=.* is in .*run, which is overwritten: move it"):
                RunFolder(tmp_path / "run", {**CONFIG, key: str(place)}, overwrite=True)
        config = {**CONFIG, "dataset": {"name": "toy", "path": str(place)}}
        with pytest.raises(GraphKDError, match=r"dataset\.path=.* is in .*run, which is overwritten"):
            RunFolder(tmp_path / "run", config, overwrite=True)
    RunFolder(tmp_path / "run", {**CONFIG, "data_dir": str(tmp_path), "cache_dir": None}, overwrite=True)


def test_the_bundle_is_that_of_the_seed_which_is_best_on_the_chosen_metric(tmp_path: Path, graph: Graph) -> None:
    spec = resolve(training=Training(max_epochs=2, metric="macro_f1"))
    folder = RunFolder(tmp_path / "run", {**CONFIG, "seeds": [0, 1]}, overwrite=False)
    for seed in (0, 1):
        folder.add(seed, lambda seed=seed: SeedRun.train(graph, spec, seed))
    for entry, accuracy, macro_f1 in zip(folder.entries, (0.9, 0.8), (0.5, 0.6), strict=True):
        entry["student"] |= {"val": accuracy, "val_macro_f1": macro_f1}
    assert folder.finish(facts_of(spec))["selected_by"] == "macro_f1"
    assert read_bundle(tmp_path / "run").description["card"]["seed"] == 1
