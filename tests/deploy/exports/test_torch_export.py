import io
from pathlib import Path

import torch

from graphkd.deploy.exports.formats import export_bundle
from tests.deploy.bundles import make_bundle, sample_of, student


def test_the_program_of_torch_takes_any_batch(tmp_path: Path) -> None:
    model = student("layer")
    made = export_bundle(make_bundle(tmp_path, model, "layer"), "torch-export", sample_of(model))
    program = torch.export.load(io.BytesIO(made.files["model.pt2"])).module()
    for rows in (1, 5):
        x = torch.randn(rows, 5)
        torch.testing.assert_close(program(x), model(x).logits)
