"""Check of the header ``Host`` against the server's names, which prevents DNS rebinding."""

from __future__ import annotations

import ipaddress
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass

from graphkd.errors import GraphKDError

ANY = "*"
"""In ``--allowed-host``: any name, for a server behind a proxy that checks them."""

NAME = re.compile(r"[a-z0-9_]([a-z0-9_.-]{0,251}[a-z0-9_])?")
GIVEN = re.compile(r"(\[[0-9a-f:.]+(?:%25[\w.-]+)?\]|[^\[\]:@/\\?#\s]+)(?::[0-9]{1,5})?")
"""The header ``Host``: a name or an address, and a port, which is not checked, as ports may be forwarded."""


@dataclass(frozen=True)
class Hosts:
    """Names and addresses that requests may use.

    Args:
        names: in lower case; ``*`` allows all.
        addresses: whether any IP address is allowed: a browser sends one only if the user entered it.
    """

    names: frozenset[str] = frozenset({"localhost", "127.0.0.1", "::1"})
    addresses: bool = False

    @classmethod
    def of(cls, asked: str, bound: str, more: Sequence[str]) -> Hosts:
        """Returns the allowed hosts of a server.

        Args:
            asked: value of ``--host``.
            bound: the address that it listens on.
            more: values of ``--allowed-host``.

        Raises:
            GraphKDError: one of ``more`` is neither a name nor an address.
        """
        address = ipaddress.ip_address(bound)
        names = {plain(asked), plain(bound), *map(_checked, more)}
        if address.is_loopback or address.is_unspecified:
            names |= cls().names
        if address.is_unspecified:
            names.add(plain(os.uname().nodename))
        return cls(frozenset(names), address.is_unspecified)

    def fits(self, given: bytes) -> bool:
        """Returns whether a header ``Host`` names this server."""
        if ANY in self.names:
            return True
        match = GIVEN.fullmatch(given.decode("latin-1").lower())
        if match is None:
            return False
        if match[1] in self.names:
            return True
        name = plain(match[1])
        return name in self.names or (self.addresses and _is_address(name))


def plain(name: str) -> str:
    """Normalizes a name: lower case, no brackets, no trailing dot; addresses in their shortest form."""
    name = name.lower().removesuffix(".").removeprefix("[").removesuffix("]")
    try:
        return str(ipaddress.ip_address(name))
    except ValueError:
        return name


def _checked(name: str) -> str:
    host = plain(name)
    if name != ANY and not _is_address(host) and not NAME.fullmatch(host):
        raise GraphKDError(f"--allowed-host is {name!r}: give a name or an address without a port, or *")
    return host


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True
