"""To which addresses of a network a webhook may go: public ones, unless told otherwise."""

from __future__ import annotations

import asyncio
import socket
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import Final

Address = IPv4Address | IPv6Address

# Not what the library knows as private on every Python: kept for protocols (RFC 6890), and where
# the machines of one cloud ask for their secrets.
_INSIDE: Final = (IPv4Network("192.0.0.0/24"), IPv4Network("168.63.129.16/32"))
# Where IPv6 addresses of the internet are. The rest is local, translated or not given out.
_UNICAST: Final = IPv6Network("2000::/3")
_NAT64: Final = IPv6Network("64:ff9b::/96")  # the last 32 bits are an IPv4 address (RFC 6052)


class RefusedAddress(Exception):
    """No address of the host is one that may be connected to."""


def is_public(address: Address) -> bool:
    """Tell whether an address is reachable by everybody, and so is nothing inside of the house.

    Private, shared, loopback, link-local (cloud metadata among them), multicast, reserved and
    unspecified addresses are not, nor is what leads to one of them: IPv4 mapped or translated
    into IPv6, 6to4, Teredo.
    """
    if isinstance(address, IPv4Address):
        inside = any(address in network for network in _INSIDE)
        return address.is_global and not address.is_multicast and not inside
    if address.ipv4_mapped is not None:
        return is_public(address.ipv4_mapped)
    if address in _NAT64:
        return is_public(IPv4Address(int(address) & 0xFFFF_FFFF))
    inner = [one for one in (address.sixtofour, *(address.teredo or ())) if one is not None]
    return address in _UNICAST and address.is_global and all(map(is_public, inner))


async def addresses_of(host: str, port: int, *, allow_private: bool) -> list[str]:
    """Look a host up, once, and return the addresses that may be connected to, best first.

    Who connects to what is returned here connects to what was checked: a name that changes its
    address in between leads nowhere else.

    Raises:
        OSError: the name is not known, or cannot be looked up now.
        RefusedAddress: all of its addresses are refused.
    """
    found = await asyncio.get_running_loop().getaddrinfo(
        host, port, type=socket.SOCK_STREAM, proto=socket.IPPROTO_TCP
    )
    addresses = [str(entry[4][0]) for entry in found]
    allowed = [one for one in addresses if allow_private or is_public(ip_address(one))]
    if not allowed:
        raise RefusedAddress
    return list(dict.fromkeys(allowed))
