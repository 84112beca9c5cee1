"""What both engines share of HTTP: the route to a provider, and the signing that some routes ask for."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from llmstream.engine.effects import Open
from llmstream.record import Record, replace


class Connection(Record):
    """How a provider is reached.

    Args:
        proxy: URL of a proxy, None for what the environment says.
        ca_file: certificates to trust beside the system's, None for none.
        client_cert: certificate and key in one PEM file to show the server, None for none.
        aws_region: requests are signed for it with AWS's own credentials; empty for no signing.
        aws_profile: whose credentials these are, empty for AWS's own choice.
    """

    proxy: str | None = None
    ca_file: Path | None = None
    client_cert: Path | None = None
    aws_region: str = ""
    aws_profile: str = ""


DIRECT: Final = Connection()
"""As the environment says."""


def signed(effect: Open, route: Connection) -> Open:
    """Return the effect with its request signed, where the route asks for that."""
    if not route.aws_region:
        return effect
    from llmstream.transport.http.aws_signing import signed as sign

    request = sign(effect.request, region=route.aws_region, profile=route.aws_profile)
    return replace(effect, request=request)
