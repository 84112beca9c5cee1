"""HTTP parts that both engines share: the route to a provider, and the signing that some routes need."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from llmstream.engine.effects import Open
from llmstream.record import Record, replace


class Connection(Record):
    """How a provider is reached.

    Args:
        proxy: URL of a proxy, None to use the environment's.
        ca_file: certificates to trust in addition to the system's, None for none.
        client_cert: certificate and key in one PEM file to show the server, None for none.
        aws_region: the region for which requests are signed with AWS credentials; empty for no signing.
        aws_profile: the profile whose credentials are used, empty for AWS's default.
    """

    proxy: str | None = None
    ca_file: Path | None = None
    client_cert: Path | None = None
    aws_region: str = ""
    aws_profile: str = ""


DIRECT: Final = Connection()
"""The route without settings: the environment determines the proxy and the trusted certificates."""


def signed(effect: Open, route: Connection) -> Open:
    """Return the effect with its request signed, if the route requires it."""
    if not route.aws_region:
        return effect
    from llmstream.transport.http.aws_signing import signed as sign

    request = sign(effect.request, region=route.aws_region, profile=route.aws_profile)
    return replace(effect, request=request)
