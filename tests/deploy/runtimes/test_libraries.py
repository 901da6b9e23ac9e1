import ctypes
import os
import random
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from graphkd import GraphKDError
from graphkd.deploy.runtimes import compiler
from graphkd.deploy.runtimes.libraries import find, keep, private_folder

SOURCE = b"int one(void) { return 1; }\n"


def library() -> Path:
    return compiler.shared_library(SOURCE, lambda: {"student.c": SOURCE})


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("GRAPHKD_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("CC", raising=False)
    return tmp_path / "cache"


def damages(content: bytes) -> Iterator[bytes]:
    """Cut, lengthened and with single bits that are others."""
    for size in (0, 1, 64, len(content) // 2, len(content) - 1):
        yield content[:size]
    yield content + b"\0"
    draw = random.Random(0)
    for _ in range(25):
        at = draw.randrange(len(content))
        yield content[:at] + bytes([content[at] ^ 1 << draw.randrange(8)]) + content[at + 1 :]


def test_a_damaged_library_is_compiled_again() -> None:
    place = library()
    content, key = place.read_bytes(), place.name.split("-")[0]
    for damaged in damages(content):
        place.write_bytes(damaged)
        assert find(place.parent, key) is None
        assert not place.exists()
    assert library() == place
    assert place.read_bytes() == content
    place.write_bytes(content[: len(content) // 2])
    assert ctypes.CDLL(str(library())).one() == 1
    assert list(place.parent.iterdir()) == [place]


def test_a_library_under_another_name_is_not_taken(tmp_path: Path) -> None:
    folder = private_folder(tmp_path, "native")
    for key in ("a", "b"):
        (tmp_path / "new").write_bytes(key.encode())
        assert find(folder, key) is None
        place = keep(tmp_path / "new", folder, key)
        assert find(folder, key) == place
    os.replace(folder / place.name, folder / place.name.replace("b-", "a-"))
    assert find(folder, "b") is None
    (folder / "b-link.so").symlink_to("/etc/hostname")
    assert find(folder, "b") is None
    found = find(folder, "a")
    assert found is not None
    assert found.read_bytes() == b"a"


@pytest.mark.parametrize("mode", [0o700, 0o750, 0o755, 0o775, 0o777, 0o1777, 0o500])
def test_the_folder_is_closed_to_others(cache: Path, mode: int) -> None:
    (cache / "native").mkdir(parents=True)
    (cache / "native").chmod(mode)
    assert private_folder(cache, "native") == cache / "native"
    assert stat.S_IMODE((cache / "native").stat().st_mode) == 0o700


def test_another_user_s_folder_is_not_used(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    own = f"native-{os.geteuid()}"
    cache.mkdir()
    (cache / "native").write_text("a file")
    assert private_folder(cache, "native") == cache / own
    (cache / "native").unlink()
    (cache / "native").symlink_to(cache / own)
    assert private_folder(cache, "native") == cache / own
    monkeypatch.setattr(os, "geteuid", lambda: 4321)
    with pytest.raises(
        GraphKDError, match="native-4321 belongs to another user: set GRAPHKD_CACHE to a folder of"
    ):
        library()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
def test_another_user_s_library_is_not_loaded(cache: Path) -> None:
    place = library()
    os.chown(place, 4321, 4321)
    assert library() == place
    assert place.stat().st_uid == 0
    os.chown(cache / "native", 4321, 4321)
    assert library().parent == cache / "native-0"
    assert place.exists()
