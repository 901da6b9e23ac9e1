"""Names under which a server answers: a page of somebody else can bring a browser here under any other."""

from __future__ import annotations

import ipaddress
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass

from graphkd.errors import GraphKDError

ANY = "*"
"""In ``--allowed-host``: every name, where something in front of the server checks them."""

NAME = re.compile(r"[a-z0-9_]([a-z0-9_.-]{0,251}[a-z0-9_])?")
GIVEN = re.compile(r"(\[[0-9a-f:.]+(?:%25[\w.-]+)?\]|[^\[\]:@/\\?#\s]+)(?::[0-9]{1,5})?")
"""The header ``Host``: a name or an address, and a port, which may be another one where ports are forwarded."""


@dataclass(frozen=True)
class Hosts:
    """Names and addresses that requests may name.

    Args:
        names: in small letters; ``*`` is all.
        addresses: whether every address will do: a browser sends one only if somebody typed it.
    """

    names: frozenset[str] = frozenset({"localhost", "127.0.0.1", "::1"})
    addresses: bool = False

    @classmethod
    def of(cls, asked: str, bound: str, more: Sequence[str]) -> Hosts:
        """Those of a server.

        Args:
            asked: that it was told to listen on.
            bound: the address that it listens on.
            more: that it was told to answer to as well.

        Raises:
            GraphKDError: one of ``more`` is no name and no address.
        """
        address = ipaddress.ip_address(bound)
        names = {plain(asked), plain(bound), *map(_checked, more)}
        if address.is_loopback or address.is_unspecified:
            names |= cls().names
        if address.is_unspecified:
            names.add(plain(os.uname().nodename))
        return cls(frozenset(names), address.is_unspecified)

    def fits(self, given: bytes) -> bool:
        """Whether a header ``Host`` names this server."""
        if ANY in self.names:
            return True
        found = GIVEN.fullmatch(given.decode("latin-1").lower())
        if found is None:
            return False
        if found[1] in self.names:
            return True
        name = plain(found[1])
        return name in self.names or (self.addresses and _is_address(name))


def plain(name: str) -> str:
    """In small letters, without brackets and a dot at the end; addresses in their shortest form."""
    name = name.lower().removesuffix(".").removeprefix("[").removesuffix("]")
    try:
        return str(ipaddress.ip_address(name))
    except ValueError:
        return name


def _checked(name: str) -> str:
    found = plain(name)
    if name != ANY and not _is_address(found) and not NAME.fullmatch(found):
        raise GraphKDError(f"--allowed-host is {name!r}: give a name or an address without a port, or *")
    return found


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True
