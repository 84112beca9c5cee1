"""Which proxy a request goes through, by the provider's own setting, the environment and the system."""

from __future__ import annotations

import sys
import urllib.request

import pytest

from llmstream.errors import ConfigError
from llmstream.transport.http.address import address_of
from llmstream.transport.http.proxies import proxy_for

HTTPS = address_of("https://api.example.com/v1")
HTTP = address_of("http://api.example.com/v1")


@pytest.mark.parametrize(
    ("own", "variables", "used"),
    [
        ("https://p:8443", {"https_proxy": "http://other"}, "https://p:8443"),
        (None, {"https_proxy": "http://p:3128"}, "http://p:3128"),
        (None, {"https_proxy": " p:3128 "}, "http://p:3128"),
        (None, {"HTTPS_PROXY": "http://upper", "https_proxy": "http://lower"}, "http://lower:80"),
        (None, {"https_proxy": "", "ALL_PROXY": "socks5h://p"}, "socks5h://p:1080"),
        (None, {"all_proxy": "SOCKS://p:9050/"}, "socks5://p:9050"),
        (None, {"https_proxy": "http://p", "no_proxy": "example.com"}, None),
        (None, {"http_proxy": "ftp://it-is-for-http-alone"}, None),
        (None, {}, None),
    ],
)
def test_the_providers_own_goes_before_the_environments(
    own: str | None, variables: dict[str, str], used: str | None
) -> None:
    found = proxy_for(HTTPS, own, variables)
    assert (None if found is None else repr(found)) == used


def test_a_request_header_that_a_web_server_handed_on_names_no_proxy() -> None:
    variables = {"HTTP_PROXY": "http://evil", "REQUEST_METHOD": "GET"}
    assert proxy_for(HTTP, None, variables) is None
    found = proxy_for(HTTP, None, variables | {"http_proxy": "http://ours"})
    assert found is not None and found.address.host == "ours"


@pytest.mark.parametrize(
    "url", ["ftp://me:secret@p", "socks4://p", "http://", "http://p:port", "http://:80@"]
)
def test_one_that_can_not_be_used_is_named_with_its_variable_and_without_its_password(url: str) -> None:
    with pytest.raises(ConfigError) as caught:
        proxy_for(HTTPS, None, {"https_proxy": url})
    said = f"{caught.value.message} {caught.value.hint} {caught.value.__cause__}"
    assert "https_proxy" in caught.value.message and "NO_PROXY" in said
    assert "secret" not in said
    with pytest.raises(ConfigError) as caught:
        proxy_for(HTTPS, url, {})
    assert "the provider's proxy setting" in caught.value.hint and "NO_PROXY" not in caught.value.hint


@pytest.mark.parametrize(
    ("settings", "used"),
    [
        ({"https": "http://p:1"}, "http://p:1"),
        ({"all": "socks5://p:2"}, "socks5://p:2"),
        ({"http": "http://it-is-for-http-alone"}, None),
    ],
)
def test_where_the_environment_says_nothing_the_systems_settings_hold(
    monkeypatch: pytest.MonkeyPatch, settings: dict[str, str], used: str | None
) -> None:
    monkeypatch.setattr(urllib.request, "getproxies", lambda: settings)
    assert proxy_for(HTTPS, None, {}) is None
    monkeypatch.setattr(sys, "platform", "darwin")
    found = proxy_for(HTTPS, None, {})
    assert (None if found is None else repr(found)) == used
    environments = proxy_for(HTTPS, None, {"https_proxy": "http://first"})
    assert environments is not None and environments.origin == "https_proxy"
