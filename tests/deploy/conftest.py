"""torch's ONNX exporter takes seconds: equal students are exported once."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from graphkd.deploy.exports import onnx
from graphkd.deploy.exports.stamp import Stamp
from graphkd.deploy.network import Network


@pytest.fixture(autouse=True, scope="session")
def _exported_once() -> Iterator[None]:
    made: dict[bytes, bytes] = {}
    export = onnx._model

    def once(network: Network, stamp: Stamp) -> bytes:
        parts = (part for layer in network.layers for part in (layer.weight, layer.bias, layer.gain, layer.shift))
        key = b"".join(b"-" if part is None else part.tobytes() for part in parts)
        key += network.log_alpha.tobytes() + repr((stamp.record, stamp.scaling)).encode()
        if key not in made:
            made[key] = export(network, stamp)
        return made[key]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(onnx, "_model", once)
        yield
