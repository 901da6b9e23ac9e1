"""The container's steps, the systemd unit and the dashboard fit the server that there is."""

import json
import re
import shlex
import shutil
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

from graphkd.cli import command_parser
from tests.deploy.server.conftest import Target
from tests.deploy.server.serving import ask

ROOT = Path(__file__).parents[3]
FILES = ROOT / "examples" / "serving"
DOCKERFILE = (FILES / "Dockerfile").read_text()


def container_command() -> list[str]:
    found = re.search(r"^CMD (\[.*\])$", DOCKERFILE, re.MULTILINE)
    assert found is not None
    command: list[str] = json.loads(found[1])
    return command


def test_the_dashboard_reads_metrics_that_exist(raw: Target) -> None:
    assert ask(raw.port, "/predict", {"rows": raw.rows[:2].tolist()}).status == 200  # from here on there are sums
    served = ask(raw.port, "/metrics").body.decode()
    dashboard = (FILES / "grafana.json").read_text()
    read = set(re.findall(r"graphkd_\w+", "".join(json.dumps(panel) for panel in json.loads(dashboard)["panels"])))
    assert read
    assert {name for name in read if name not in served} == set()


def test_commands_of_unit_and_container_are_understood() -> None:
    unit = (FILES / "graphkd.service").read_text()
    (started,) = re.findall(r"^ExecStart=\S+/graphkd (.*)$", unit, re.MULTILINE)
    for words in (shlex.split(started), container_command()[1:]):
        assert command_parser().parse_args(words).access_log


@pytest.mark.slow
def test_the_steps_of_the_container_serve_without_torch(raw_bundle: Path, tmp_path: Path) -> None:
    """In an environment of its own, since a builder of images is not everywhere."""
    venv, source = tmp_path / "venv", tmp_path / "src"
    subprocess.run([sys.executable, "-m", "venv", venv], check=True)
    for words in map(shlex.split, re.findall(r"^COPY (.*)$", DOCKERFILE, re.MULTILINE)):
        for name in words[:-1]:
            target = Path(str(words[-1]).replace("/src", str(source)))
            if (ROOT / name).is_dir():
                shutil.copytree(ROOT / name, target, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                target.mkdir(parents=True, exist_ok=True)
                shutil.copy(ROOT / name, target)
    for step in re.findall(r"^RUN pip (.*)$", DOCKERFILE, re.MULTILINE):
        words = shlex.split(step.replace("/src", str(source)))
        subprocess.run([venv / "bin" / "pip", "-q", *words], check=True, capture_output=True)
    assert not list(venv.glob("lib/*/site-packages/torch"))
    words = container_command()
    words[words.index("/bundle")] = str(raw_bundle)
    words[words.index("0.0.0.0")] = "127.0.0.1"
    server = subprocess.Popen(
        [venv / "bin" / "graphkd", *words[1:], "--port", "0"], stdout=subprocess.PIPE, text=True
    )
    try:
        assert server.stdout is not None
        address = server.stdout.readline().split()[-1]
        with urllib.request.urlopen(f"{address}/healthz") as answer:
            assert json.load(answer) == {"live": True}
        assert json.loads(server.stdout.readline())["path"] == "/healthz"
    finally:
        server.terminate()
        server.wait()
