"""The file of a search: a line for everything that was found, from which a killed search goes on."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from graphkd.atomic_io import read_regular, sha256
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
        plain = json.loads(json.dumps(settings))
        head = {"schema_version": SCHEMA_VERSION, "code": code_of_proposals(), "settings": plain}
        lines = list(self._lines())
        if not lines and folder.is_dir() and any(folder.iterdir()):
            raise GraphKDError(f"{folder} exists and holds no search: choose another output_dir")
        if not lines:
            folder.mkdir(parents=True, exist_ok=True)
            self._append(head)
            return
        self._check(lines[0], head)
        for line in lines[1:]:
            try:
                self._read(line)
            except (KeyError, TypeError, AttributeError):
                raise GraphKDError(f"{self.path} is damaged: choose another output_dir") from None

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
        if self.facts.get(name, self) == value:
            return
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
        version, mine = found.get("schema_version"), head["schema_version"]
        if version != mine or not isinstance(found.get("settings"), dict) or found.get("code") != head["code"]:
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
        content = read_regular(self.path)
        whole = content.rpartition(b"\n")[0] + b"\n" if b"\n" in content else b""
        if whole != content:
            self.path.write_bytes(whole)
        for line in whole.splitlines():
            try:
                found = json.loads(line.decode("utf-8"))
            except ValueError:
                found = None
            if not isinstance(found, dict):
                raise GraphKDError(f"{self.path} is damaged: choose another output_dir")
            yield found

    def _append(self, line: dict[str, Any]) -> None:
        with self.path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")


def code_of_proposals() -> str:
    """Returns what proposals depend on beside settings and results: the space's code, and Optuna's version."""
    import optuna

    source = Path(__file__).with_name("space.py").read_bytes()
    return f"{sha256(source)[:12]}, Optuna {optuna.__version__}"


def _candidate(fields: dict[str, Any]) -> Candidate:
    return Candidate(**{**fields, "overrides": tuple(fields["overrides"]), "teacher": tuple(fields["teacher"])})
