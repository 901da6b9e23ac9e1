"""The command as a user meets it, in an empty folder."""

import io
import json
import shutil
import subprocess
import sys
import traceback
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path

import pytest

import graphkd
import graphkd.cli
from graphkd import api, methods
from graphkd.cli import main
from graphkd.registry import catalogue
from tests.conftest import STAGE
from tests.datasets.planetoid_files import write_planetoid
from tests.tiers import some_of

FAST = ["training.max_epochs=3"]


@dataclass
class Done:
    returncode: int
    stdout: str
    stderr: str


def command(*args: str, cwd: Path, **env: str) -> Done:
    """Runs the command in this process, which saves importing torch a hundred times."""
    out, err = io.StringIO(), io.StringIO()
    with pytest.MonkeyPatch.context() as patch, redirect_stdout(out), redirect_stderr(err):
        patch.chdir(cwd)
        for key, value in {"GRAPHKD_CACHE": str(cwd.parent / "cache"), **env}.items():
            patch.setenv(key, value)
        try:
            code = main(args)
        except SystemExit as end:
            code = int(end.code or 0)
        except BaseException:
            traceback.print_exc()
            code = 1
    return Done(code, out.getvalue(), STAGE.sub("", err.getvalue()))


MISTAKES = {
    "unknown key": (["students=mlp"], "unknown key 'students': did you mean 'student'"),
    "unknown nested key": (["training.max_epoch=3"], "unknown key 'training.max_epoch': did you mean"),
    "added key": (["+studnt=mlp"], "unknown key 'studnt': did you mean 'student'"),
    "added nested key": (["+method.lamb=1"], "unknown key 'method.lamb': did you mean 'method.lam'"),
    "unknown dataset": (
        ["dataset=digit"],
        "unknown dataset 'digit': did you mean 'digits'? choose one of blogcatalog, chameleon, citeseer",
    ),
    "unknown teacher": (
        ["teacher=gnc"],
        "unknown teacher 'gnc': did you mean 'gcn'? choose one of aa, appnp, cn, gat, gcn, gcnii",
    ),
    "unknown student": (["student=cnn"], "unknown student 'cnn'"),
    "unknown method": (
        ["method=gln"],
        "unknown method 'gln': did you mean 'glnn'? choose one of adagmlp, ",
    ),
    "unknown strategy": (["matching=backward"], "unknown matching 'backward'"),
    "unknown influence": (["method=infgrand", "influence=rank"], "unknown influence 'rank'"),
    "unknown setting": (["setting=inductiv"], "unknown setting 'inductiv'"),
    "unknown experiment": (["experiment=infgrand/cora"], "unknown experiment 'infgrand/cora': did you mean"),
    "a key of another method": (
        ["method.variant=paper"],
        "'method.variant' is no key of the method that was chosen",
    ),
    "no value": (["dataset"], "dataset sets no value: write KEY=VALUE"),
    "wrong type": (
        ["training.max_epochs=abc"],
        "training.max_epochs: Value 'abc' of type 'str' could not be converted",
    ),
    "half an epoch": (["training.max_epochs=2.5"], "could not be converted to Integer"),
    "no epochs": (["training.max_epochs=0"], "training.max_epochs is 0"),
    "negative seeds": (["seeds=-1"], "seeds is -1: give a count such as 5"),
    "seeds that are no numbers": (["seeds=[1,x]"], "seeds is [1, 'x']"),
    "no data": (
        ["dataset=cora", "download=never", "data_dir=nowhere"],
        "cora is not in data_dir=nowhere, which does not",
    ),
    "no share of the labels": (
        ["dataset.label_rate=1.2"],
        "dataset.label_rate is 1.2: it must be a number greater than 0 and at most 1",
    ),
    "a scale without a meaning": (
        ["dataset.scale=0.1"],
        "dataset.scale is 0.1, but digits has the size that it has",
    ),
    "nodes of many kinds": (["dataset=ogbn-mag"], "ogbn-mag is heterogeneous, several kinds of nodes"),
    "a word for a share": (["dataset.label_rate=few"], "could not be converted to Float"),
    "no split": (["dataset.split=public"], "digits has no split 'public': choose random"),
    "no device": (["device=tpu"], "device is 'tpu': choose auto, cpu or cuda"),
    "no layer": (["teacher.num_layers=0"], "num_layers is 0"),
    "neighbours for other layers": (
        ["training.teacher_batches=neighbours", "training.fanout=[3]"],
        "training.fanout has 1 numbers, but the teacher 2 layers",
    ),
    "no layer to match": (["matching=forward", "student.num_layers=1"], "the student has none"),
    "unequal widths": (
        ["matching=forward", "matching.projection=none", "student.hidden_dim=3"],
        "a student layer has width 3, the teacher's 128",
    ),
    "a setting outside its range": (["method.lam=2"], "method.lam is 2.0: it must lie in [0, 1]"),
    "influence without effect": (["influence=uniform"], "method=glnn weights no nodes"),
    "a loss that explodes": (["training.teacher_lr=1e29"], "lower its learning rate"),
    "an exploding width": (["student.hidden_dim=1000000000000"], "choose a smaller student.hidden_dim"),
    "no teacher": (["teacher=null"], "teacher is null: choose one of aa, appnp, cn, gat, gcn, gcnii"),
    "no dataset": (
        ["dataset=null"],
        "dataset is null: choose one of blogcatalog, chameleon, citeseer, computers, cora, cpf_citeseer",
    ),
    "no method": (["method=null"], "method is null: choose one of adagmlp, "),
    "unknown permission": (["download=maybe"], "download is 'maybe': choose ask, yes or never"),
    "a word for a number": (["method=infgrand", "influence.self_loops=abc"], "could not be converted to Integer"),
    "unknown flag": (["--verbose"], "unknown flag --verbose: there are -m"),
    "a config that does not exist": (["--cfg", "jobs"], "--cfg jobs: choose job, hydra or all"),
    "a folder below a file": (
        ["output_dir=/dev/null/run"],
        "/dev/null/run cannot be made, /dev/null is no folder",
    ),
    "a folder that may not be made": (["output_dir=/proc/run", *FAST], "/proc/run: "),
    "a setting that runs something": (
        ["method=infgrand", "influence.self_loops={_target_:os.mkdir,path:PWNED}"],
        "influence.self_loops",
    ),
    "a path through our modules": (
        ["method._target_=graphkd.atomic_io.os.mkdir"],
        "only parts of graphkd are made",
    ),
    "a config that runs something": (["method._target_=os.system"], "only parts of graphkd are made from configs"),
}


EVERY_THIRD = some_of(MISTAKES, 3)


@pytest.mark.parametrize("mistake", EVERY_THIRD)
def test_a_mistake_is_one_line_and_leaves_nothing(mistake: str, tmp_path: Path) -> None:
    overrides, message = MISTAKES[mistake]
    done = command("distill", "output_dir=out", *overrides, cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("graphkd: ")
    assert message in done.stderr
    assert done.stderr.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


def break_training_mask(data) -> None:
    data.train_mask[:] = False


def overlap(data) -> None:
    data.val_mask |= data.train_mask


def unlabel(data) -> None:
    data.y[data.train_mask.nonzero()[0]] = -1


def mislabel(data) -> None:
    data.y[data.test_mask.nonzero()[0]] = 10


def lose_a_feature(data) -> None:
    data.x[3, 4] = float("nan")


def misdirect(data) -> None:
    data.edge_index[0, 0] = 1797


DATA_MISTAKES = {
    lose_a_feature: "data.x holds NaN or infinite values (first in row 3)",
    misdirect: "edge_index names nodes 0 to 1797, but the graph has nodes 0 to 1796",
    break_training_mask: "data.train_mask selects no node",
    overlap: "200 nodes are in both train_mask and val_mask",
    unlabel: "label -1 inside a mask, outside the classes 0 to 9",
    mislabel: "label 10 inside a mask, outside the classes 0 to 9",
}


@pytest.mark.slow
@pytest.mark.parametrize("mistake", DATA_MISTAKES, ids=lambda mistake: mistake.__name__)
def test_so_is_one_in_the_data(mistake, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    load = api.load_dataset

    def spoiled(*args, **keys):
        data = load(*args, **keys)
        mistake(data)
        return data

    monkeypatch.setattr("graphkd.config_data.load_dataset", spoiled)
    done = command("distill", "output_dir=out", cwd=tmp_path)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    assert DATA_MISTAKES[mistake] in done.stderr
    assert list(tmp_path.iterdir()) == []


RUN_MISTAKES = {
    "edited bundle": (
        "bundle/bundle.json",
        '{"schema_version": 1}',
        "bundle.json was changed after it was written",
    ),
    "bundle of another version": ("bundle/bundle.json", '{"schema_version": 9}', "schema version 9"),
    "truncated weights": ("bundle/model.safetensors", "", "model.safetensors is truncated or was changed"),
    "empty metrics": ("metrics.json", "{}", "metrics.json is damaged: make the run again with overwrite=true"),
    "metrics without seeds": ("metrics.json", '{"seeds": []}', "metrics.json is damaged"),
    "metrics that are no JSON": ("metrics.json", "{", "metrics.json cannot be read"),
    "empty config": ("config.yaml", "", "config.yaml is damaged"),
    "a config of something else": ("config.yaml", "a: 1", "config.yaml is damaged"),
}


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("finished")
    assert command("distill", "output_dir=run", *FAST, cwd=folder).returncode == 0
    return folder / "run"


@pytest.mark.parametrize("mistake", RUN_MISTAKES)
def test_so_is_one_in_a_run(mistake: str, finished: Path, tmp_path: Path) -> None:
    name, content, message = RUN_MISTAKES[mistake]
    run = shutil.copytree(finished, tmp_path / "run")
    (run / name).write_text(content)
    for args in (
        ["evaluate", "run"],
        ["predict", "run", "graph", "out.csv"],
        ["angles", "run"],
        ["bench", "run"],
        ["export", "run", "--to", "c"],
    ):
        done = command(*args, cwd=tmp_path)
        assert (done.returncode, done.stderr.count("\n")) == (2, 1)
        assert message in done.stderr
    assert [entry.name for entry in tmp_path.iterdir()] == ["run"]


def test_an_old_run_stays_until_the_one_that_overwrites_it_is_finished(finished: Path, tmp_path: Path) -> None:
    run = shutil.copytree(finished, tmp_path / "run")
    before = (run / "metrics.json").read_text()
    done = command("distill", "output_dir=run", "overwrite=true", "training.teacher_lr=1e29", cwd=tmp_path)
    assert (done.returncode, (run / "metrics.json").read_text()) == (2, before)
    done = command("distill", "output_dir=run", "overwrite=true", "method=mlp", *FAST, cwd=tmp_path)
    assert (done.returncode, json.loads((run / "metrics.json").read_text())["method"]) == (0, "mlp")
    assert [entry.name for entry in tmp_path.iterdir()] == ["run"]


def test_a_run_fills_the_empty_folder_it_is_given(tmp_path: Path) -> None:
    assert command("distill", "output_dir=.", *FAST, cwd=tmp_path).returncode == 0
    assert (tmp_path / "metrics.json").is_file()


OTHER_MISTAKES = {
    "no command": ([], "the following arguments are required: command"),
    "unknown command": (["distil"], "invalid choice: 'distil'"),
    "unknown list": (["list", "tables"], "invalid choice: 'tables'"),
    "not a run": (["evaluate", "."], ". is not a run: it holds no config.yaml"),
    "no such run": (["evaluate", "nowhere"], "nowhere is not a run"),
    "not a run to measure": (["angles", "."], ". is not a run: it holds no config.yaml"),
    "not a run to time": (["bench", "."], ". is not a run: it holds no config.yaml"),
    "unknown flag of bench": (["bench", ".", "--repeats", "3"], "unrecognized arguments: --repeats 3"),
    "not a run to export": (["export", ".", "--to", "onnx"], ". is not a run: it holds no config.yaml"),
    "not a run to predict with": (["predict", ".", "graph", "out.csv"], ". is not a run"),
}


@pytest.mark.parametrize("mistake", OTHER_MISTAKES)
def test_so_is_one_in_the_other_commands(mistake: str, tmp_path: Path) -> None:
    args, message = OTHER_MISTAKES[mistake]
    done = command(*args, cwd=tmp_path)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    assert message in done.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("args", ["export run --to c", "bench run", "evaluate run", "distill", "list methods"])
def test_so_is_a_command_for_which_a_package_is_missing(args: str, tmp_path: Path) -> None:
    """As on a machine that only answers, where graphkd is installed alone."""
    code = "import sys; sys.modules['torch'] = None; from graphkd.cli import main; sys.exit(main(sys.argv[1:]))"
    asked = [sys.executable, "-c", code, *args.split()]
    done = subprocess.run(asked, cwd=tmp_path, capture_output=True, text=True, check=False)
    expected = "needs torch, which is not installed: install graphkd without --no-deps\n"
    assert (done.returncode, done.stdout, done.stderr) == (2, "", f"graphkd: {args.split()[0]} {expected}")


def test_debug_shows_the_traceback(tmp_path: Path) -> None:
    assert "Traceback" in command("distill", "seeds=-1", "--debug", cwd=tmp_path).stderr
    assert "Traceback" in command("distill", "seeds=-1", cwd=tmp_path, HYDRA_FULL_ERROR="1").stderr


def test_the_embedded_default_from_data_to_predictions(tmp_path: Path) -> None:
    first = command("distill", "seeds=2", *FAST, cwd=tmp_path)
    assert (first.returncode, first.stderr) == (0, "")
    assert first.stdout.startswith("digits · random split · transductive · accuracy · 2 seeds\n")
    assert [line.split()[0] for line in first.stdout.splitlines()[2:5]] == ["teacher", "mlp", "student"]
    run = tmp_path / "runs" / "digits-random-transductive-gcn-glnn-none"
    assert f"run folder: {run.relative_to(tmp_path)}" in first.stdout
    assert sorted(entry.name for entry in run.iterdir()) == [
        "bundle", "config.yaml", "log.jsonl", "metrics.json", "seed_0", "seed_1",
    ]  # fmt: skip
    stamp = (run / "metrics.json").stat().st_mtime_ns
    assert command("distill", "seeds=2", *FAST, cwd=tmp_path).stdout == first.stdout
    assert (run / "metrics.json").stat().st_mtime_ns == stamp
    refused = command("distill", "seeds=2", "training.max_epochs=4", cwd=tmp_path)
    assert refused.returncode == 2
    assert "holds a run with another training.max_epochs" in refused.stderr
    assert "holds a run of 2 seeds, more than the 1 here" in command("distill", *FAST, cwd=tmp_path).stderr
    assert command("distill", *FAST, "overwrite=true", cwd=tmp_path).returncode == 0
    assert not (run / "seed_0").exists()
    more = command("distill", "seeds=2", *FAST, cwd=tmp_path)
    assert (more.returncode, more.stdout) == (0, first.stdout)
    check = command("evaluate", str(run), cwd=tmp_path)
    assert (check.returncode, check.stdout.splitlines()[1].split()[0]) == (0, "0")
    assert command("predict", str(run), "graph", "out.csv", cwd=tmp_path).stdout == "1797 predictions: out.csv\n"
    assert (tmp_path / "out.csv").read_text().startswith("row,class,name,probability\n0,")


@pytest.mark.slow
def test_a_share_of_the_labels_makes_a_run_of_its_own(tmp_path: Path) -> None:
    keys = ["dataset.label_rate=0.1", "baseline=false", *FAST]
    done = command("distill", *keys, cwd=tmp_path)
    assert done.stdout.startswith("digits · random-labels0.1 split · transductive · accuracy · 1 seed\n")
    run = "runs/digits-random-labels0.1-transductive-gcn-glnn-none"
    assert json.loads((tmp_path / run / "metrics.json").read_text())["split"] == "random-labels0.1"
    assert command("evaluate", run, cwd=tmp_path).returncode == 0
    other = command("distill", *keys, "dataset.label_rate=0.2", f"output_dir={run}", cwd=tmp_path)
    assert "holds a run with another dataset.label_rate" in other.stderr


@pytest.mark.slow
def test_a_run_from_before_there_were_shares_and_poolings_is_read(tmp_path: Path) -> None:
    write_planetoid(tmp_path / "data" / "Planetoid" / "Cora" / "raw")
    keys = ["dataset=cora", "method=infgrand", "teacher.num_layers=3", "baseline=false", *FAST]
    assert command("distill", "data_dir=data", "output_dir=run", *keys, cwd=tmp_path).returncode == 0
    lines = (tmp_path / "run" / "config.yaml").read_text().splitlines(keepends=True)
    old = [line for line in lines if not line.strip().startswith(("label_rate:", "pooling:"))]
    assert len(old) == len(lines) - 2
    (tmp_path / "run" / "config.yaml").write_text("".join(old))
    for args in (
        ["evaluate", "run"],
        ["predict", "run", "graph", "out.csv"],
        ["angles", "run"],
        ["export", "run", "--to", "c"],
    ):
        assert command(*args, cwd=tmp_path).returncode == 0


@pytest.mark.slow
def test_multirun_makes_a_run_per_job_named_by_its_overrides(tmp_path: Path) -> None:
    write_planetoid(tmp_path / "data" / "Planetoid" / "Cora" / "raw")
    args = ["-m", "dataset=cora", "method=glnn,infgrand", "output_dir=OUT", "data_dir=data", *FAST]
    done = command("distill", *args, cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    names = [f"dataset=cora,method={method},training.max_epochs=3" for method in ("glnn", "infgrand")]
    assert sorted(entry.name for entry in (tmp_path / "OUT").iterdir()) == names
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["OUT", "data"]
    metrics = [json.loads((tmp_path / "OUT" / name / "metrics.json").read_text()) for name in names]
    assert [(each["method"], each["variant"], each["influence"]) for each in metrics] == [
        ("glnn", "none", "none"),
        ("infgrand", "paper", "infgrand"),
    ]


@pytest.mark.slow
def test_one_job_that_fails_does_not_stop_the_others(tmp_path: Path) -> None:
    done = command("distill", "-m", "method.tau=0,1", "output_dir=OUT", *FAST, cwd=tmp_path)
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert [entry.name for entry in tmp_path.iterdir()] == ["OUT"]
    assert [entry.name for entry in (tmp_path / "OUT").iterdir()] == ["method.tau=1,training.max_epochs=3"]


def test_lists_are_name_first_and_without_a_header(tmp_path: Path) -> None:
    lines = command("list", "methods", cwd=tmp_path).stdout.splitlines()
    assert [line.split()[0] for line in lines] == sorted([*catalogue(methods), "llp"])
    assert all(len(line.split()) > 1 for line in lines)
    simmlp = next(line for line in lines if line.startswith("simmlp"))
    assert " ".join(simmlp.split()).startswith(
        "simmlp no teacher student reads x edges in each step loss E d + N d^2"
    )
    for what in ("datasets", "teachers", "matching", "influence", "term", "terms", "method", "transform"):
        assert command("list", what, cwd=tmp_path).returncode == 0


@pytest.mark.slow
def test_the_installed_command_and_the_module_are_the_same_in_a_process_of_their_own(tmp_path: Path) -> None:
    for start in ([str(Path(sys.executable).parent / "graphkd")], [sys.executable, "-m", "graphkd"]):
        run = [*start, "distill", "students=mlp"]
        done = subprocess.run(run, cwd=tmp_path, capture_output=True, text=True, check=False)
        assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)


def test_version_and_help(tmp_path: Path) -> None:
    assert command("--version", cwd=tmp_path).stdout == f"graphkd {graphkd.__version__}\n"
    assert "evaluate" in command("--help", cwd=tmp_path).stdout
    described = command("distill", "--help", cwd=tmp_path).stdout
    assert f"method={' | '.join(sorted([*catalogue(methods), 'llp']))}" in " ".join(described.split())
    assert "training.patience" in described
    assert "schema" not in described
    config = command("distill", "--cfg", "job", cwd=tmp_path)
    assert "max_epochs: 500" in config.stdout
    assert list(tmp_path.iterdir()) == []


def test_importing_is_fast(tmp_path: Path) -> None:
    """Loads neither torch nor PyG nor Hydra: that is what keeps it under 0.3 s."""
    code = "import sys, graphkd; print([m for m in ('torch', 'torch_geometric', 'numpy') if m in sys.modules])"
    assert (
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"
    )


@pytest.mark.slow
def test_flags_may_stand_anywhere_among_the_keys(tmp_path: Path) -> None:
    done = command("distill", "output_dir=out", "-m", "method=glnn,mlp", *FAST, cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert len(list((tmp_path / "out").iterdir())) == 2


def test_only_warnings_of_other_packages_are_left_out(capsys: pytest.CaptureFixture[str]) -> None:
    for filename, shown in (
        ("/home/me/torch-things/graphkd/api.py", True),
        ("/opt/torch/lib/site-packages/graphkd/api.py", True),
        ("/usr/lib/site-packages/torch/nn/x.py", False),
        ("/usr/lib/site-packages/torch_geometric/x.py", False),
    ):
        graphkd.cli._show_warning("look", UserWarning, filename, 1)
        assert bool(capsys.readouterr().err) == shown
