"""What NO_PROXY leaves out, in the forms in which people write it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmstream.transport.http.proxies import left_out

HERE = "10.1.2.3"


@pytest.mark.parametrize(
    ("no_proxy", "host"),
    [
        ("[::1]", "::1"),
        ("::1", "0:0:0:0:0:0:0:1"),
        ("[::1]:443", "::1"),
        ("fd00::/8", "fd00::5"),
        ("[fd00::]/8", "fd00::5"),
        ("[fd00::/8]", "fd00::5"),
        ("[fd00::]/8:443", "fd00::5"),
        ("10.0.0.0/8", HERE),
        ("10.0.0.0/8", f"::ffff:{HERE}"),
        ("10.0.0.0/255.0.0.0", HERE),
        ("10.0.0.0/8:443", HERE),
        (f"  {HERE}:443 ", HERE),
        (f'"localhost,{HERE}"', HERE),
        ("10.1.2.*", HERE),
        ("foo , .example.com", "llm.example.com"),
        ("foo example.com", "example.com"),
        ("foo;example.com.", "llm.example.com"),
        ("*.example.com", "llm.example.com"),
        ("https://Example.com/", "example.com"),
        ("https://example.com:443/", "EXAMPLE.com."),
        ("bücher.example", "xn--bcher-kva.example"),
        ("localhost, *", "anywhere"),
    ],
)
def test_a_host_is_left_out(no_proxy: str, host: str) -> None:
    assert left_out(host, 443, no_proxy)


@pytest.mark.parametrize(
    ("no_proxy", "host"),
    [
        ("[::1]:80", "::1"),
        (f"{HERE}:80", HERE),
        ("10.0.0.0/8:80", HERE),
        ("10.0.0.0/8", "11.1.2.3"),
        ("10.0.0.0/8", "10.example.com"),
        ("10.0.0.0/99", HERE),
        ("2.3", HERE),
        (".3", HERE),
        ("10.1.2.*", "10.1.20.3"),
        ("example.com", "notexample.com"),
        ("llm.example.com", "example.com"),
        ("example.com:port", "example.com"),
        ("[", "example.com"),
        ("][ / : :443 . .. /*", "example.com"),
        ("", "example.com"),
    ],
)
def test_another_host_is_not(no_proxy: str, host: str) -> None:
    assert not left_out(host, 443, no_proxy)


@given(st.text(), st.sampled_from([HERE, "::1", "example.com"]))
def test_whatever_is_written_there_is_an_answer(no_proxy: str, host: str) -> None:
    assert left_out(host, 443, no_proxy) in (True, False)
