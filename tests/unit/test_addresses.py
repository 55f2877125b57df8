"""Webhooks go to public addresses and to nothing that only looks like one."""

from __future__ import annotations

import asyncio
import socket
from ipaddress import ip_address

import pytest

from outbox.destinations.addresses import RefusedAddress, addresses_of, is_public

INSIDE = [
    "127.0.0.1", "127.8.8.8", "0.0.0.0", "10.1.2.3", "172.16.0.1", "192.168.1.1",
    "169.254.169.254", "100.64.0.1", "100.100.100.200", "192.0.0.192", "168.63.129.16",
    "198.18.0.1", "192.0.2.1", "224.0.0.1", "240.0.0.1", "255.255.255.255",
    "::1", "::", "fe80::1", "fc00::1", "fd00:ec2::254", "ff02::1", "2001:db8::1",
    "::ffff:127.0.0.1", "::ffff:169.254.169.254", "::ffff:10.0.0.1", "::ffff:a00:1",
    "64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe", "2002:7f00:1::", "2002:a9fe:a9fe::1",
    "2001:0:4136:e378:8000:63bf:80ff:fffe", "::127.0.0.1", "fec0::1",
    "64:ff9b:1::a00:1", "100::1", "4000::1",
]  # fmt: skip
OUTSIDE = ["1.1.1.1", "93.184.216.34", "2606:4700:4700::1111", "::ffff:1.1.1.1", "64:ff9b::101:101"]


@pytest.mark.parametrize("text", INSIDE)
def test_an_address_inside_is_not_public(text) -> None:
    assert not is_public(ip_address(text))


@pytest.mark.parametrize("text", OUTSIDE)
def test_an_address_of_the_internet_is_public(text) -> None:
    assert is_public(ip_address(text))


def found(host: str, *, allow_private: bool = False) -> list[str]:
    return asyncio.run(addresses_of(host, 443, allow_private=allow_private))


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "127.1", "2130706433", "0x7f.1", "0177.0.0.1", "localhost", "::1", "0"]
)
def test_however_loopback_is_written_it_is_refused(host) -> None:
    with pytest.raises(RefusedAddress):
        found(host)


def test_only_the_public_ones_of_several_addresses_are_left(monkeypatch) -> None:
    monkeypatch.setattr(
        socket,
        "getaddrinfo",
        lambda *args, **kwargs: [
            (socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, 443))
            for address in ("10.0.0.1", "1.1.1.1", "127.0.0.1", "1.1.1.1")
        ],
    )

    assert found("hooks.example.org") == ["1.1.1.1"]


def test_private_ones_are_returned_where_they_are_allowed() -> None:
    assert found("127.0.0.1", allow_private=True) == ["127.0.0.1"]
