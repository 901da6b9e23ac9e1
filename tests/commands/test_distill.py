"""What ``graphkd distill`` does around a run."""

import multiprocessing
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import torch
from hydra.core.config_store import ConfigStore
from hydra.core.plugins import Plugins
from hydra.core.utils import JobReturn, run_job
from hydra.plugins.launcher import Launcher
from omegaconf import DictConfig, open_dict

from graphkd.cli import main

SMALL = ["training.max_epochs=1", "baseline=false"]


class ForkLauncher(Launcher):
    """Runs each job in a process of its own, of which only what ``JobReturn`` holds comes back."""

    def setup(self, *, hydra_context: Any, task_function: Any, config: DictConfig) -> None:
        self.context, self.task, self.config = hydra_context, task_function, config

    def launch(self, job_overrides: Sequence[Sequence[str]], initial_job_idx: int) -> list[JobReturn]:
        return [self._launch(list(each), initial_job_idx + at) for at, each in enumerate(job_overrides)]

    def _launch(self, overrides: list[str], number: int) -> JobReturn:
        queue = multiprocessing.get_context("fork").SimpleQueue()
        child = multiprocessing.get_context("fork").Process(target=self._run, args=(queue, overrides, number))
        child.start()
        returned: JobReturn = queue.get()
        child.join()
        return returned

    def _run(self, queue: Any, overrides: list[str], number: int) -> None:
        torch.set_num_threads(1)  # OpenMP's threads are not in a forked process, which would wait for them
        config = self.context.config_loader.load_sweep_config(self.config, overrides)
        with open_dict(config):
            config.hydra.job.id, config.hydra.job.num = str(number), number
        returned = run_job(self.task, config, "hydra.sweep.dir", "hydra.sweep.subdir", self.context)
        returned.cfg = returned.hydra_cfg = None
        queue.put(returned)


@pytest.fixture
def forks(monkeypatch: pytest.MonkeyPatch) -> str:
    """The override that launches a multirun so, as a plugin's does."""
    Plugins.instance().register(ForkLauncher)
    monkeypatch.setattr(Plugins, "is_in_toplevel_plugins_module", staticmethod(lambda name: True))
    target = f"{ForkLauncher.__module__}.{ForkLauncher.__name__}"
    ConfigStore.instance().store(group="hydra/launcher", name="fork", node={"_target_": target})
    return "hydra/launcher=fork"


@pytest.mark.slow
def test_a_job_that_fails_in_another_process_fails_the_command(
    forks: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    args = ["distill", "-m", forks, "output_dir=out", f"cache_dir={tmp_path}/cache", *SMALL]
    assert main([*args, "training.lr=0.01,-1"]) == 2
    assert "graphkd: training.lr is -1" in capfd.readouterr().err
    assert [folder.name for folder in (tmp_path / "out").iterdir()] == [
        "baseline=False,training.lr=0.01,training.max_epochs=1"
    ]
    assert main([*args, "training.lr=0.01,0.02"]) == 0


@pytest.mark.slow
def test_a_log_has_a_line_per_stage_and_says_what_was_found(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    args = ["distill", "training.max_epochs=1", "method=infgrand", "seeds=[3]", f"cache_dir={tmp_path}/cache"]
    for name, found in (("one", ""), ("two", "found, ")):
        assert main([*args, f"output_dir={tmp_path}/{name}"]) == 0
        lines = [line for line in capsys.readouterr().err.splitlines() if "seed" in line]
        parts = [line.rpartition(", ")[0] for line in lines]
        mark = found.rstrip(", ") and ", found"
        assert parts == [
            f"graphkd: {name}: seed 3: teacher gcn{mark}",
            f"graphkd: {name}: seed 3: targets infgrand",
            f"graphkd: {name}: seed 3: student infgrand{mark}",
            f"graphkd: {name}: seed 3: baselines mlp, mlp_same_inputs{mark}",
        ]
        assert all(line.endswith(" s") for line in lines)
    assert main([*args, f"output_dir={tmp_path}/two"]) == 0
    assert capsys.readouterr().err == ""  # nothing is left to do


def test_a_terminal_has_progress_bars_instead(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    assert main(["distill", *SMALL, f"output_dir={tmp_path}/run", f"cache_dir={tmp_path}/cache"]) == 0
    assert "seed 0" not in capsys.readouterr().err
