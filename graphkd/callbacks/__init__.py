"""Callbacks of a run in training, and trackers of experiments among them.

>>> from graphkd.callbacks import TensorBoard
>>> TensorBoard(folder="tracking").path.name
'tracking'
"""

from graphkd.callbacks.base import Callback, NoTracker
from graphkd.callbacks.mlflow import MLflow
from graphkd.callbacks.tensorboard import TensorBoard
from graphkd.callbacks.trackio import Trackio
from graphkd.callbacks.wandb import WandB

__all__ = ["Callback", "MLflow", "NoTracker", "TensorBoard", "Trackio", "WandB"]
