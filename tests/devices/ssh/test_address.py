"""An address is read with care: it ends on a command line."""

from __future__ import annotations

import pytest

from pytest_edgebudget.devices.ssh.address import Address, parse
from pytest_edgebudget.errors import EdgeBudgetError


@pytest.mark.parametrize(
    ("url", "address"),
    [
        ("ssh://pi@pi4.local", Address("pi4.local", "pi")),
        ("ssh://pi4", Address("pi4")),
        ("ssh://pi4/", Address("pi4")),
        ("ssh://pi@192.168.1.7:2222", Address("192.168.1.7", "pi", 2222)),
        ("ssh://pi@[fe80::1%eth0]:22", Address("fe80::1%eth0", "pi", 22)),
        ("ssh://a_b-c.d@build_farm-7", Address("build_farm-7", "a_b-c.d")),
    ],
)
def test_an_address_has_a_host_and_perhaps_a_user_and_a_port(url: str, address: Address) -> None:
    assert parse(url) == address
    assert address.url == url.removesuffix("/")


@pytest.mark.parametrize(
    "url",
    [
        "ssh://",
        "ssh://pi@",
        "ssh://-oProxyCommand=touch x",
        "ssh://-oProxyCommand=x@host",
        "ssh://pi@-host",
        "ssh://pi4;reboot",
        "ssh://pi4 reboot",
        "ssh://$(reboot)",
        "ssh://pi@pi4:0",
        "ssh://pi@pi4:65536",
        "ssh://pi:secret@pi4",
        "ssh://pi4/home/pi",
        "ssh://pi4\n",
        "SSH://pi4",
        "pi@pi4",
    ],
)
def test_anything_else_is_refused(url: str) -> None:
    with pytest.raises(EdgeBudgetError, match="is no address of a board"):
        parse(url)
