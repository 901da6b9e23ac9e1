"""What a search is about: data, and settings that stay as they are given."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hydra.errors import HydraException
from omegaconf import DictConfig
from omegaconf.errors import OmegaConfBaseException

from graphkd.api import pick_device
from graphkd.config import added_keys, composed, spec_from
from graphkd.config_data import load_graph
from graphkd.config_reference import unknown_key
from graphkd.datasets import Graph
from graphkd.errors import GraphKDError
from graphkd.spec import DistillSpec

if TYPE_CHECKING:
    from torch_geometric.data import Data


@dataclass(frozen=True)
class Problem:
    """Data, and overrides that every candidate shares; it can be sent to another process.

    Args:
        overrides: of ``graphkd distill``, such as ``dataset=cora`` and ``teacher=sage``.
        data: in memory; None for the data set that the overrides name.
    """

    overrides: tuple[str, ...]
    data: Data | None = None

    @property
    def fixed(self) -> dict[str, str]:
        """The value of each key that is given, which no candidate changes."""
        pairs = (override.partition("=") for override in self.overrides)
        return {key: value for key, _, value in pairs}

    def config(self, overrides: Iterable[str] = ()) -> DictConfig:
        """Composes the config of a candidate.

        Raises:
            GraphKDError: an unknown key or value.
        """
        from graphkd.commands.messages import explain
        from graphkd.commands.overrides import check_overrides, quoted

        every = [*self.overrides, *overrides]
        check_overrides(every)
        try:
            config = composed([quoted(override) for override in every])
        except (HydraException, OmegaConfBaseException) as error:
            raise GraphKDError(explain(error)) from error
        for key in added_keys(config):
            raise GraphKDError(unknown_key(key))
        return config

    def spec(self, overrides: Iterable[str] = ()) -> DistillSpec:
        """Builds the parts of a candidate."""
        return spec_from(self.config(overrides))

    def graph(self, seed: int) -> Graph:
        """Loads the data with the split of a seed; data in memory have one split."""
        if self.data is None:
            return load_graph(self.config(), seed)
        return Graph.from_data(self.data).to(pick_device(self.fixed.get("device", "auto")))
