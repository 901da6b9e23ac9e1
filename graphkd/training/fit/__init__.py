"""The training loop and what it needs: batches, early stopping, best weights, checkpoints."""
