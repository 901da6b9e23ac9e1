"""Pushing a bundle to the Hugging Face hub, as one commit."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from graphkd.atomic_io import read_regular
from graphkd.deploy.files import MODEL_CARD, Bundle, read_bundle
from graphkd.deploy.hub import FILES, Address, explained, library
from graphkd.deploy.model_card import ADDRESS, model_card, with_license
from graphkd.errors import GraphKDError

_LICENSE = re.compile(r"[a-z0-9][a-z0-9.+-]{0,60}")


def push_bundle(
    path: str | Path,
    repo: str,
    private: bool = False,
    license_id: str | None = None,
    revision: str | None = None,
) -> str:
    """Pushes the bundle of a run to a repository, which is made if it is not there.

    The repository then has the files of this bundle and no others that a bundle may have. Further files stay.

    Args:
        path: a ``bundle`` folder, or a run folder that contains one.
        repo: ``OWNER/NAME``.
        private: whether a new repository is private; an existing one has to be.
        license_id: for the pushed model card, as the hub lists them, such as ``mit``.
        revision: branch to push to, made if it is not there; ``main`` by default.

    Returns:
        The address that ``load_bundle`` takes.

    Raises:
        GraphKDError: no bundle, no permission, no connection, or an existing repository that is public.
    """
    address = Address(repo, revision)
    if license_id is not None and not _LICENSE.fullmatch(license_id):
        raise GraphKDError(
            f"--license is {license_id!r}: give an identifier of the hub, such as mit or apache-2.0"
        )
    hub = library("graphkd push")
    bundle = read_bundle(path)
    contents = _contents(bundle, address, license_id)
    with explained(address, "write to"):
        api = hub.HfApi(library_name="graphkd")
        _make(api, address, private)
        there = set(api.list_repo_files(repo, revision=revision))
        old = [hub.CommitOperationDelete(name) for name in FILES if name in there and name not in contents]
        new = [hub.CommitOperationAdd(name, content) for name, content in contents.items()]
        api.create_commit(repo, [*new, *old], commit_message="Push a student of graphkd", revision=revision)
    return str(address)


def _make(api: Any, address: Address, private: bool) -> None:
    """Creates the repository and the branch, if they are not there.

    Raises:
        GraphKDError: the repository is to be private, and is there and public.
    """
    api.create_repo(address.repo, private=private or None, exist_ok=True)
    if private and not api.model_info(address.repo).private:
        raise GraphKDError(
            f"hf://{address.repo} is there already and public: make it private in its settings, or choose another "
            "name"
        )
    if address.revision is not None:
        api.create_branch(address.repo, branch=address.revision, exist_ok=True)


def _contents(bundle: Bundle, address: Address, license_id: str | None) -> dict[str, bytes]:
    """Returns the bundle's files by name, of those that a bundle may have, with the card as it is pushed."""
    present = [name for name in FILES if (bundle.folder / name).is_file()]
    contents = {name: read_regular(bundle.folder / name) for name in present if name != MODEL_CARD}
    return {**contents, MODEL_CARD: _card(bundle, address, license_id).encode()}


def _card(bundle: Bundle, address: Address, license_id: str | None) -> str:
    """Returns the model card with the address and the license; an older bundle has none, and gets one."""
    file = bundle.folder / MODEL_CARD
    try:
        text = read_regular(file).decode() if file.is_file() else model_card(bundle.description)
    except UnicodeDecodeError:
        raise GraphKDError(f"{file} is no text in UTF-8: correct it, or delete it for a new one") from None
    text = text.replace(ADDRESS, str(address))
    return text if license_id is None else with_license(text, license_id)
