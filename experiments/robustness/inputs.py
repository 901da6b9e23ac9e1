"""Damaged and crafted files, by the hundred: what does each reader answer? See README.md beside this file.

python experiments/robustness/inputs.py [--tries 60] [--seed 0] [kind …]

Every kind of file is written whole once, then spoiled ``--tries`` times: bytes flipped, cut, doubled and inserted,
numbers replaced by extreme ones. What has a checksum is sealed again, so that contents are what is tried. A child
process reads each, with 10 seconds and 2 GiB more than it began with. The command prints a table, and ends with 1
where a try ended in a crash, a hang or a traceback.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import resource
import signal
import sys
import tempfile
import time
import warnings
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).parent))
from kinds import KINDS  # experiments/robustness/kinds.py

SECONDS, BYTES = 10, 2**31
EXTREMES = (
    b"\x00",
    b"\xff" * 8,
    b"\x7f" + b"\xff" * 7,
    b"-1",
    b"1e999",
    b"nan",
    b"null",
    b"[]",
    b'"',
    b"\n",
    b",",
)
NUMBERS = ("-1", "0", "1e999", "null", "true", '"x"', "[]", "{}", "1" * 400, "0.5")


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("kinds", nargs="*", default=list(KINDS), help="by default all")
    parser.add_argument("--tries", type=int, default=60)
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args(arguments)
    print("| file | tries | refused in one line | accepted | traceback | crash | hang | slowest s | most MiB |")
    print("|---|---|---|---|---|---|---|---|---|")
    bad = 0
    _warm()
    for kind in args.kinds:
        with tempfile.TemporaryDirectory() as folder:
            found, slowest, most = tried(kind, Path(folder), args.tries, args.seed)
        bad += found["traceback"] + found["crash"] + found["hang"]
        cells = [args.tries, *(found[each] for each in ("refused", "accepted", "traceback", "crash", "hang"))]
        print(f"| {kind} | {' | '.join(map(str, cells))} | {slowest:.1f} | {most} |", flush=True)
    return int(bad > 0)


def tried(kind: str, folder: Path, tries: int, seed: int) -> tuple[Counter[str], float, int]:
    """What became of every try, the seconds of the slowest and the MiB of the largest."""
    write, read = KINDS[kind]
    write(folder)
    rng, found, slowest, most = np.random.default_rng(seed), Counter[str](), 0.0, 0
    whole = {file: file.read_bytes() for file in sorted(folder.rglob("*")) if file.is_file()}
    first = answer(read, folder)
    assert first[0] == "accepted", f"{kind} is not read as it was written: {first}"
    for number in range(tries):
        for file, content in whole.items():
            file.write_bytes(content)
        what = spoil(kind, folder, whole, rng)
        begin = time.monotonic()
        outcome, text, grown = answer(read, folder)
        slowest, most = max(slowest, time.monotonic() - begin), max(most, grown)
        found[outcome] += 1
        if outcome in ("traceback", "crash", "hang"):
            print(f"{kind} {number} {what}: {outcome} {text}", file=sys.stderr)
    return found, slowest, most


def answer(read: Callable[[Path], Any], folder: Path) -> tuple[str, str, int]:
    """``refused``, ``accepted``, ``traceback``, ``crash`` or ``hang``, with a text, and the MiB that it took."""
    here, there = multiprocessing.Pipe()
    child = multiprocessing.get_context("fork").Process(target=_child, args=(read, folder, there))
    child.start()
    there.close()
    if not here.poll(SECONDS):
        child.kill()
        return "hang", "", 0
    try:
        result: tuple[str, str, int] = here.recv()
    except EOFError:
        child.join()
        return "crash", str(child.exitcode), 0
    child.kill()  # what is left is to tidy up
    child.join()
    return result


def _warm() -> None:
    """Imports here what every child would."""
    import onnxruntime  # noqa: F401
    import pandas
    import pyarrow.parquet  # noqa: F401
    import torch
    import torch_geometric.data  # noqa: F401

    import graphkd

    torch.set_num_threads(1)  # a forked process has no other threads
    graphkd.from_frames(pandas.DataFrame({"f": [1.0]}), pandas.DataFrame({"source": [0], "target": [0]}))


def _child(read: Callable[[Path], Any], folder: Path, pipe: Any) -> None:
    from graphkd import GraphKDError

    warnings.simplefilter("ignore")
    signal.alarm(2 * SECONDS)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    size = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (size + BYTES, size + BYTES))
    try:
        read(folder)
        outcome, text = "accepted", ""
    except GraphKDError as error:
        outcome, text = ("refused", "") if str(error).isprintable() else ("traceback", "more than a line")
    except BaseException as error:
        outcome, text = "traceback", f"{type(error).__name__}: {error}"[:200]
    pipe.send((outcome, text, (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024))


def spoil(kind: str, folder: Path, whole: dict[Path, bytes], rng: np.random.Generator) -> str:
    """Changes one file, and returns how."""
    files = list(whole)
    file = files[int(rng.integers(len(files)))]
    content = bytearray(file.read_bytes())
    way = int(rng.integers(5))
    place = int(rng.integers(max(len(content), 1)))
    if way == 0:
        for _ in range(int(rng.integers(1, 6))):
            content[int(rng.integers(len(content)))] = int(rng.integers(256))
    elif way == 1:
        del content[place:]
    elif way == 2:
        content[place:place] = EXTREMES[int(rng.integers(len(EXTREMES)))]
    elif way == 3:
        piece = content[place : place + int(rng.integers(1, 64))]
        content[place:place] = piece * int(rng.integers(1, 40))
    else:
        content[place : place + 8] = EXTREMES[int(rng.integers(len(EXTREMES)))]
    file.write_bytes(bytes(content))
    if kind.startswith("bundle"):
        _seal(folder, file, whole, rng)
    return f"{file.name} way {way} at {place}"


def _seal(folder: Path, file: Path, whole: dict[Path, bytes], rng: np.random.Generator) -> None:
    """Makes the checksums of a bundle right again; a description gets values instead of bytes."""
    from graphkd.atomic_io import seal, sha256, write_json

    bundle = folder / "bundle"
    card = json.loads(whole[bundle / "bundle.json"])
    exports = json.loads(whole[bundle / "exports.json"])
    if file.suffix == ".json":
        file.write_bytes(whole[file])
        _replace(card if file.name == "bundle.json" else exports, rng)
    if file.name == "model.safetensors":
        card["weights_sha256"] = exports["weights_sha256"] = sha256(file.read_bytes())
    for record in exports.get("exports", {}).values() if isinstance(exports.get("exports"), dict) else ():
        files = record.get("files") if isinstance(record, dict) else None
        if isinstance(files, dict) and file.suffix != ".json":
            for name in files:
                if (bundle / name).is_file():
                    files[name] = sha256((bundle / name).read_bytes())
    for content, name in ((card, "bundle.json"), (exports, "exports.json")):
        write_json(bundle / name, {**content, "checksum": seal(content)})


def _replace(content: dict[str, Any], rng: np.random.Generator) -> None:
    """Puts an extreme value somewhere."""
    inner: Any = content
    while True:
        keys = list(inner)
        key = keys[int(rng.integers(len(keys)))]
        if isinstance(inner[key], dict) and inner[key] and rng.random() < 0.8:
            inner = inner[key]
            continue
        if key != "checksum":
            inner[key] = json.loads(NUMBERS[int(rng.integers(len(NUMBERS)))])
        return


if __name__ == "__main__":
    sys.exit(main())
