import random
import shutil
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from graphkd import GraphKDError
from graphkd.deploy.batch.block import Scored
from graphkd.deploy.batch.journal import DIGEST, Journal, journal_of

JOB = {"student": "one", "rows": ["in.npy", 1, 2]}
BLOCKS = [
    Scored(0, 2, np.float32([[0.25, 0.75], [1, 0]]), None, {}),
    Scored(2, 2, np.float32([[0.5, 0.5]]), ["a", "b"], {1: "column 'x' holds NaN"}),
    Scored(4, 1, np.float32([[0, 1]]), None, {}),
]


class Killed(BaseException):
    """As if the process had ended."""


def killed(output: Path, job: dict[str, Any] = JOB) -> Path:
    """The folder of a job that ended after three blocks."""
    with suppress(Killed), journal_of(output, job) as journal:
        for block in BLOCKS:
            journal.add(block)
        raise Killed
    return output.with_name(f".{output.name}.progress")


def found(output: Path, job: dict[str, Any] = JOB) -> list[int]:
    """The starts of the blocks that are taken, which are as they were written."""
    starts = []
    with suppress(Killed), journal_of(output, job) as journal:
        for block, expected in zip(journal.blocks(), BLOCKS, strict=False):
            np.testing.assert_array_equal(block.proba, expected.proba)
            assert (block.start, block.count, block.rejects) == (expected.start, expected.count, expected.rejects)
            assert block.ids == expected.ids
            starts.append(block.start)
        assert journal.finished == len(starts)
        raise Killed
    return starts


def damages(content: bytes) -> Iterator[bytes]:
    draw = random.Random(0)
    for _ in range(40):
        at = draw.randrange(len(content))
        yield content[:at] + bytes([content[at] ^ 1 << draw.randrange(8)]) + content[at + 1 :]
    for size in (0, 1, DIGEST - 1, DIGEST, DIGEST + 1, len(content) // 2, len(content) - 1):
        yield content[:size]
    yield content + b"\0"
    yield content[DIGEST:]  # as older versions wrote it


def test_a_damaged_block_and_those_behind_it_are_not_taken(tmp_path: Path) -> None:
    folder, output = killed(tmp_path / "out.npy"), tmp_path / "out.npy"
    assert found(output) == [0, 2, 4]
    for number, expected in ((1, [0]), (0, [])):
        file = folder / f"block-{number:08}"
        content = file.read_bytes()
        for damaged in damages(content):
            kept = shutil.copytree(folder, tmp_path / "kept")
            file.write_bytes(damaged)
            assert found(output) == expected
            shutil.rmtree(folder, ignore_errors=True)
            kept.rename(folder)
        assert found(output) == [0, 2, 4]


def test_a_block_is_taken_in_its_own_place_and_job_only(tmp_path: Path) -> None:
    other = killed(tmp_path / "other.npy", {**JOB, "student": "two"})
    for change, expected in (
        (lambda folder: (folder / "block-00000002").replace(folder / "block-00000001"), [0]),
        (lambda folder: shutil.copy(folder / "block-00000000", folder / "block-00000001"), [0]),
        (lambda folder: shutil.copy(folder / "block-00000001", folder / "block-00000003"), [0, 2, 4]),
        (lambda folder: shutil.copy(other / "block-00000001", folder / "block-00000001"), [0]),
        (lambda folder: shutil.copy(other / "block-00000000", folder / "block-00000000"), []),
        (lambda folder: (folder / "block-00000001").unlink(), [0]),
    ):
        folder = killed(tmp_path / "out.npy")
        change(folder)
        assert found(tmp_path / "out.npy") == expected
        shutil.rmtree(folder, ignore_errors=True)


def test_another_job_begins_anew(tmp_path: Path) -> None:
    for other in ({**JOB, "student": "two"}, {**JOB, "more": 1}, {"student": "one"}):
        folder = killed(tmp_path / "out.npy")
        assert found(tmp_path / "out.npy", other) == []
        assert not folder.exists()
    folder = killed(tmp_path / "out.npy")
    (folder / "job.json").write_text("{")
    assert found(tmp_path / "out.npy") == []


def of_a_person() -> dict[str, Callable[[Path], object]]:
    return {
        "notes": lambda place: (place / "notes.txt").write_text("mine"),
        "a folder": lambda place: (place / "output").mkdir(),
        "the name of a draft": lambda place: (place / "draft").write_text("mine"),
        "names of a job, but none that says so": lambda place: (place / "output").write_text("mine"),
        "another lock": lambda place: [(place / name).write_text("mine") for name in ("lock", "mine.txt")],
        "another job": lambda place: [(place / name).write_text("mine") for name in ("job.json", "run.sh")],
        "a link": lambda place: [(place / "lock").touch(), (place / "output").symlink_to("/etc/hostname")],
        "a hidden file": lambda place: (place / ".gitkeep").touch(),
        "blocks of something": lambda place: (place / "block-1").write_text("mine"),
        "a folder within": lambda place: [(place / "lock").touch(), (place / "draft").mkdir()],
    }


@pytest.mark.parametrize("kind", of_a_person())
def test_what_a_person_has_there_stays(tmp_path: Path, kind: str) -> None:
    place = tmp_path / ".out.npy.progress"
    place.mkdir()
    of_a_person()[kind](place)
    before = {file.name: file.is_file() and file.read_bytes() for file in place.iterdir()}
    with pytest.raises(GraphKDError, match="is needed for the progress of this job, and holds something else"):
        found(tmp_path / "out.npy")
    assert {file.name: file.is_file() and file.read_bytes() for file in place.iterdir()} == before


def test_what_is_no_folder_stays(tmp_path: Path) -> None:
    place = tmp_path / ".out.npy.progress"
    (tmp_path / "far").mkdir()
    for make in (
        lambda: place.write_text("mine"),
        lambda: place.symlink_to(tmp_path / "far"),
        lambda: place.symlink_to(tmp_path / "nowhere"),
    ):
        make()
        with pytest.raises(GraphKDError, match="holds something else: rename it, or choose another output"):
            found(tmp_path / "out.npy")
        place.unlink()
    assert (tmp_path / "far").is_dir()


def test_killed_while_it_cleans_up_its_folder_is_still_known(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    unlink, rmdir, steps = Path.unlink, Path.rmdir, [0]

    def counted(change: Callable[..., None]) -> Callable[..., None]:
        def call(self: Path, *args: Any, **more: Any) -> None:
            if not steps[0] and self.parent.name.startswith(".out") | self.name.startswith(".out"):
                raise Killed
            steps[0] -= 1
            change(self, *args, **more)

        return call

    for last in range(5):
        folder = killed(tmp_path / "out.npy")
        steps[0] = last
        with monkeypatch.context() as patch:
            patch.setattr(Path, "unlink", counted(unlink))
            patch.setattr(Path, "rmdir", counted(rmdir))
            with pytest.raises(Killed), journal_of(tmp_path / "out.npy", JOB):
                pass
        assert folder.exists()
        assert found(tmp_path / "out.npy") == ([0, 2, 4] if last == 0 else [])
        shutil.rmtree(folder, ignore_errors=True)


def test_blocks_are_on_the_disk_before_they_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    steps = []
    monkeypatch.setattr("os.fsync", lambda handle: steps.append("fsync"))
    monkeypatch.setattr("os.replace", lambda one, other: steps.append(other.name))
    (tmp_path / "job.json").touch()
    monkeypatch.setattr("graphkd.deploy.batch.journal.write_json", lambda *_: None)
    Journal(tmp_path, JOB).add(BLOCKS[0])
    assert steps == ["fsync", "block-00000000"]
