"""Candidates of a search, and their scores."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Candidate:
    """Settings to try.

    Args:
        number: in the order of proposal, from 0.
        overrides: of ``graphkd distill``, beyond those that all share.
        stage: ``teacher``, of which the teacher alone is trained, or ``student``.
        kind: ``baseline`` of a plain MLP, ``start`` of another fixed point, or ``search`` of a proposal.
        params: what the sampler drew.
        teacher: the overrides among them that name its teacher; empty for the default one, or none.
    """

    number: int
    overrides: tuple[str, ...]
    stage: str = "student"
    kind: str = "search"
    params: Mapping[str, Any] = field(default_factory=dict)
    teacher: tuple[str, ...] = ()

    @property
    def encoder(self) -> tuple[str, ...]:
        """The overrides that choose the student's inputs."""
        return tuple(each for each in self.overrides if each.startswith(("encoder=", "encoder.")))

    @property
    def is_plain(self) -> bool:
        """Whether this is a plain MLP, which no teacher taught."""
        return "method=mlp" in self.overrides


@dataclass(frozen=True)
class Result:
    """The score of a candidate on one seed.

    Args:
        number: of the candidate.
        seed: the seed.
        val: score of the validation nodes; None where training failed or was stopped.
        seconds: of all that was trained for it.
        error: why there is no score.
    """

    number: int
    seed: int
    val: float | None
    seconds: float
    error: str = ""


class Scores:
    """Validation scores of candidates by seed.

    Seeds can have splits of their own, some easier than others: candidates are compared by their mean difference
    to a reference that was trained on every seed.
    """

    def __init__(self) -> None:
        self._values: dict[int, dict[int, Result]] = {}

    def add(self, result: Result) -> None:
        """Records the result of a seed."""
        self._values.setdefault(result.number, {})[result.seed] = result

    def has(self, number: int, seed: int) -> bool:
        """Returns whether a candidate was tried on a seed."""
        return seed in self._values.get(number, {})

    def results(self, number: int) -> list[Result]:
        """Returns the results of a candidate, in the order of its seeds."""
        return [result for _, result in sorted(self._values.get(number, {}).items())]

    def failed(self, number: int, seeds: Iterable[int]) -> bool:
        """Returns whether a candidate failed on one of the seeds."""
        own = self._values.get(number, {})
        return any(own[seed].val is None for seed in seeds if seed in own)

    def differences(self, number: int, reference: int, seeds: Iterable[int]) -> list[float]:
        """Returns ``val − val of the reference`` by seed, of the seeds that both have."""
        own, other = self._values.get(number, {}), self._values.get(reference, {})
        pairs = [(own[seed].val, other[seed].val) for seed in seeds if seed in own and seed in other]
        return [value - base for value, base in pairs if value is not None and base is not None]

    def gain(self, number: int, reference: int, seeds: Iterable[int]) -> float:
        """Returns the mean of ``differences``; −∞ for a candidate that failed on a seed, or has none of them."""
        chosen = list(seeds)
        found = self.differences(number, reference, chosen)
        return sum(found) / len(found) if found and not self.failed(number, chosen) else -math.inf
