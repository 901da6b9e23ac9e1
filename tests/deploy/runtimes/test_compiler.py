import functools
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from graphkd import GraphKDError
from graphkd.deploy.runtimes import compiler

FILES = {"student.c": b'#include "student.h"\nint one(void) { return ONE; }\n', "student.h": b"#define ONE 1\n"}


def shared_library(files: dict[str, bytes]) -> Path:
    return compiler.shared_library(b"".join(files.values()), lambda: files)


@pytest.fixture(autouse=True)
def _cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GRAPHKD_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("CC", raising=False)


def test_it_is_built_once_for_one_source_and_one_compiler(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    library = shared_library(FILES)
    built = library.stat().st_mtime_ns
    assert library.parent == tmp_path / "cache" / "native"
    assert shared_library(FILES) == library
    assert library.stat().st_mtime_ns == built
    assert shared_library({**FILES, "student.h": b"#define ONE 2\n"}) != library
    monkeypatch.setenv("CC", "cc -DGRAPHKD_PORTABLE")
    assert shared_library(FILES) != library
    assert all(entry.suffix == ".so" for entry in library.parent.iterdir())


@pytest.mark.parametrize(
    ("command", "message"),
    [
        ("no-such-compiler", "needs a C compiler, and there is no no-such-compiler: install one, set CC to it"),
        ("true", "true is no working C compiler"),
        ('cc "', "CC is 'cc \"', which is no command .No closing quotation.: set it to a C compiler"),
        ("cc \\", "which is no command"),
        ("/", "there is no /"),
        ("cat", "cat is no working C compiler"),
        ("echo", "echo could not compile the student"),
        ("cc -nonsense-flag", "cc is no working C compiler"),
        ("./cc", "there is no ./cc"),
        ("false", "false is no working C compiler"),
        (" ", "there is no cc"),
    ],
)
def test_compilers_that_will_not_do(command: str, message: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CC", command)
    with pytest.raises(GraphKDError, match=message) as caught:
        shared_library(FILES)
    assert "\n" not in str(caught.value)


def test_a_compiler_that_does_not_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CC", "sleep 30")
    monkeypatch.setattr(compiler, "LONGEST", 0.2)
    monkeypatch.setattr(compiler.subprocess, "run", functools.partial(_sleeping, subprocess.run))
    with pytest.raises(GraphKDError, match=r"sleep did not end in 0.2 s: set CC to a C compiler"):
        shared_library(FILES)


def _sleeping(run: Any, command: list[str], **keys: Any) -> Any:
    return run(command[:2], **keys)


def test_a_user_without_a_home(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("GRAPHKD_CACHE", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)

    def homeless() -> Path:
        raise RuntimeError

    monkeypatch.setattr(Path, "home", homeless)
    with pytest.raises(GraphKDError, match="this user has no home folder: set GRAPHKD_CACHE"):
        shared_library(FILES)


def test_a_source_that_does_not_compile(tmp_path: Path) -> None:
    with pytest.raises(
        GraphKDError, match=r"cc could not compile the student \(.*\): set CC to another"
    ) as caught:
        shared_library({**FILES, "student.c": b"this is not C\n"})
    assert "\n" not in str(caught.value)
    assert list((tmp_path / "cache" / "native").iterdir()) == []


def test_a_cache_that_cannot_be_written_to(tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("a file")
    with pytest.raises(GraphKDError, match="cannot be written to .*: set GRAPHKD_CACHE to a folder that can"):
        shared_library(FILES)


def test_two_processes_that_compile_the_same_at_once_find_one_library(tmp_path: Path) -> None:
    program = f"""
from graphkd.deploy.runtimes import compiler
print(compiler.shared_library(b"x", lambda: {FILES!r}))
"""
    command = [sys.executable, "-c", program]
    jobs = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(4)]
    assert len({job.communicate()[0] for job in jobs}) == 1
    assert len(list((tmp_path / "cache" / "native").iterdir())) == 1


def test_what_a_killed_compiler_left_is_removed(tmp_path: Path) -> None:
    library = shared_library(FILES)
    left = library.with_name(f".{library.name.split('-')[0]}.abcdefgh.draft")
    left.mkdir()
    library.unlink()
    assert shared_library(FILES) == library
    assert list(library.parent.iterdir()) == [library]
