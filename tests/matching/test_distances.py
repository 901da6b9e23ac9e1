import torch
from hypothesis import given

from graphkd.matching.distances import cosine, mse, normalized_mse
from tests.strategies import tables


@given(student=tables(5, 3), teacher=tables(5, 3))
def test_distances_equal_loops_over_nodes(student: torch.Tensor, teacher: torch.Tensor) -> None:
    pairs = list(zip(student, teacher, strict=True))
    expected = sum(float((s - t).square().sum()) for s, t in pairs) / student.numel()
    assert abs(float(mse(student, teacher).mean()) - expected) < 1e-10
    units = [(s / max(float(s.norm()), 1e-12), t / max(float(t.norm()), 1e-12)) for s, t in pairs]
    expected = sum(float((s - t).square().sum()) for s, t in units) / len(units)
    assert abs(float(normalized_mse(student, teacher).mean()) - expected) < 1e-9
    expected = sum(1 - float(s @ t) for s, t in units) / len(units)
    assert abs(float(cosine(student, teacher).mean()) - expected) < 1e-6


def test_equal_layers_have_no_distance() -> None:
    x = torch.randn(4, 3)
    for distance in (mse, normalized_mse, cosine):
        torch.testing.assert_close(distance(x, x).mean(), torch.tensor(0.0), atol=1e-6, rtol=0)


def test_angles_ignore_scale() -> None:
    x = torch.randn(4, 3)
    torch.testing.assert_close(normalized_mse(x, 5 * x).mean(), torch.tensor(0.0), atol=1e-6, rtol=0)
    torch.testing.assert_close(cosine(x, -x).mean(), torch.tensor(2.0))
