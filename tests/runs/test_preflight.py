"""A machine with little memory or disk refuses before anything is trained or written."""

import functools
from pathlib import Path

import pytest

import graphkd
from graphkd import GraphKDError, Training, teachers
from graphkd.datasets import Graph
from graphkd.datasets.setting import apply_setting
from graphkd.outofcore import TableOptions
from graphkd.runs import check_disk, preflight
from graphkd.runs.memory_estimate import drafts_size, memory_needs, tables_size, weights_size
from graphkd.spec import resolve
from tests.conftest import make_data
from tests.test_cli import FAST, command

MIB = 2**20


@pytest.fixture
def free(monkeypatch: pytest.MonkeyPatch):
    """Sets what is free, in bytes."""

    def put(memory: int | None = None, disk: int | None = None) -> None:
        monkeypatch.setattr(preflight, "available_memory", lambda device: memory)
        monkeypatch.setattr(preflight, "free_disk", lambda path: disk)

    return put


def test_too_little_memory(free, tmp_path: Path) -> None:
    free(memory=2 * MIB)
    done = command("distill", "teacher.hidden_dim=2000", cwd=tmp_path)
    assert done.stderr == (
        "graphkd: this run needs at least 43.5 MiB of memory for the teacher, 2.0 MiB are free: "
        "choose a smaller teacher.hidden_dim or teacher.num_layers, or training.teacher_batches=neighbours\n"
    )
    assert (done.returncode, done.stdout, list(tmp_path.iterdir())) == (2, "", [])
    done = command("distill", "teacher.hidden_dim=8", "student.hidden_dim=2000", cwd=tmp_path)
    assert "for the student, 2.0 MiB are free: choose a smaller student.hidden_dim" in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_width_no_machine_has_room_for_is_refused_before_it_is_built(free, tmp_path: Path) -> None:
    free(memory=2**40)
    done = command("distill", "teacher.hidden_dim=2000000", "teacher.num_layers=3", cwd=tmp_path)
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert "TiB of memory for the teacher, 1.0 TiB are free" in done.stderr


@pytest.mark.slow
def test_what_is_unknown_is_not_checked_and_what_fits_runs(free, tmp_path: Path) -> None:
    free()
    assert command("distill", *FAST, cwd=tmp_path).returncode == 0
    free(memory=2**40, disk=2**40)
    assert command("distill", "overwrite=true", *FAST, cwd=tmp_path).returncode == 0


def test_a_finished_run_needs_nothing_more(free, tmp_path: Path) -> None:
    first = command("distill", *FAST, cwd=tmp_path)
    free(memory=0, disk=0)
    again = command("distill", *FAST, cwd=tmp_path)
    assert (again.returncode, again.stdout) == (0, first.stdout)


def test_the_library_says_the_same(free) -> None:
    free(memory=1000)
    with pytest.raises(GraphKDError, match=r"needs at least .* of memory for the student, 1,?000 bytes are free"):
        graphkd.distill(make_data())


def test_on_another_device_it_can_be_the_cpu(free) -> None:
    free(memory=0)
    with pytest.raises(GraphKDError, match=r"of memory of meta for the .*, or device=cpu$"):
        preflight.check_memory(apply_setting(Graph.from_data(make_data()).to("meta")), resolve())


def test_too_little_disk(free, tmp_path: Path) -> None:
    free(disk=10_000)
    done = command("distill", "seeds=3", "output_dir=out", "cache_dir=kept", cwd=tmp_path)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    assert "to out and kept/stages, 9.8 KiB are free there: free some, or choose another output_dir" in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_disk_by_hand(free, tmp_path: Path) -> None:
    """Three seeds leave four bundles, and teacher, student and plain student three times in the cache.

    Beside the last of them a checkpoint lies there: weights, two moments, best weights.
    """
    view, spec = apply_setting(Graph.from_data(make_data())), resolve()
    teacher, student = weights_size(spec, 8, 3)
    assert teacher == student == 4 * (8 * 128 + 128 + 128 * 3 + 3)
    run, cache = tmp_path / "run", tmp_path / "cache"
    enough = 4 * student + 3 * (teacher + 2 * student) + 4 * student
    check = functools.partial(check_disk, view, spec, 3, True, run, cache)
    free(disk=enough)
    check()
    free(disk=enough - 1)
    with pytest.raises(GraphKDError, match="this run writes at least"):
        check()
    cache.mkdir()
    (cache / "teacher-a.safetensors").write_bytes(bytes(10))
    check()
    free(disk=4 * student)
    check_disk(view, resolve(teacher=Own), 3, True, run, cache)


def test_tables_in_files_by_hand(free, tmp_path: Path) -> None:
    """60 nodes, 8 features, 3 classes, two hops of 128: per seed, in files instead of memory."""
    training = Training(teacher_batches="neighbours", batch_size=1)
    spec = resolve(functools.partial(teachers.GCN, num_layers=3), method="infgrand", training=training)
    view, kept = apply_setting(Graph.from_data(make_data())), TableOptions(1.0, "bfloat16")
    files = 60 * (2 * 8 + 4 * 3 + 4 * (128 + 128 + 3))
    assert tables_size(view, spec, 2) == files
    teacher, student = weights_size(spec, 8, 3)
    assert drafts_size(view, spec) == 60 * 8 * 3  # in float64, beside the targets
    enough = 2 * (teacher + student + files) + max(4 * student, 4 * teacher - student)
    check = functools.partial(check_disk, view, spec, 2, False, None, tmp_path / "stages", kept)
    free(disk=enough)
    check()
    free(disk=enough - 1)
    with pytest.raises(GraphKDError, match="this run writes at least"):
        check()
    in_memory, in_files = (memory_needs(view, spec, each)[-1].size for each in (False, True))  # the student
    assert in_memory - in_files >= 60 * 4 * (128 + 128 + 3)


class Own(teachers.GCN):
    """Not graphkd's: nothing of it is cached."""
