"""Other ways to write a path, and links that lead to it."""

from __future__ import annotations

import os
from pathlib import Path


def spellings(file: Path) -> list[str]:
    """Of a file that is there, in a folder that is the current one.

    Args:
        file: its name also ends the names of links to it, which are made beside it.
    """
    folder = file.parent
    (folder / "sub" / "deep").mkdir(parents=True, exist_ok=True)
    (folder / "folder").symlink_to(folder)
    (folder / "sub" / "up").symlink_to("..")
    (folder / f"link{file.suffix}").symlink_to(file.name)
    (folder / f"link2{file.suffix}").symlink_to(f"link{file.suffix}")
    (folder / "sub" / f"far{file.suffix}").symlink_to(file)
    os.link(file, folder / f"hard{file.suffix}")
    os.link(file, folder / "sub" / file.name)
    return [
        str(file),
        file.name,
        f"./{file.name}",
        f"sub/../{file.name}",
        f"sub/deep/../../{file.name}",
        f"..//{folder.name}/{file.name}",
        f"folder/{file.name}",
        f"sub/up/{file.name}",
        f"folder/folder/sub/up/{file.name}",
        f"link{file.suffix}",
        f"link2{file.suffix}",
        f"sub/far{file.suffix}",
        f"hard{file.suffix}",
        f"sub/{file.name}",
    ]
