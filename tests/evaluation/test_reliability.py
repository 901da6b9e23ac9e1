import numpy as np
import pytest
import torch

from graphkd.evaluation import Reliability, expected_calibration_error


def test_its_bins_add_up_to_the_calibration_error() -> None:
    generator = torch.Generator().manual_seed(0)
    logits = 3 * torch.randn(300, 4, generator=generator)
    y = torch.randint(4, (300,), generator=generator)
    halves = Reliability.of(logits[:100], y[:100]) + Reliability.of(logits[100:], y[100:])
    gap = np.nansum(halves.count * np.abs(halves.accuracy - halves.confidence)) / 300
    assert gap == pytest.approx(expected_calibration_error(logits, y), abs=1e-12)
    assert halves.count.sum() == 300
    assert np.isnan(halves.accuracy[0])  # no row of four classes is below 1/4
