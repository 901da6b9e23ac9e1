"""``graphkd push``."""

from __future__ import annotations

from graphkd.deploy.push import push_bundle


def push(run: str, repo: str, private: bool, license_id: str | None, revision: str | None) -> None:
    """Pushes the bundle of a run to the Hugging Face hub, see ``push_bundle``.

    Args:
        run: folder of a run, or a bundle alone.
        repo: ``OWNER/NAME``.
        private: whether a new repository is private.
        license_id: for the model card.
        revision: branch to push to.

    Raises:
        GraphKDError: not a bundle, or the hub refuses.
    """
    address = push_bundle(run, repo, private, license_id, revision)
    print(f'pushed: graphkd.load_bundle("{address}")')
    if license_id is None:
        print("its model card names the license as README.md in the bundle does: --license ID states one")
