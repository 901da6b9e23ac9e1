"""``graphkd tune``: what is printed, what is refused, and that it goes on."""

import subprocess
import sys
from pathlib import Path

import pytest

from graphkd.cli import main

pytest.importorskip("optuna")

SHORT = ["training.max_epochs=3", "student.hidden_dim=8", "teacher.hidden_dim=8", "transform=none", "device=cpu"]
FEW = ["--trials", "1", "--methods", "glnn", "--seeds", "1", "--workers", "1", "--minutes", "30"]


@pytest.mark.slow
def test_it_prints_candidates_the_winner_and_the_command(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Flags and keys may stand in any order."""
    out = tmp_path / "out"
    assert main(["tune", "digits", SHORT[0], *FEW, *SHORT[1:], "--output-dir", str(out)]) == 0
    printed = capsys.readouterr()
    assert "students tried in" in printed.out
    assert "the chosen student, on new seeds:" in printed.out
    assert f"run folder: {out / 'winner'}" in printed.out
    (again,) = [
        line for line in printed.out.splitlines() if line.startswith("again: graphkd distill dataset=digits")
    ]
    assert all(key in again for key in SHORT)
    assert "graphkd: " in printed.err


@pytest.mark.parametrize(
    ("args", "reason"),
    [
        ([], "the following arguments are required: DATASET"),
        (["cora", "citeseer"], "citeseer is no KEY=VALUE"),
        (["digits", "--hours", "1"], "--hours"),
        (["digits", "--minutes", "soon"], "invalid float value: 'soon'"),
        (["digits", "--minutes", "0"], "minutes is 0.0"),
        (["digits", "--reads", "edges"], "invalid choice: 'edges'"),
        (["digits", "method=krd"], "method cannot be given to a search: use --methods"),
        (["digits", "seeds=3"], "seeds cannot be given to a search: use --seeds"),
        (["digits", "output_dir=x"], "output_dir cannot be given to a search: use --output-dir"),
        (["digit"], "unknown dataset 'digit'"),
        (["digits", "cluster=spark"], "unknown cluster 'spark'"),
        (["digits", "cluster=ray", "--workers", "2"], "give cluster.workers=N"),
        (["digits", "cluster=ray", "cluster.address=head"], "cluster.address is 'head': give HOST:PORT"),
        (["digits", "--max-kb", "1"], "--max-kb 1: the smallest student, 1 x 64, has"),
    ],
)
def test_mistakes_are_one_line(
    args: list[str], reason: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["tune", *args]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert reason in line
    assert not list(tmp_path.iterdir())


def test_help_names_every_flag(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["tune", "--help"])
    assert ended.value.code == 0
    text = capsys.readouterr().out
    for flag in ("--minutes", "--trials", "--reads", "--methods", "--max-us", "--max-kb", "--workers", "--seeds"):
        assert flag in text


@pytest.mark.slow
def test_killed_in_the_middle_and_called_again_it_finds_the_same_winner(tmp_path: Path) -> None:
    """Killed with SIGKILL, with two processes at work, several times."""
    args = [sys.executable, "-m", "graphkd", "tune", "digits", *SHORT, *FEW, "--trials", "8", "--workers", "2"]
    whole = subprocess.run([*args, "--output-dir", "whole"], cwd=tmp_path, capture_output=True, text=True)
    assert whole.returncode == 0, whole.stderr
    ends = 0
    for seconds in (12, 16, 20):
        process = subprocess.Popen([*args, "--output-dir", "killed"], cwd=tmp_path, stderr=subprocess.DEVNULL)
        try:
            process.wait(seconds)
            ends += 1
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
    last = subprocess.run([*args, "--output-dir", "killed"], cwd=tmp_path, capture_output=True, text=True)
    assert last.returncode == 0, last.stderr
    assert ends < 3
    for name in ("winner/metrics.json", "winner/bundle/model.safetensors"):
        one, two = ((tmp_path / folder / name).read_bytes() for folder in ("whole", "killed"))
        assert name.endswith("json") or one == two
    first, second = (
        [line for line in (tmp_path / folder / "trials.jsonl").read_text().splitlines() if '"fact"' in line]
        for folder in ("whole", "killed")
    )
    assert first == second
