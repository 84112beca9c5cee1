"""Addresses taken apart: which can be used, and what the others are told."""

from __future__ import annotations

import pytest

from llmstream.errors import ConfigError
from llmstream.transport.http.address import address_of


@pytest.mark.parametrize(
    ("url", "host", "authority"),
    [
        ("https://API.Example.com/v1", "api.example.com", "api.example.com:443"),
        ("http://[fd00::1]:81", "fd00::1", "[fd00::1]:81"),
        ("https://bücher.example", "xn--bcher-kva.example", "xn--bcher-kva.example:443"),
        ("https://example.com.", "example.com.", "example.com.:443"),
    ],
)
def test_a_host_is_what_the_dns_and_certificates_have(url: str, host: str, authority: str) -> None:
    address = address_of(url)
    assert (address.host, address.authority) == (host, authority)


@pytest.mark.parametrize(
    "url",
    [
        "https://", "https:///v1", "ftp://example.com", "https://a..b", "https://example.com:port",
        f"https://{'a' * 64}.example", f"https://{'ä' * 64}.example", f"https://{'a.' * 127}a", "https://a b/",
    ],
)  # fmt: skip
def test_what_can_not_be_asked_is_a_matter_of_configuration(url: str) -> None:
    with pytest.raises(ConfigError, match="not a usable address"):
        address_of(url)
