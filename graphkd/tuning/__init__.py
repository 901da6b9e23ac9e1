"""Search for the best student of a graph, on validation nodes alone.

A candidate is a list of overrides of ``graphkd distill``. Optuna proposes candidates; those that do well on one
seed are trained on more. The last step trains the chosen one on new seeds, and reads test scores for the first
time.
"""

from graphkd.tuning.api import tune
from graphkd.tuning.tuned import Tuned

__all__ = ["Tuned", "tune"]
