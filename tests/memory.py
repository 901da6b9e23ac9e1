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
