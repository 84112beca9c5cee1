"""A real Ray cluster of two nodes on this machine, one of which is killed in mid-job."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from jobs.conftest import Provider

PROMPTS = 1200


@pytest.mark.skipif(importlib.util.find_spec("ray") is None, reason="needs the extra ray")
@pytest.mark.timeout(240)
def test_a_node_that_is_killed_loses_and_doubles_nothing(provider: Provider, tmp_path: Path) -> None:
    source, output = tmp_path / "in.jsonl", tmp_path / "out.jsonl"
    source.write_text("".join(f'{{"id": {n}, "prompt": "ray {n}"}}\n' for n in range(PROMPTS)))
    script = str(Path(__file__).with_name("ray_script.py"))
    arguments = [str(provider.config(tmp_path)), str(source), str(output), "2", "kill"]
    # the path of a Unix socket has 107 bytes at most, and Ray's own part of it is long
    with tempfile.TemporaryDirectory(prefix="r", dir="/tmp", ignore_cleanup_errors=True) as short:
        run = subprocess.run(
            [sys.executable, script, *arguments],
            capture_output=True,
            text=True,
            timeout=230,
            env={**os.environ, "RAY_TMPDIR": short},
        )
    assert run.returncode == 0, run.stderr[-3000:]
    # Ray's own log is on standard output too, and may come last
    said = json.loads([line for line in run.stdout.splitlines() if line.startswith("{")][-1])
    assert (said["ended_by"], said["killed"]) == ("None", 1)
    found = [json.loads(line) for line in output.read_text().splitlines()]
    assert len(found) == PROMPTS
    assert {one["id"]: one["text"] for one in found} == {n: f"re: ray {n}" for n in range(PROMPTS)}
