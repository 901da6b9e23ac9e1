"""TensorBoard."""

from __future__ import annotations

from graphkd.callbacks.tracker import Number, Plain, Tracker, library


class TensorBoard(Tracker):
    """Event files under ``folder/tensorboard/RUN``, for ``tensorboard --logdir folder/tensorboard``.

    Source: https://www.tensorflow.org/tensorboard

    Args:
        folder: of its files.

    >>> TensorBoard(folder="runs/tracking").path.name
    'tracking'
    """

    name = "tensorboard"

    def start(self, run: str, settings: dict[str, Plain]) -> None:
        """Opens an event file, with the settings as a text."""
        library("tensorboard", self.name)
        from torch.utils.tensorboard import SummaryWriter

        self._writer = SummaryWriter(str(self.path / "tensorboard" / run))
        lines = "\n".join(f"    {key}: {value}" for key, value in settings.items())
        self._writer.add_text("config", lines)

    def log(self, values: dict[str, Number], step: int | None) -> None:
        """Writes a scalar per value."""
        for name, value in values.items():
            self._writer.add_scalar(name, value, 0 if step is None else step)

    def end(self) -> None:
        """Closes the event file."""
        self._writer.close()
