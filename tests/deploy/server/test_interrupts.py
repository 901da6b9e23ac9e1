"""An interrupt while libraries load ends in a line, not in their insides."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

INTERRUPTED = """
import importlib.abc, os, runpy, signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)  # a job in the background ignores it
library = sys.argv.pop()
class Interrupts(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name == library:
            sys.meta_path.remove(self)
            os.kill(os.getpid(), signal.SIGINT)
sys.meta_path.insert(0, Interrupts())
runpy.run_module("graphkd", run_name="__main__", alter_sys=True)
"""

LIBRARIES = (
    "graphkd.cli", "graphkd.commands.serve_arguments", "graphkd.commands.serve", "numpy", "graphkd.deploy.files",
    "fastapi", "starlette.requests", "pydantic", "uvicorn", "prometheus_client", "graphkd.deploy.server.run",
    "graphkd.deploy.server.model_state", "httptools", "uvloop",
)  # fmt: skip


QUICK = {"graphkd.cli", "numpy", "fastapi", "uvloop"}


@pytest.mark.parametrize(
    "library", [name if name in QUICK else pytest.param(name, marks=pytest.mark.slow) for name in LIBRARIES]
)
def test_while_a_library_loads(raw_bundle: Path, library: str) -> None:
    asked = [sys.executable, "-c", INTERRUPTED, "serve", str(raw_bundle), "--port", "0", "--runtime", "numpy"]
    done = subprocess.run([*asked, library], capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stderr) in ((130, "graphkd: interrupted\n"), (0, ""))


@pytest.mark.slow
def test_while_workers_load(raw_bundle: Path) -> None:
    """The terminal's interrupt goes to them too."""
    asked = [sys.executable, "-m", "graphkd", "serve", str(raw_bundle), "--port", "0", "--runtime", "numpy"]
    for number in range(10):
        process = subprocess.Popen(
            [*asked, "--workers", "2"],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        assert process.stdout is not None
        assert "2 workers" in process.stdout.readline()
        time.sleep(0.2 * number)
        os.killpg(process.pid, signal.SIGINT)
        _, error = process.communicate(timeout=30)
        assert error in ("", "graphkd: interrupted\n")
