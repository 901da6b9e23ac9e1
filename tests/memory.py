"""Peak memory of a piece of code, in a process of its own."""

from __future__ import annotations

import multiprocessing
import resource
import subprocess
import sys
from multiprocessing.connection import Connection

FRESH = multiprocessing.get_context("forkserver")
"""Makes processes out of one that has imported torch and done nothing with it, hence has no peak of its own."""

FRESH.set_forkserver_preload(["torch", "torch_geometric.data"])


def peak_growth(setup: str, code: str) -> int:
    """Returns the bytes by which ``code`` raises the peak memory over that after ``setup``.

    Pages of shared libraries that ``code`` is the first to touch are among them: up to some 20 MB.
    """
    found, told = FRESH.Pipe(duplex=False)
    process = FRESH.Process(target=_measure, args=(setup, code, told))
    process.start()
    told.close()
    try:
        return int(found.recv())
    finally:
        process.join()


def _measure(setup: str, code: str, told: Connection) -> None:
    names: dict[str, object] = {}
    exec(setup, names)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    exec(code, names)
    told.send((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024)


def fit(setup: str, codes: list[str], budget: float) -> list[bool]:
    """Which of ``codes`` get by with so many bytes of their own after ``setup``; mapped files are free (Linux)."""
    program = f"""
import ctypes, resource
{setup}
ctypes.CDLL(None).malloc_trim(0)  # else what was freed can be taken again
lines = open("/proc/self/status").read().splitlines()
data = 1024 * int(next(line.split()[1] for line in lines if line.startswith("VmData:")))
resource.setrlimit(resource.RLIMIT_DATA, (data + {int(budget)}, resource.RLIM_INFINITY))
for code in {codes!r}:
    try:
        exec(code)
        print("fits")
    except RuntimeError as error:
        print("fails" if "you tried to allocate" in str(error) else error)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert set(done.stdout.split()) <= {"fits", "fails"}, done.stdout
    return [word == "fits" for word in done.stdout.split()]
