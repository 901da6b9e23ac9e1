"""Bundles on the Hugging Face hub: fetched from it and pushed to it, by ``huggingface_hub``."""

from __future__ import annotations

import importlib
import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

from graphkd.errors import GraphKDError

if TYPE_CHECKING:
    from typing import TypeGuard

PREFIX = "hf://"

FILES = (
    *("bundle.json", "model.safetensors", "inputs.safetensors", "README.md", "exports.json", "schema.json"),
    *("model.onnx", "model.int8.onnx", "model.pt2", "c/student.c", "c/student.h"),
    *(f"triton/student/{name}" for name in ("config.pbtxt", "labels.txt", "1/model.onnx")),
)
"""Files that a bundle may have: no other is fetched, pushed or deleted."""

SECONDS = 10.0
"""Time for the hub to answer, before a cached copy is used."""

_NAME = r"[A-Za-z0-9](?:[A-Za-z0-9_]|[-.](?![-.]))*(?<![-.])"
_REPO = re.compile(rf"(?=.{{3,96}}$){_NAME}/{_NAME}(?<!\.git)")
_REVISION = re.compile(r"(?!.*\.\.)[A-Za-z0-9][A-Za-z0-9._/-]{0,199}")


@dataclass(frozen=True)
class Address:
    """A repository on the hub.

    Args:
        repo: ``OWNER/NAME``.
        revision: a branch, a tag or a commit; None is ``main``.

    Raises:
        GraphKDError: one of them is malformed.
    """

    repo: str
    revision: str | None = None

    def __post_init__(self) -> None:
        if not _REPO.fullmatch(self.repo):
            raise GraphKDError(
                f"{self.repo!r} is no repository of the hub: give OWNER/NAME, in letters, digits, dots, dashes "
                "and underscores"
            )
        if self.revision is not None and not _REVISION.fullmatch(self.revision):
            raise GraphKDError(f"{self.revision!r} is no revision: give a branch, a tag or a commit")

    @classmethod
    def of(cls, text: str) -> Address:
        """Parses ``hf://OWNER/NAME`` or ``hf://OWNER/NAME@REVISION``.

        >>> Address.of("hf://me/cora@v2")
        Address(repo='me/cora', revision='v2')

        Raises:
            GraphKDError: the text is neither.
        """
        repo, at, revision = text.removeprefix(PREFIX).partition("@")
        return cls(repo, revision if at else None)

    def __str__(self) -> str:
        return f"{PREFIX}{self.repo}" + ("" if self.revision is None else f"@{self.revision}")


def is_address(path: Any) -> TypeGuard[str]:
    """Returns whether a path is an address on the hub."""
    return isinstance(path, str) and path.startswith(PREFIX)


def fetch_bundle(text: str) -> Path:
    """Downloads a bundle into the cache of ``huggingface_hub``, unless it is there already.

    Args:
        text: ``hf://OWNER/NAME`` or ``hf://OWNER/NAME@REVISION``.

    Returns:
        The folder, whose files are not verified yet.

    Raises:
        GraphKDError: no such repository or bundle, no permission, or no connection and no copy in the cache.
    """
    address = Address.of(text)
    hub = library(text)
    with explained(address, "read"):
        reason = _unreachable(hub, address)
        if reason is not None:
            warnings.warn(f"{address}: the hub cannot be reached ({reason}), a cached copy is used", stacklevel=4)
        folder = Path(_snapshot(hub, address, reason))
    if not (folder / "bundle.json").is_file():
        raise GraphKDError(
            f"{address} is no bundle: it holds no bundle.json; graphkd push RUN OWNER/NAME makes one"
        )
    return folder


def _unreachable(hub: ModuleType, address: Address) -> str | None:
    """Returns why the hub does not answer, None if it does."""
    try:
        hub.HfApi().model_info(address.repo, revision=address.revision, timeout=SECONDS)
    except hub.errors.HfHubHTTPError as error:
        if _status(error) < 500:
            raise
        return f"status {_status(error)}"
    except Exception as error:  # of the HTTP library, which depends on huggingface_hub's version
        return _line(error)
    return None


def _snapshot(hub: ModuleType, address: Address, reason: str | None) -> str:
    from graphkd import __version__

    try:
        folder: str = hub.snapshot_download(
            address.repo,
            revision=address.revision,
            allow_patterns=list(FILES),
            local_files_only=reason is not None,
            library_name="graphkd",
            library_version=__version__,
        )
    except hub.errors.LocalEntryNotFoundError:
        raise GraphKDError(
            f"{address}: the hub cannot be reached ({reason or 'connection lost'}) and no whole copy is cached: "
            "try again with a connection"
        ) from None
    return folder


def library(what: str) -> ModuleType:
    """Imports ``huggingface_hub``.

    Args:
        what: needs it, for the error message.

    Raises:
        GraphKDError: it is not installed.
    """
    try:
        hub = importlib.import_module("huggingface_hub")
        importlib.import_module("huggingface_hub.errors")
    except ModuleNotFoundError as error:
        raise GraphKDError(
            f"{what} needs {error.name}, which is not installed: pip install 'graphkd[hub]'"
        ) from None
    return hub


@contextmanager
def explained(address: Address, verb: str) -> Iterator[None]:
    """Converts errors of ``huggingface_hub`` to one line.

    Args:
        address: of the repository.
        verb: what the token must permit: ``read`` or ``write to``.
    """
    errors = library(str(address)).errors
    try:
        yield
    except GraphKDError:
        raise
    except errors.RevisionNotFoundError:
        raise GraphKDError(
            f"hf://{address.repo} has no revision {address.revision}: name a branch, a tag or a commit"
        ) from None
    except errors.GatedRepoError:
        raise GraphKDError(
            f"hf://{address.repo} is gated: request access on its page, then hf auth login"
        ) from None
    except errors.RepositoryNotFoundError:
        raise GraphKDError(
            f"hf://{address.repo} is not there, or private: check the name, or hf auth login with a token that "
            f"may {verb} it"
        ) from None
    except errors.HfHubHTTPError as error:
        if _status(error) in (401, 403):
            raise GraphKDError(
                f"no permission to {verb} hf://{address.repo}: hf auth login with a token that has it"
            ) from None
        raise GraphKDError(f"hf://{address.repo}: the hub refused ({_line(error)})") from None
    except Exception as error:  # no connection, or metadata that the hub does not accept
        raise GraphKDError(f"hf://{address.repo}: {_line(error)}: try again") from error


def _status(error: Any) -> int:
    response = getattr(error, "response", None)
    return 0 if response is None else int(response.status_code)


def _line(error: Exception) -> str:
    """Returns the error as a short line."""
    return " ".join(f"{type(error).__name__} {error}".split())[:200]
