"""Peak memory of a piece of code, in a process of its own."""

from __future__ import annotations

import subprocess
import sys


def peak_growth(setup: str, code: str) -> int:
    """Bytes by which ``code`` raises the peak memory over that after ``setup``."""
    program = (
        "import resource\n"
        f"{setup}\n"
        "before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        f"{code}\n"
        "print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024)\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    return int(done.stdout.split()[-1])


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
