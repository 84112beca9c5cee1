"""Signs requests for Bedrock with AWS credentials and profiles, by means of botocore.

Source: AWS, "Signature Version 4"; botocore's own `SigV4Auth`.
"""

from __future__ import annotations

import os
from functools import lru_cache
from typing import TYPE_CHECKING

from llmstream.adapters.base import HttpRequest
from llmstream.errors import ConfigError, MissingExtra, MissingKey
from llmstream.record import replace

if TYPE_CHECKING:
    from botocore.credentials import Credentials

SERVICE = "bedrock"


def signed(request: HttpRequest, *, region: str, profile: str) -> HttpRequest:
    """Return a request with a fresh signature; it is valid for minutes, so each attempt needs its own.

    Args:
        request: without a key.
        region: such as ``us-east-1``.
        profile: its name in the user's AWS files; empty for the one that AWS's own tools would use.

    Raises:
        MissingExtra: botocore is not installed.
        MissingKey: botocore finds no credentials.
        ConfigError: the profile does not exist, or its credentials can't be obtained.
    """
    try:
        from botocore.auth import SigV4Auth
        from botocore.awsrequest import AWSRequest
        from botocore.exceptions import BotoCoreError, ClientError
    except ImportError as error:
        raise MissingExtra(
            "AWS credentials need botocore, which is not installed",
            hint="pip install 'llmstream-cli[bedrock]', or set AWS_BEARER_TOKEN_BEDROCK",
        ) from error
    try:
        credentials = _credentials(profile, _variables())
        made = AWSRequest(request.method, request.url, data=request.body, headers=dict(request.headers))
        SigV4Auth(credentials.get_frozen_credentials(), SERVICE, region).add_auth(made)
    except (BotoCoreError, ClientError) as error:
        raise ConfigError(f"AWS credentials can't be used: {error}") from error
    return replace(request, headers={name.lower(): value for name, value in made.headers.items()})


def _variables() -> tuple[tuple[str, str], ...]:
    return tuple(sorted(pair for pair in os.environ.items() if pair[0].startswith("AWS_")))


@lru_cache(maxsize=8)
def _credentials(profile: str, variables: tuple[tuple[str, str], ...]) -> Credentials:
    """Return credentials, which renew themselves; cached, so that a role is not assumed for each request.

    Args:
        profile: as for `signed`.
        variables: the environment variables that they depend on, for the cache.
    """
    from botocore.session import Session

    credentials = Session(profile=profile or None).get_credentials()
    if credentials is None:
        raise MissingKey(
            "no AWS credentials were found",
            hint="set AWS_BEARER_TOKEN_BEDROCK or aws_profile, or configure credentials as for the AWS CLI",
        )
    return credentials
