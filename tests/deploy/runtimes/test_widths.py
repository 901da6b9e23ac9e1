"""A student whose hidden layers have a width each is the same in every runtime and export."""

from pathlib import Path

import numpy as np
import pytest
import torch

from graphkd import load_bundle
from graphkd.deploy import RUNTIMES
from graphkd.deploy.exports.formats import export_bundle
from graphkd.deploy.exports.record import add_export
from graphkd.deploy.files import read_bundle
from tests.deploy.bundles import make_bundle, rows_of_every_size, sample_of, tapered

QUICK = [("torch", "layer"), ("numpy", "layer"), ("numpy", "batch"), ("native", "batch")]
"""The others compile or export for seconds."""
EVERY = [(runtime, norm) for runtime in RUNTIMES for norm in ("none", "batch", "layer")]


@pytest.mark.parametrize(
    ("runtime", "norm"), [pair if pair in QUICK else pytest.param(*pair, marks=pytest.mark.slow) for pair in EVERY]
)
def test_a_student_of_several_widths_is_the_same_in_every_runtime(runtime: str, norm: str, tmp_path: Path) -> None:
    model = tapered(norm)
    bundle, x = make_bundle(tmp_path, model, norm), rows_of_every_size(30, 5)[:4]
    exact = not runtime.endswith("int8")
    if runtime not in ("torch", "numpy"):
        to = "c" if runtime.startswith("native") else runtime
        made = export_bundle(bundle, to, sample_of(model), True)
        add_export(read_bundle(bundle), to, made.files, {"parity": {"int8": {}}, "allow_loss": True})
    with torch.no_grad():
        expected = torch.softmax(model(torch.from_numpy(x)).logits, dim=1).numpy()
    proba = load_bundle(bundle, runtime).predict_proba(x)
    np.testing.assert_allclose(proba, expected, rtol=0, atol=1e-5 if exact else 0.1)
