"""Bedrock with AWS's own credentials: what arrives is signed, which botocore itself checks here."""

from __future__ import annotations

import re
import shutil
import subprocess
from typing import Any

import pytest

from e2e.recorder import MODELS, TEXT, Recorder, Request
from fakes.command import Command, Home

ID, SECRET, TOKEN = "AKIAFAKEFAKEFAKEFAKE", "fake/secret+0123456789", "fake-session-token"
MODEL = "eu.acme.wonder-v1:0"
SIGNED = re.compile(
    r"AWS4-HMAC-SHA256 Credential=(?P<id>\w+)/\d{8}/(?P<region>[\w-]+)/bedrock/aws4_request, "
    r"SignedHeaders=(?P<names>[\w;-]+), Signature=(?P<signature>[0-9a-f]{64})"
)
BLANK = {"AWS_EC2_METADATA_DISABLED": "true"}
"""Else AWS's chain asks an address that only machines of AWS's have."""


@pytest.fixture(autouse=True)
def no_credentials(home: Home) -> None:
    """Start from a machine that has none."""
    pytest.importorskip("botocore")
    home.environment |= BLANK


def table(recorder: Recorder, more: str = "", region: str = "eu-west-1") -> str:
    """Return a provider for a configuration file."""
    return (
        f'default = "aws"\n[providers.aws]\nadapter = "bedrock"\nbase_url = "{recorder.address}"\n'
        f'model = "{MODEL}"\naws_region = "{region}"\nmax_retries = 1\n{more}\n'
    )


def signer(request: Request, identity: str, secret: str, token: str | None, region: str) -> None:
    """Assert that a request was signed with these credentials, just as it came."""
    from botocore.auth import SigV4Auth
    from botocore.awsrequest import AWSRequest
    from botocore.credentials import Credentials

    found = SIGNED.fullmatch(request.headers["authorization"])
    assert found is not None, request.headers["authorization"]
    assert (found["id"], found["region"]) == (identity, region)
    assert request.headers.get("x-amz-security-token") == token
    names = found["names"].split(";")
    assert {"host", "x-amz-date", "content-type"} - set(names) <= (
        {"content-type"} if request.method == "GET" else set()
    )
    made = AWSRequest(
        request.method,
        f"http://{request.headers['host']}{request.path}",
        data=request.content,
        headers={name: request.headers[name] for name in names if name != "host"},
    )
    made.context["timestamp"] = request.headers["x-amz-date"]
    auth: Any = SigV4Auth(Credentials(identity, secret, token), "bedrock", region)
    said = auth.string_to_sign(made, auth.canonical_request(made))
    assert auth.signature(said, made) == found["signature"]


@pytest.mark.parametrize("engine", ["--sync", "--async"])
@pytest.mark.parametrize("token", [None, TOKEN])
def test_credentials_of_the_environment_sign_the_request(
    home: Home, recorder: Recorder, run_llmstream: Command, engine: str, token: str | None
) -> None:
    home.write(table(recorder))
    home.environment |= {"AWS_ACCESS_KEY_ID": ID, "AWS_SECRET_ACCESS_KEY": SECRET}
    if token:
        home.environment["AWS_SESSION_TOKEN"] = token
    run = run_llmstream(engine, "--debug", "Grüße")
    assert (run.status, run.out) == (0, TEXT + "\n"), run.err
    assert recorder.last.path == "/model/eu.acme.wonder-v1%3A0/converse-stream"
    signer(recorder.last, ID, SECRET, token, "eu-west-1")
    assert SECRET not in run.err and TOKEN not in run.err


def test_each_attempt_is_signed(home: Home, recorder: Recorder, run_llmstream: Command) -> None:
    home.write(table(recorder))
    home.environment |= {"AWS_ACCESS_KEY_ID": ID, "AWS_SECRET_ACCESS_KEY": SECRET}
    recorder.refusals = [503]
    assert run_llmstream("-q", "Hello").status == 0
    assert len(recorder.requests) == 2
    for request in recorder.requests:
        signer(request, ID, SECRET, None, "eu-west-1")


@pytest.mark.parametrize("by", ["configuration", "variable"])
def test_a_profile_of_the_users_aws_files_signs(
    home: Home, recorder: Recorder, run_llmstream: Command, by: str
) -> None:
    folder = home.folder / ".aws"
    folder.mkdir()
    (folder / "credentials").write_text(
        "[default]\naws_access_key_id = AKIAOTHER\naws_secret_access_key = other\n"
        f"[work]\naws_access_key_id = {ID}\naws_secret_access_key = {SECRET}\naws_session_token = {TOKEN}\n"
    )
    home.write(table(recorder, 'aws_profile = "work"' if by == "configuration" else ""))
    if by == "variable":
        home.environment["AWS_PROFILE"] = "work"
    assert run_llmstream("Hello").status == 0
    signer(recorder.last, ID, SECRET, TOKEN, "eu-west-1")


def test_a_list_of_models_is_asked_for_signed(home: Home, recorder: Recorder, run_llmstream: Command) -> None:
    home.write(table(recorder))
    home.environment |= {"AWS_ACCESS_KEY_ID": ID, "AWS_SECRET_ACCESS_KEY": SECRET}
    assert run_llmstream("models").out == "".join(f"aws/{name}\n" for name in MODELS)
    signer(recorder.last, ID, SECRET, None, "eu-west-1")


@pytest.mark.parametrize("adapter", ['adapter = "bedrock"', 'preset = "bedrock"'])
def test_a_key_goes_as_a_bearer_token_and_nothing_is_signed(
    home: Home, recorder: Recorder, run_llmstream: Command, adapter: str
) -> None:
    key = 'api_key_env = "AWS_BEARER_TOKEN_BEDROCK"'
    home.write(table(recorder, key).replace('adapter = "bedrock"', adapter))
    home.environment |= {"AWS_ACCESS_KEY_ID": ID, "AWS_SECRET_ACCESS_KEY": SECRET}
    assert run_llmstream("Hello", env={"AWS_BEARER_TOKEN_BEDROCK": "bedrock-api-key-x"}).status == 0
    assert recorder.last.headers["authorization"] == "Bearer bedrock-api-key-x"
    assert not [name for name in recorder.last.headers if name.startswith("x-amz")]


def test_the_vendors_token_goes_to_the_vendor_only(
    home: Home, recorder: Recorder, run_llmstream: Command
) -> None:
    home.write(table(recorder).replace('adapter = "bedrock"', 'preset = "bedrock"'))
    home.environment["AWS_BEARER_TOKEN_BEDROCK"] = "bedrock-api-key-x"
    run = run_llmstream("Hello")
    assert run.status == 3 and recorder.requests == [] and "bedrock-api-key-x" not in run.err


def test_no_credentials_at_all_are_said_with_the_remedies(
    home: Home, recorder: Recorder, run_llmstream: Command
) -> None:
    home.write(table(recorder))
    for engine in ("--sync", "--async"):
        run = run_llmstream(engine, "Hello")
        assert (run.status, run.out, recorder.requests) == (3, "", [])
        assert "no AWS credentials were found" in run.err and "AWS_BEARER_TOKEN_BEDROCK" in run.err
        assert "Traceback" not in run.err
    home.write(table(recorder, 'aws_profile = "nobody"'))
    run = run_llmstream("Hello")
    assert run.status == 3 and "nobody" in run.err


@pytest.mark.parametrize(
    ("lines", "variables", "host"),
    [
        ("", {"AWS_REGION": "us-west-2"}, "bedrock-runtime.us-west-2.amazonaws.com"),
        ("", {"AWS_DEFAULT_REGION": "us-west-2"}, "bedrock-runtime.us-west-2.amazonaws.com"),
        ('aws_region = "eu-west-1"', {"AWS_REGION": "us-west-2"}, "bedrock-runtime.eu-west-1.amazonaws.com"),
        ('aws_region = "eu-west-1"', {}, "bedrock-runtime.eu-west-1.amazonaws.com"),
    ],
)
def test_the_region_is_in_the_address(
    home: Home, run_llmstream: Command, lines: str, variables: dict[str, str], host: str
) -> None:
    if lines:
        home.write(f"[providers.bedrock]\n{lines}\n")
    run = run_llmstream("-m", "bedrock", "--show-request", "Hello", env=variables)
    assert run.status == 0 and f"https://{host}/model/" in run.out


@pytest.mark.skipif(not shutil.which("curl"), reason="curl is not installed")
@pytest.mark.parametrize("token", [None, TOKEN])
def test_a_request_that_is_shown_is_signed_by_curl(
    home: Home, recorder: Recorder, run_llmstream: Command, token: str | None
) -> None:
    # a name without a colon, which old versions of curl sign wrongly
    home.write(table(recorder).replace(MODEL, "eu.acme.wonder"))
    home.environment |= {"AWS_ACCESS_KEY_ID": ID, "AWS_SECRET_ACCESS_KEY": SECRET}
    if token:
        home.environment["AWS_SESSION_TOKEN"] = token
    run = run_llmstream("--show-request", "Grüße")
    assert (run.status, run.err, recorder.requests) == (0, "", [])
    assert ID not in run.out and SECRET not in run.out and TOKEN not in run.out
    subprocess.run(["sh", "-c", run.out], capture_output=True, check=True, env=home.environment, timeout=30)
    signer(recorder.last, ID, SECRET, token, "eu-west-1")
    shown = recorder.last
    assert run_llmstream("Grüße").status == 0
    assert recorder.last.content == shown.content and recorder.last.path == shown.path


def test_a_shown_request_says_where_the_variables_of_a_profile_come_from(
    home: Home, recorder: Recorder, run_llmstream: Command
) -> None:
    home.write(table(recorder, 'aws_profile = "work"'))
    run = run_llmstream("--show-request", "Hello")
    assert run.status == 0 and "$AWS_SESSION_TOKEN" in run.out
    assert "aws configure export-credentials --profile work --format env" in run.err
    assert "update curl" in run.err
