"""A part in a user's own installed package works like one of graphkd's."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

MINE = '''
from graphkd.methods import GLNN


class Mine(GLNN):
    """GLNN with half the labels.

    Source: this test

    Args:
        lam: share of the labels.
        tau: temperature.
    """

    name = "mine"

    def __init__(self, lam: float = 0.5, tau: float = 1.0) -> None:
        super().__init__(lam, tau)
'''


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """A folder of installed packages: a module, and the entry point that names its class."""
    site = tmp_path / "site"
    info = site / "mine-1.0.dist-info"
    info.mkdir(parents=True)
    (site / "mine.py").write_text(MINE)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: mine\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[graphkd.methods]\nmine = mine:Mine\n")
    return site


def command(site: Path, *args: str) -> subprocess.CompletedProcess[str]:
    path = os.pathsep.join([str(site), str(Path(__file__).parents[1])])
    return subprocess.run(
        [sys.executable, "-m", "graphkd", *args],
        cwd=site.parent,
        env={**os.environ, "PYTHONPATH": path, "GRAPHKD_CACHE": str(site.parent / "cache")},
        capture_output=True,
        text=True,
        check=False,
    )


SHORT = ("distill", "method=mine", "training.max_epochs=2", "baseline=false", "output_dir=run")


@pytest.mark.slow
def test_it_is_listed_trained_cached_by_its_source_and_evaluated(site: Path) -> None:
    assert "mine teacher student reads x no edges in a step loss N C this test" in " ".join(
        command(site, "list", "methods").stdout.split()
    )
    assert "mine" in command(site, "distill", "--help").stdout
    done = command(site, *SHORT, "method.lam=0.25")
    assert done.returncode == 0, done.stderr
    assert command(site, "evaluate", "run").returncode == 0
    kept = {file.name for file in (site.parent / "cache" / "stages").iterdir()}
    again = command(site, *SHORT, "method.lam=0.25", "overwrite=true", "output_dir=other")
    assert again.returncode == 0
    assert {file.name for file in (site.parent / "cache" / "stages").iterdir()} == kept
    (site / "mine.py").write_text(MINE + "\n# changed\n")
    assert command(site, *SHORT, "method.lam=0.25", "output_dir=third").returncode == 0
    assert len({file.name for file in (site.parent / "cache" / "stages").iterdir()}) > len(kept)
    wrong = command(site, *SHORT, "method.lam=2", "output_dir=fourth")
    assert (wrong.returncode, wrong.stderr.count("\n")) == (2, 1)


@pytest.mark.parametrize(
    ("entry", "line"),
    [
        ("mine = mine:Nothing", "'mine' of the installed package mine cannot be imported (AttributeError"),
        ("other = mine:Mine", "'other' of the installed package mine calls itself 'mine': give both one name"),
        ("mine = nowhere:Mine", "cannot be imported (ModuleNotFoundError: No module named 'nowhere')"),
    ],
)
@pytest.mark.slow
def test_one_that_is_wrong_is_one_line(entry: str, line: str, site: Path) -> None:
    (site / "mine-1.0.dist-info" / "entry_points.txt").write_text(f"[graphkd.methods]\n{entry}\n")
    done = command(site, "list", "methods")
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    assert line in done.stderr


@pytest.mark.slow
def test_it_cannot_take_the_name_of_one_of_graphkd_s(site: Path) -> None:
    (site / "mine.py").write_text(MINE.replace('"mine"', '"glnn"'))
    (site / "mine-1.0.dist-info" / "entry_points.txt").write_text("[graphkd.methods]\nglnn = mine:Mine\n")
    done = command(site, "list", "methods")
    assert done.returncode == 2
    assert "an installed package offers 'glnn', as graphkd.methods does: uninstall it" in done.stderr


@pytest.mark.slow
def test_its_author_can_run_the_checks(site: Path) -> None:
    code = "from mine import Mine; from graphkd.testing import check_method; check_method(Mine); print('kept')"
    path = os.pathsep.join([str(site), str(Path(__file__).parents[1])])
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout == "kept\n", done.stderr
