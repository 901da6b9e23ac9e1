import pytest

from graphkd import GraphKDError
from graphkd.deploy.batch.columns import Wanted, layout_of


def test_columns_of_several_labels_are_no_features() -> None:
    assert layout_of(["id", "a", "label_red", "label_round"], Wanted(1), "nodes.csv").features == ["a"]


def test_beside_a_column_label_or_where_the_student_names_them_they_are() -> None:
    assert layout_of(["label", "a", "label_red"], Wanted(2), "nodes.csv").features == ["a", "label_red"]
    named = Wanted(1, names=["label_red"])
    assert layout_of(["a", "label_red"], named, "nodes.csv").features == ["label_red"]
    with pytest.raises(GraphKDError, match="has 1 columns of features"):
        layout_of(["a", "label_red"], Wanted(2), "nodes.csv")
