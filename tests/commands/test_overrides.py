import re

import pytest
from hydra.core.override_parser.overrides_parser import OverridesParser

from graphkd import GraphKDError
from graphkd.commands.overrides import PATHS, check_overrides, folder_name, quoted, short_name
from graphkd.config import composed
from tests.tiers import some_of


def test_names_of_jobs_are_never_equal_nor_too_long() -> None:
    assert folder_name("dataset=cora,seeds=3") == "dataset=cora,seeds=3"
    one, two = folder_name("dataset.path=a_b"), folder_name("dataset.path=a/b")
    assert one == "dataset.path=a_b"
    assert two.startswith("dataset.path=a_b-")
    long = [folder_name("x" * 300 + end) for end in ("1", "2")]
    assert len(set(long)) == 2
    assert max(len(name.encode()) for name in [*long, folder_name("ü" * 300)]) < 255


def test_a_config_in_a_folder_needs_no_checksum() -> None:
    assert folder_name("experiment=infgrand/cora_gcn_transductive,seeds=2") == (
        "experiment=infgrand_cora_gcn_transductive,seeds=2"
    )
    assert re.fullmatch(
        r"dataset.path=a_b,experiment=x_y-[0-9a-f]{8}", folder_name("dataset.path=a/b,experiment=x/y")
    )


def test_the_default_name_is_cut_likewise() -> None:
    assert short_name("cora-public") == "cora-public"
    one, two = short_name("ü" * 127 + "-a"), short_name("ü" * 127 + "-b")
    assert one != two
    assert len(one.encode()) < 255


@pytest.mark.slow
@pytest.mark.parametrize("key", some_of(PATHS, 4))
@pytest.mark.parametrize(
    "path", ["k=v", "ünï", "runs/a=b", "~/x", "a#b&c;d!", "it is, a list", "plain/path-1.2", "a$b", "<>"]
)
def test_paths_reach_the_config_as_they_are(key: str, path: str) -> None:
    override = quoted(f"{key}={path}")
    if "," not in path:
        found = composed([override])
        for part in key.split("."):
            found = found[part]
        assert found == path
    (parsed,) = OverridesParser.create().parse_overrides([override])
    assert parsed.is_sweep_override() == ("," in path)


def test_what_is_written_for_hydra_is_left_alone() -> None:
    for arg in (
        "output_dir='a=b'",
        r"output_dir=a\\=b",
        "output_dir=${data_dir}=x",
        "training.lr=a=b",
        "-m",
        "dataset=ü",
    ):
        assert quoted(arg) == arg


@pytest.mark.parametrize("key", ["hydra.run.dir", "++hydra.sweep.dir", "hydra.sweep.subdir"])
def test_hydra_s_folders_are_refused(key: str) -> None:
    with pytest.raises(
        GraphKDError, match=r"has no effect: the folder of a run, or of all with -m, is output_dir"
    ):
        check_overrides(["dataset=digits", f"{key}=there"])
