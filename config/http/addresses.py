"""From where a request comes."""

from __future__ import annotations

from ipaddress import IPv6Address, IPv6Network, ip_address

from django.conf import settings
from django.http import HttpRequest

_ONE_LINE = 64  # bits: what one connection usually gets of IPv6, with all addresses behind it


def client_address(request: HttpRequest) -> str | None:
    """Return the caller's IP address; of IPv6 the network of one line (/64), as its first address.

    It is the peer of the connection. Behind ``TRUSTED_PROXIES`` proxies it is the entry of
    ``X-Forwarded-For`` that the outermost of them wrote; what stands left of it anybody can write.
    None: there is no address, as on a socket file.
    """
    given = request.META.get("REMOTE_ADDR", "")
    if settings.TRUSTED_PROXIES > 0:
        hops = request.headers.get("X-Forwarded-For", "").split(",")
        given = hops[-settings.TRUSTED_PROXIES] if len(hops) >= settings.TRUSTED_PROXIES else given
    try:
        address = ip_address(given.strip())
    except ValueError:
        return None
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped is not None:
            return str(address.ipv4_mapped)
        network = IPv6Network((int(address), _ONE_LINE), strict=False)
        return str(network.network_address)
    return str(address)
