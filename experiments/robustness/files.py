"""Kills, flipped bits and cuts in what graphkd keeps on disk: wrong answers, refusals and recoveries are counted.

python experiments/robustness/files.py [--tries 300] [--seed 0] [--only replace,journal,blocks,library,cache]

A try is right where the answer is the one of the whole files (or, of a folder that is replaced, of the old or the
new one), or a refusal in one line. It ends with status 1 if one is wrong.
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import warnings
from collections import Counter
from collections.abc import Callable
from contextlib import redirect_stderr, suppress
from io import StringIO
from pathlib import Path

import numpy as np
import torch

import graphkd
from graphkd import GraphKDError, students
from graphkd.datasets import Preprocessing
from graphkd.deploy import FeatureStore, load_bundle, write_bundle
from graphkd.deploy.batch import block as block_module
from graphkd.deploy.batch.journal import Journal
from graphkd.deploy.batch.score import Job, score_file
from graphkd.encoders import Encoding
from graphkd.training.stages.stage_cache import StageCache, StageResult

SIZES = {"num_features": 3, "hidden_dim": 16, "num_classes": 2, "num_layers": 2}
ROWS = np.random.default_rng(0).standard_normal((40, 3)).astype(np.float32)


class Killed(BaseException):
    """As if the process had ended."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tries", type=int, default=300, help="of each kind")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", default=",".join(KINDS), help="kinds, separated by commas")
    args = parser.parse_args()
    wrong = 0
    print("| what | tries | wrong | refused in one line | recovered |\n|---|---|---|---|---|")
    for name in args.only.split(","):
        with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
            warnings.simplefilter("ignore")  # a cache that is made again says so
            found = KINDS[name](Path(folder), args.tries, random.Random(args.seed))
        total = sum(found.values())
        print(f"| {name} | {total} | {found['wrong']} | {found['refused']} | {found['recovered']} |", flush=True)
        wrong += found["wrong"]
    sys.exit(bool(wrong))


def bundle(folder: Path, seed: int) -> Path:
    """A student; another seed, another one."""
    torch.manual_seed(seed)
    model = students.MLP(**SIZES).eval()
    write_bundle(folder, model, SIZES, Preprocessing(), Encoding(), None, {"seed": seed})
    return folder


def damaged(content: bytes, draw: random.Random) -> bytes:
    """With a bit that is another, cut off, or with a hole of zeros."""
    kind, at = draw.randrange(4), draw.randrange(len(content))
    if kind == 0:
        return content[:at]
    if kind == 1:
        end = min(len(content), at + draw.randrange(1, 64))
        return content[:at] + bytes(end - at) + content[end:]
    return content[:at] + bytes([content[at] ^ 1 << draw.randrange(8)]) + content[at + 1 :]


def outcome(answer: Callable[[], bool]) -> str:
    """``recovered`` where the answer is right, ``refused`` where there is one line instead."""
    try:
        return "recovered" if answer() else "wrong"
    except GraphKDError as error:
        return "refused" if "\n" not in str(error) else "wrong"
    except Exception as error:
        print(f"{type(error).__name__}: {error}", file=sys.stderr)
        return "wrong"


WRITER = """
import itertools, sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
if sys.argv[3] == "renames":
    from graphkd import folders
    folders.exchange = lambda *_: False
from files import bundle
for seed in itertools.count(1):
    bundle(Path(sys.argv[2]), seed)
    if seed == 1:
        print("begun", flush=True)
"""


def replace(folder: Path, tries: int, draw: random.Random) -> Counter[str]:
    """Reads while a bundle is replaced without end, then a kill; ``recovered`` are reads and kills."""
    found: Counter[str] = Counter()
    for number in range(max(tries // 20, 2)):
        place = bundle(folder / str(number), 0)
        system = "exchange" if number % 2 == 0 else "renames"
        command = [sys.executable, "-c", WRITER, str(Path(__file__).parent), str(place), system]
        writer = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert writer.stdout is not None
        writer.stdout.readline()
        last, end = 0, time.monotonic() + draw.uniform(0.05, 0.6)
        while time.monotonic() < end:
            last = _read(found, place, last)
        os.kill(writer.pid, signal.SIGKILL)
        writer.wait()
        last = _read(found, place, last)
        bundle(place, 7)
        found["recovered" if os.listdir(folder) == [place.name] else "wrong"] += 1
        shutil.rmtree(place)
    return found


def _read(found: Counter[str], place: Path, last: int) -> int:
    seen = last

    def newer() -> bool:
        nonlocal seen
        seen = load_bundle(place, "numpy").card["seed"]
        return seen >= last

    found[outcome(newer)] += 1
    return seen


def journal(folder: Path, tries: int, draw: random.Random) -> Counter[str]:
    """Of a store whose writer was killed after some updates."""
    edges = np.array([[0, 1, 2, 3], [1, 2, 3, 4]])
    path = folder / "first"
    built = FeatureStore.build(path, np.eye(6, 4), np.concatenate([edges, edges[::-1]], axis=1), hops=2)
    for number in range(6):
        built.insert_node([number, 1.0, 2.0, 3.0], [number, number + 1])
    expected = built.rows(built.nodes)
    files = {file.name: file.read_bytes() for file in path.iterdir()}
    built.close()

    def same(copy: Path, write: bool) -> bool:
        with FeatureStore(copy, write) as store:  # a refusal comes here, or never
            try:
                store.verify()
                return np.array_equal(store.rows(store.nodes), expected)
            except GraphKDError:
                return False

    found: Counter[str] = Counter()
    for number in range(tries):
        copy = folder / str(number)
        copy.mkdir()
        for name, content in {**files, "journal": damaged(files["journal"], draw)}.items():
            (copy / name).write_bytes(content)
        found[outcome(lambda copy=copy, number=number: same(copy, number % 2 == 0))] += 1
        shutil.rmtree(copy)
    return found


def blocks(folder: Path, tries: int, draw: random.Random) -> Counter[str]:
    """Of batch scoring that was killed, of another student's, and in another place."""
    block_module.MOST_ROWS, block_module.LEAST_ROWS = 4, 1
    np.save(folder / "in.npy", ROWS)
    model = load_bundle(bundle(folder / "bundle", 0), "numpy")
    job, add = Job(folder / "in.npy", folder / "out.npy"), Journal.add
    score_file(job, model, "0")
    expected = job.output.read_bytes()

    def stop(self: Journal, block: block_module.ValidationMetric) -> None:
        if self.finished == 6:
            raise Killed
        add(self, block)

    def resumed() -> bool:
        score_file(job, model, "0")
        return job.output.read_bytes() == expected

    found: Counter[str] = Counter()
    for _ in range(tries):
        job.output.unlink(missing_ok=True)
        Journal.add = stop  # type: ignore[method-assign]
        with suppress(Killed):
            score_file(job, model, "0")
        Journal.add = add  # type: ignore[method-assign]
        one, other = (folder / ".out.npy.progress" / f"block-{draw.randrange(6):08}" for _ in range(2))
        one.write_bytes(damaged(one.read_bytes(), draw) if draw.random() < 0.8 else other.read_bytes())
        with redirect_stderr(StringIO()):  # it says that it goes on
            found[outcome(resumed)] += 1
    return found


def library(folder: Path, tries: int, draw: random.Random) -> Counter[str]:
    """The compiled student in the cache; asked in a process of its own, since a bad one ends it."""
    os.environ["GRAPHKD_CACHE"] = str(folder / "cache")
    graph = graphkd.load_dataset("digits")
    run = graphkd.distill(graph, method="mlp", training=graphkd.Training(max_epochs=2), seed=0)
    run.save(folder / "run")
    run.export(folder / "run", "c", allow_loss=True)
    program = """
import sys, numpy, graphkd
model = graphkd.load_bundle(sys.argv[1], "native")
print(model.predict_proba(numpy.linspace(0, 1, 64, dtype="float32")[None]).tobytes().hex())
"""

    def asked() -> str:
        command = [sys.executable, "-c", program, str(folder / "run")]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        return done.stdout if done.returncode == 0 else f"ended with {done.returncode}: {done.stderr[-500:]}"

    expected, found = asked(), Counter[str]()
    contents = {place: place.read_bytes() for place in (folder / "cache" / "native").glob("*.so")}
    for _ in range(max(tries // 10, 3)):
        for place, content in contents.items():
            place.unlink(missing_ok=True)  # this process has the old file mapped since it exported
            place.write_bytes(damaged(content, draw))
        found[outcome(lambda: asked() == expected)] += 1
    return found


def stage_result(folder: Path, tries: int, draw: random.Random) -> Counter[str]:
    """Of a stage of training, damaged or under another's name."""
    cache, keys = StageCache(folder), [{"seed": seed} for seed in range(2)]
    for key in keys:
        cache.save(
            "teacher", key, StageResult({"w": torch.full((40, 3), float(key["seed"]))}, {"of": key["seed"]})
        )
    places = [cache._path("teacher", key, folder / "stages") for key in keys]
    contents = [place.read_bytes() for place in places]

    def right(which: int) -> bool:
        kept = cache.load("teacher", keys[which])
        return kept is None or (kept.facts == {"of": which} and bool((kept.tensors["w"] == which).all()))

    found: Counter[str] = Counter()
    for number in range(tries):
        which = number % 2
        places[which].write_bytes(damaged(contents[which], draw) if draw.random() < 0.8 else contents[1 - which])
        found[outcome(lambda which=which: right(which))] += 1
        places[which].write_bytes(contents[which])
    return found


KINDS = {
    "replace": replace,
    "journal": journal,
    "blocks": blocks,
    "library": library,
    "cache": stage_result,
}


if __name__ == "__main__":
    main()
