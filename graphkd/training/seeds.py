"""Seeds: the user's format, and the generators of a stage."""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch

from graphkd.checks import is_whole, plain
from graphkd.errors import GraphKDError

MOST = 10**6
"""Maximum number of seeds that a count may request; more would be a mistake."""


def parse_seeds(seeds: Any) -> list[int]:
    """Converts ``5`` to ``[0, 1, 2, 3, 4]``; a list is returned as it is.

    Raises:
        GraphKDError: not a positive count, nor a list of different non-negative whole numbers.
    """
    if is_whole(seeds) and 0 < seeds <= MOST:
        return list(range(seeds))
    values = list(seeds) if isinstance(seeds, Sequence) and not isinstance(seeds, str) else []
    values = [plain(seed) for seed in values]
    whole = all(is_whole(seed) and 0 <= seed < 2**32 for seed in values)
    if values and whole and len(set(values)) == len(values):
        return values
    raise GraphKDError(f"seeds is {seeds}: give a count such as 5, or different whole numbers such as [0,1,7]")


def parse_seed(seed: Any) -> int:
    """Checks one seed, and returns it.

    Raises:
        GraphKDError: it is no whole number from 0 to 2³² − 1.
    """
    seed = plain(seed)
    if not is_whole(seed) or not 0 <= seed < 2**32:
        raise GraphKDError(f"seed is {seed!r}: give a whole number from 0 to {2**32 - 1}")
    return int(seed)


def generator(seed: int, *parts: str | int, device: torch.device) -> torch.Generator:
    """Returns a generator on ``device`` seeded by ``seed`` and its purpose, independent of other draws."""
    return torch.Generator(device).manual_seed(_number(*parts, seed))


@contextmanager
def seeded(seed: int, stage: str, device: torch.device) -> Iterator[None]:
    """Seeds everything random in the block by ``seed`` and ``stage`` only; the caller's state is restored."""
    with torch.random.fork_rng([device] if device.type == "cuda" else []):
        torch.manual_seed(_number(stage, seed))
        yield


def _number(*parts: str | int) -> int:
    return zlib.crc32("-".join(map(str, parts)).encode())
