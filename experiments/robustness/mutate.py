"""How many wrong changes of the core do the tests notice?

python experiments/robustness/mutate.py                     # resumes; prints the score
python experiments/robustness/mutate.py --only spearman     # names that hold this text, made again
"""

from __future__ import annotations

import argparse
import csv
import importlib.util
import multiprocessing
import os
import shutil
import signal
import sys
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from mutations import ROOT, Mutation, mistakes, mutations

RESULTS = Path(__file__).parent / "expected.csv"
FIELDS = ("name", "file", "outcome", "seconds")

COPIED = ("graphkd", "tests", "configs", "experiments", "examples", "docs", "pyproject.toml", "README.md")
"""What the tests read."""

SECONDS = 300.0
"""Of one run of tests; a change that makes them hang is noticed by that."""

OPTIONS = ("-x", "-q", "-p", "no:cacheprovider", "-W", "ignore")


LIBRARIES = (
    *("torch", "torch_geometric.data", "numpy", "scipy.sparse", "scipy.stats", "sklearn.metrics", "pandas"),
    *("pyarrow.parquet", "safetensors.torch", "omegaconf", "tqdm", "hypothesis", "pytest", "uvicorn"),
)
"""Loaded once, by the process that those which run tests are forked from: most of the time of a short run."""

STATUS = 100
"""Added to that of pytest: a process that ends before its tests has another one."""

CONTEXT = multiprocessing.get_context("forkserver")


def in_a_process(root: str, said: str, arguments: list[str]) -> None:
    """Runs pytest in a copy, and ends with its status."""
    os.setsid()  # with what the tests start
    handle = os.open(said, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o666)
    for stream in (1, 2):
        os.dup2(handle, stream)
    os.chdir(root)
    os.environ["PYTHONPATH"] = root
    sys.path.insert(0, root)
    import pytest

    code = pytest.main(arguments, plugins=[WithoutShrinking()])
    sys.stdout.flush()
    os._exit(STATUS + int(code))


class WithoutShrinking:
    """The same examples every time; that one fails is enough, hypothesis need not look for the smallest."""

    def pytest_collection_modifyitems(self) -> None:
        """After the profile of the tests is loaded, and before any of them runs."""
        from hypothesis import Phase, settings

        phases = (Phase.explicit, Phase.generate)
        settings.register_profile("mutated", settings.default, phases=phases, database=None, derandomize=True)
        settings.load_profile("mutated")


@dataclass(frozen=True)
class Copy:
    """A copy of the repository in which files are changed and tests run.

    Args:
        root: of the copy.
    """

    root: Path

    @classmethod
    def make(cls, folder: Path) -> Copy:
        """In a new folder."""
        for name in COPIED:
            source = ROOT / name
            if source.is_dir():
                shutil.copytree(source, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
            elif source.is_file():
                shutil.copy(source, folder / name)
        return cls(folder)

    def outcome(self, mutation: Mutation) -> str:
        """``killed`` or ``survived``; raises where the tests could not be run at all."""
        path = self.root / mutation.file
        text = path.read_text()
        try:
            self._write(path, mutation.applied(text))
            code, said = self.run(*mutation.tests)
        finally:
            self._write(path, text)
        if code not in (0, 1):
            raise RuntimeError(f"{mutation.name}: pytest ended with {code}\n{said[-2000:]}")
        return "killed" if code else "survived"

    def run(self, *tests: str) -> tuple[int, str]:
        """The status of pytest, and what it said; one that takes too long has failed."""
        said = self.root / "said.txt"
        process = CONTEXT.Process(target=in_a_process, args=(str(self.root), str(said), [*OPTIONS, *tests]))
        process.start()
        process.join(SECONDS)
        if process.exitcode is None:
            assert process.pid is not None
            os.killpg(process.pid, signal.SIGKILL)
            process.join()
            return 1, "took too long"
        return process.exitcode - STATUS, said.read_text(errors="replace")

    @staticmethod
    def _write(path: Path, text: str) -> None:
        """Changes of one second and equal length look the same to Python: what it compiled goes."""
        path.write_text(text)
        if path.suffix == ".py":
            Path(importlib.util.cache_from_source(str(path))).unlink(missing_ok=True)


class Results:
    """The outcomes so far, in a file that is written after each of them."""

    def __init__(self, path: Path) -> None:
        self.path, self.lock = path, threading.Lock()
        self.rows: dict[str, dict[str, str]] = {}
        if path.is_file():
            with path.open(newline="") as file:
                self.rows = {row["name"]: row for row in csv.DictReader(file)}

    def add(self, mutation: Mutation, outcome: str, seconds: float) -> None:
        with self.lock:
            row = {"name": mutation.name, "file": mutation.file, "outcome": outcome, "seconds": f"{seconds:.0f}"}
            self.rows[mutation.name] = row
            self.write()
            print(f"{outcome:10} {seconds:5.0f} s  {mutation.name}", flush=True)

    def write(self, order: list[Mutation] | None = None) -> None:
        """In the order of the list, those that are on it, if that is given."""
        rows = list(self.rows.values())
        if order is not None:
            rows = [self.rows[each.name] for each in order if each.name in self.rows]
        draft = self.path.with_suffix(".draft")
        with draft.open("w", newline="") as file:
            writer = csv.DictWriter(file, FIELDS, lineterminator="\n")
            writer.writeheader()
            writer.writerows(rows)
        os.replace(draft, self.path)


def score(found: list[Mutation], results: Results) -> str:
    """``K of N noticed``, of those that change behaviour."""
    known = [each for each in found if each.name in results.rows]
    real = [each for each in known if not each.equivalent]
    killed = sum(results.rows[each.name]["outcome"] == "killed" for each in real)
    alike = len(known) - len(real)
    share = 100 * killed / max(len(real), 1)
    left = len(found) - len(known)
    return f"{killed} of {len(real)} noticed ({share:.1f} %), {alike} change nothing, {left} to do"


def check_unchanged(found: list[Mutation], folder: Path) -> None:
    """The tests pass without any change: else everything would seem to be noticed."""
    tests = sorted({test for each in found for test in each.tests})
    whole = [test for test in tests if "::" not in test]
    single = [test for test in tests if test.partition("::")[0] not in whole]
    code, said = Copy(folder).run(*whole, *(each for each in single if "::" in each))
    if code:
        raise SystemExit(f"tests fail without any change:\n{said[-3000:]}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", default="", help="names that hold this text, made again")
    parser.add_argument("--survivors", action="store_true", help="those that survived, made again")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--results", type=Path, default=RESULTS)
    parser.add_argument("--unchecked", action="store_true", help="believe that the tests pass without a change")
    args = parser.parse_args()
    os.environ["OMP_NUM_THREADS"] = "1"
    CONTEXT.set_forkserver_preload(list(LIBRARIES))
    found, results = mutations(), Results(args.results)
    if wrong := mistakes(found):
        raise SystemExit("\n".join(wrong))
    again = {name for name, row in results.rows.items() if args.survivors and row["outcome"] == "survived"}
    wanted = [each for each in found if args.only in each.name and not each.equivalent]
    todo = [each for each in wanted if args.only or each.name in again or each.name not in results.rows]
    for each in found:
        if each.equivalent:
            results.rows[each.name] = dict(zip(FIELDS, (each.name, each.file, "equivalent", "0"), strict=True))
    with tempfile.TemporaryDirectory(prefix="graphkd-mutated-") as place:
        run(todo, results, Path(place), args.workers, not args.unchecked)
    results.write(found)
    print(score(found, results))


def run(todo: list[Mutation], results: Results, place: Path, workers: int, checked: bool) -> None:
    """Every worker has a copy of its own."""
    free = [Copy.make(place / str(number)) for number in range(workers)]
    if todo and checked:
        check_unchanged(todo, free[0].root)

    def one(mutation: Mutation) -> None:
        copy, start = free.pop(), time.perf_counter()
        try:
            results.add(mutation, copy.outcome(mutation), time.perf_counter() - start)
        finally:
            free.append(copy)

    with ThreadPoolExecutor(workers) as pool:
        list(pool.map(one, todo))


if __name__ == "__main__":
    main()
