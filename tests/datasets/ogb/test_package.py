import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.slow
def test_ogb_is_imported_late_and_never_asks_the_network_for_its_version(tmp_path: Path) -> None:
    (tmp_path / "outdated.py").write_text(
        f"def check_outdated(*args):\n    open({str(tmp_path / 'asked')!r}, 'w').close()\n    return False, ''\n"
    )
    program = (
        f"import sys, threading; sys.path.insert(0, {str(tmp_path)!r}); import graphkd.datasets, outdated\n"
        "assert 'ogb' not in sys.modules\n"
        "import graphkd.datasets.ogb.readers\n"
        "assert 'ogb.io.read_graph_raw' in sys.modules and sys.modules['outdated'] is outdated\n"
        "from ogb import version\n"
        "assert version.check_outdated is None and not hasattr(version, 'thread')\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert not (tmp_path / "asked").exists()
