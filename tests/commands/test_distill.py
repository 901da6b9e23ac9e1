from graphkd.commands.distill import folder_name


def test_names_of_jobs_are_never_equal_nor_too_long() -> None:
    assert folder_name("dataset=cora,seeds=3") == "dataset=cora,seeds=3"
    one, two = folder_name("dataset.path=a_b"), folder_name("dataset.path=a/b")
    assert one == "dataset.path=a_b"
    assert two.startswith("dataset.path=a_b-")
    long = [folder_name("x" * 300 + end) for end in ("1", "2")]
    assert len(set(long)) == 2
    assert max(len(name.encode()) for name in [*long, folder_name("ü" * 300)]) < 255
