"""The power of KRD, fitted to where student and teacher agree."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor


def fitted_power(rho: Tensor, agrees: Tensor, bins: int, start: float) -> float:
    """Returns the ``a`` next to ``start`` with the least ``Σ_b (1 − c_b^a − r_b)²`` over the bins that hold nodes.

    Args:
        rho: ``ρ [N]`` in [0, 1].
        agrees: ``[N]``, whether student and teacher name the same class.
        bins: ``B`` of equal width; ``c_b`` is the middle of bin ``b``, and ``r_b`` the share of its nodes that
            agree, scaled so that the least is 0 and the largest 1.
        start: of the search; returned where all bins agree alike.
    """
    from scipy.optimize import least_squares

    bin_of = (rho * bins).long().clamp(0, bins - 1)
    count = torch.bincount(bin_of, minlength=bins).double()
    share = torch.bincount(bin_of, weights=agrees.double(), minlength=bins) / count
    used = count > 0
    middle = ((torch.arange(bins, dtype=torch.float64) + 0.5) / bins)[used.cpu()].numpy()
    shares = share[used].cpu().numpy()
    if shares.max() - shares.min() < 1e-12:
        return start
    scaled = (shares - shares.min()) / (shares.max() - shares.min())

    def residuals(a: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.asarray(1 - middle ** a[0] - scaled)

    fit = least_squares(residuals, [min(max(start, 0.02), 900.0)], bounds=(0.01, 1000.0))
    return float(fit.x[0])
