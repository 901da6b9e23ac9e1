from pathlib import Path

from graphkd.reports import find_runs
from graphkd.reports.distinctions import differences, distinctions
from tests.reports.runs import SEEDS, make_run, seed


def told_apart(*paths: Path) -> list[str]:
    return distinctions(find_runs([str(path) for path in paths]))


def test_runs_of_different_names_need_nothing(tmp_path: Path) -> None:
    runs = (
        make_run(tmp_path / name, teacher=name, changes=f"training: {{max_epochs: {at}}}")
        for at, name in enumerate("ab")
    )
    assert told_apart(*runs) == ["", ""]


def test_settings_that_differ_by_their_short_names_where_these_are_clear(tmp_path: Path) -> None:
    other = make_run(tmp_path / "o", method="mlp", changes="method: {lam: 0.9}")
    one = make_run(tmp_path / "a", changes="{teacher: {num_layers: 3}, output_dir: x, baseline: false}")
    two = make_run(tmp_path / "b", changes="{training: {max_epochs: 20}, data_dir: elsewhere}")
    assert told_apart(one, other, two) == [
        "teacher.num_layers=3, max_epochs=500", "", "teacher.num_layers=2, max_epochs=20",
    ]  # fmt: skip


def test_what_one_config_does_not_have_is_none_and_seeds_that_follow_are_short(tmp_path: Path) -> None:
    seeds = [seed(number, 0.5, 0.5) for number in range(4)]
    runs = make_run(tmp_path / "a", seeds, "method: {extra: 1}"), make_run(tmp_path / "b")
    assert told_apart(*runs) == ["extra=1, seeds=0..3", "extra=none, seeds=[0, 1]"]
    words = make_run(tmp_path / "d", changes="method: {extra: [a, b, c]}")
    assert told_apart(words, runs[1]) == ["extra=['a', 'b', 'c']", "extra=none"]
    same = make_run(tmp_path / "c", changes="method: {extra: null}")
    assert told_apart(runs[1], same) == ["b", "c"]


def test_folders_where_settings_are_equal_or_too_long(tmp_path: Path) -> None:
    equal = [make_run(tmp_path / name / "run", SEEDS) for name in ("one", "two")]
    assert told_apart(*equal) == ["one/run", "two/run"]
    long = [make_run(tmp_path / str(at), changes=f"student: {{name: {60 * str(at)}}}") for at in (1, 2)]
    assert told_apart(*long) == ["1", "2"]
    pair = make_run(tmp_path / "three", changes="method: {lam: 0.5}")
    assert told_apart(*equal, pair) == ["one/run", "two/run", f"{tmp_path.name}/three"]


def test_all_settings_that_differ_are_named_whatever_the_parts_are(tmp_path: Path) -> None:
    one = make_run(tmp_path / "a", changes="method: {lam: 0.1}")
    two = make_run(tmp_path / "b", changes="{method: {lam: 0.2}, training: {max_epochs: 20}}")
    other = make_run(tmp_path / "c", method="mlp", changes="{method: {hops: 2}, dataset: {fingerprint: x}}")
    assert differences(find_runs([str(path) for path in (one, two, other)])) == [
        {"lam": "0.1", "max_epochs": "500"}, {"lam": "0.2", "max_epochs": "20"}, {"max_epochs": "500"},
    ]  # fmt: skip
    assert differences(find_runs([str(one)])) == [{}]


def test_a_published_influence_is_no_setting_of_its_own(tmp_path: Path) -> None:
    changes = "influence: {_target_: graphkd.influence.%s, hops: %d}"
    one = make_run(tmp_path / "a", method="infgrand", influence="infgrand", changes=changes % ("Own", 2))
    two = make_run(tmp_path / "b", method="glnn", influence="none", changes=changes % ("NoInfluence", 0))
    assert differences(find_runs([str(one), str(two)])) == [{}, {}]
    three = make_run(tmp_path / "c", method="infgrand", influence="infgrand", changes=changes % ("Own", 3))
    found = differences(find_runs([str(one), str(three)]))
    assert [each["hops"] for each in found] == ["2", "3"]
