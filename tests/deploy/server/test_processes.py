"""The command as a process: no torch in it, an end that loses nothing, workers that are replaced."""

import http.client
import json
import os
import pickle
import signal
import socket
import subprocess
import sys
import threading
import time
from functools import partial
from pathlib import Path

import numpy as np
import pytest

import graphkd
from graphkd.deploy.exports.formats import export_bundle
from graphkd.deploy.server.run import _config, _in_worker
from graphkd.deploy.server.runtime_choice import scores_of
from graphkd.deploy.server.settings import Settings, Token
from tests.deploy.bundles import make_bundle, sample_of, student
from tests.deploy.server.serving import as_command, ask, wait_for

ROWS = [[0.5, 1, 0, 0, 2]]

WITHOUT_TORCH = """
import sys
for name in ("torch", "torch_geometric", "scipy", "sklearn", "pandas", "hydra", "onnx"):
    sys.modules[name] = None
from graphkd.cli import main
sys.exit(main(sys.argv[1:]))
"""


@pytest.mark.parametrize("runtime", ["numpy", "native", pytest.param("onnx", marks=pytest.mark.slow)])
def test_it_runs_where_there_is_no_torch(tmp_path: Path, runtime: str) -> None:
    model = student()
    bundle = make_bundle(tmp_path, model)
    if runtime != "numpy":
        export_bundle(bundle, "c" if runtime == "native" else "onnx", sample_of(model), allow_loss=True)
    asked = [sys.executable, "-c", WITHOUT_TORCH, "serve", str(bundle), "--port", "0"]  # runtime=auto
    process = subprocess.Popen(asked, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        line = process.stdout.readline()
        assert line.startswith(f"{tmp_path.name} ({runtime}, 1 worker): ")
        port = int(line.rpartition(":")[2])
        found = ask(port, "/predict", {"rows": ROWS}).json
        maps = Path(f"/proc/{process.pid}/maps")
        assert not maps.exists() or "torch" not in maps.read_text()
    finally:
        process.terminate()
        process.wait(10)
    want = graphkd.load_bundle(bundle, runtime).predict_proba(np.array(ROWS))
    np.testing.assert_array_equal(np.array(found["predictions"][0]["probabilities"], np.float32), want[0])


def test_what_is_in_flight_is_finished(raw_bundle: Path) -> None:
    body = json.dumps({"rows": ROWS}).encode()
    head = f"POST /predict HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(body)}\r\n\r\n".encode()
    with as_command(raw_bundle) as (process, port), socket.create_connection(("127.0.0.1", port)) as sock:
        sock.sendall(head + body[:-1])
        time.sleep(0.2)
        process.send_signal(signal.SIGTERM)
        wait_for(lambda: not connects(port))
        sock.sendall(body[-1:])
        answer = b""
        while part := sock.recv(65536):
            answer += part
        assert b" 200 OK" in answer
        assert process.wait(10) == 0
        assert process.stderr is not None
        assert process.stderr.read() == ""


def connects(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port)).close()
    except OSError:
        return False
    return True


def workers_of(process: "subprocess.Popen[str]") -> list[int]:
    """Its worker processes; multiprocessing has one of its own beside them."""
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    lines = {
        int(pid): Path(f"/proc/{pid}/cmdline").read_bytes() for pid in children if Path(f"/proc/{pid}").exists()
    }
    return [pid for pid, line in lines.items() if b"spawn_main" in line]


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="reads Linux's /proc")
def test_a_worker_that_is_killed_is_replaced(raw_bundle: Path) -> None:
    want = graphkd.load_bundle(raw_bundle, "numpy").predict_proba(np.array(ROWS))
    with as_command(raw_bundle, "--workers", "2") as (process, port):
        wait_for(lambda: "graphkd_requests_in_progress" in ask(port, "/metrics").body.decode())
        first = workers_of(process)
        assert len(first) == 2
        before = counted(port)
        stop, broken, answered = threading.Event(), [], []

        def send() -> None:
            while not stop.is_set():
                try:
                    answer = ask(port, "/predict", {"rows": ROWS})
                except (OSError, http.client.HTTPException) as error:
                    broken.append(error)
                    continue
                assert answer.status == 200
                proba = np.array(answer.json["predictions"][0]["probabilities"], np.float32)
                answered.append(bool((proba == want[0]).all()))

        threads = [threading.Thread(target=send) for _ in range(4)]
        for thread in threads:
            thread.start()
        time.sleep(0.3)
        os.kill(first[0], signal.SIGKILL)
        wait_for(lambda: len(workers_of(process)) == 2 and first[0] not in workers_of(process))
        time.sleep(0.3)
        stop.set()
        for thread in threads:
            thread.join()
        assert len(answered) > 10
        assert all(answered)
        assert len(broken) <= 8  # those that the killed one had
        assert counted(port) - before == pytest.approx(len(answered), abs=8)  # of all workers, the dead one too
        assert ask(port, "/predict", {"rows": ROWS}).status == 200
        process.send_signal(signal.SIGTERM)
        assert process.wait(15) == 0
        assert all(not Path(f"/proc/{pid}").exists() for pid in first)


def counted(port: int) -> float:
    lines = ask(port, "/metrics").body.decode().splitlines()
    found = [line for line in lines if line.startswith('graphkd_requests_total{route="/predict",status="200"}')]
    return float(found[0].rpartition(" ")[2]) if found else 0.0


@pytest.mark.slow
def test_what_a_worker_is_sent_fits_a_pipe(raw_bundle: Path) -> None:
    """Else a parent waits for ever for one that was killed while it started."""
    settings = Settings(raw_bundle, "native", "student", scores_of(raw_bundle), "store", 0.0, Token.of("x"))
    config = _config(partial(_in_worker, settings, 1), settings, 2)
    assert len(pickle.dumps(config)) < 16_384


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="reads Linux's /proc")
def test_workers_do_not_outlive_a_parent_that_is_killed(raw_bundle: Path) -> None:
    with as_command(raw_bundle, "--workers", "2") as (process, port):
        wait_for(lambda: len(workers_of(process)) == 2)
        time.sleep(0.5)
        process.kill()
        process.wait(10)
        wait_for(lambda: not connects(port), seconds=10)
