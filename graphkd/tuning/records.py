"""The file of a search: a line for everything that was found, from which a killed search goes on."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from graphkd.errors import GraphKDError
from graphkd.tuning.candidate import Candidate, Result

SCHEMA_VERSION = 1
FILE = "trials.jsonl"


class Records:
    """What a search has found so far.

    Args:
        folder: of the search; made if it is missing.
        settings: of the search; those of an earlier search in the folder must be the same.

    Raises:
        GraphKDError: the folder holds another search, or its file is damaged.
    """

    def __init__(self, folder: Path, settings: dict[str, Any]) -> None:
        self.path = folder / FILE
        self.rounds: dict[tuple[str, int], list[Candidate]] = {}
        self.results: list[Result] = []
        self.facts: dict[str, Any] = {}
        self.elapsed = 0.0
        head = {"schema_version": SCHEMA_VERSION, "settings": json.loads(json.dumps(settings))}
        lines = list(self._lines())
        if not lines:
            folder.mkdir(parents=True, exist_ok=True)
            self._append(head)
            return
        self._check(lines[0], head)
        for line in lines[1:]:
            self._read(line)

    def add_round(self, stage: str, number: int, candidates: Sequence[Candidate]) -> None:
        """Records the proposals of a round, before any is trained."""
        self.rounds[stage, number] = list(candidates)
        self._append({"stage": stage, "round": number, "candidates": [asdict(each) for each in candidates]})

    def add_results(self, results: Sequence[Result], elapsed: float) -> None:
        """Records results, and the seconds that the search has taken."""
        self.results += results
        self.elapsed = elapsed
        self._append({"results": [asdict(result) for result in results], "elapsed": round(elapsed, 3)})

    def add_fact(self, name: str, value: Any) -> None:
        """Records a decision."""
        self.facts[name] = value
        self._append({"fact": name, "value": value})

    def _read(self, line: dict[str, Any]) -> None:
        if "candidates" in line:
            self.rounds[line["stage"], line["round"]] = [_candidate(each) for each in line["candidates"]]
        elif "results" in line:
            self.results += [Result(**each) for each in line["results"]]
            self.elapsed = line["elapsed"]
        else:
            self.facts[line["fact"]] = line["value"]

    def _check(self, found: dict[str, Any], head: dict[str, Any]) -> None:
        if found.get("schema_version") != SCHEMA_VERSION:
            raise GraphKDError(f"{self.path} is of another version of graphkd: choose another output_dir")
        old, new = found["settings"], head["settings"]
        for key in (*new, *old):
            if old.get(key) != new.get(key):
                raise GraphKDError(
                    f"{self.path.parent} holds a search with {key} {old.get(key)}, not {new.get(key)}: choose "
                    "another output_dir, or give the same"
                )

    def _lines(self) -> Iterator[dict[str, Any]]:
        """Yields the whole lines; one that was cut off when the process was killed is removed."""
        if not self.path.exists():
            return
        content = self.path.read_bytes()
        whole = content.rpartition(b"\n")[0] + b"\n" if b"\n" in content else b""
        if whole != content:
            self.path.write_bytes(whole)
        for line in whole.decode("utf-8").splitlines():
            try:
                yield json.loads(line)
            except ValueError:
                raise GraphKDError(f"{self.path} is damaged: choose another output_dir") from None

    def _append(self, line: dict[str, Any]) -> None:
        with self.path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")


def _candidate(fields: dict[str, Any]) -> Candidate:
    return Candidate(**{**fields, "overrides": tuple(fields["overrides"]), "teacher": tuple(fields["teacher"])})
