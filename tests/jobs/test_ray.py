"""A real Ray cluster of two nodes on this machine, one of which is killed in mid-job."""

from __future__ import annotations

import asyncio
import json
import logging
import threading
from pathlib import Path

import pytest

from jobs.conftest import Provider
from llmstream.jobs.inputs import Asker, Common
from llmstream.jobs.run import Settings
from llmstream.jobs.sources import Source
from llmstream.jobs.tally import Tally
from llmstream.jobs.work import Work

ray = pytest.importorskip("ray")
pytestmark = [pytest.mark.timeout(240), pytest.mark.filterwarnings("ignore")]

PROMPTS = 1200


def test_a_node_that_is_killed_loses_and_doubles_nothing(provider: Provider, tmp_path: Path) -> None:
    from ray.cluster_utils import Cluster as Nodes

    from llmstream.jobs.pieces import Pieces
    from llmstream.jobs.ray import Cluster

    path = tmp_path / "in.jsonl"
    path.write_text("".join(f'{{"id": {n}, "prompt": "ray {n}"}}\n' for n in range(PROMPTS)))
    nodes = Nodes(initialize_head=True, head_node_args={"num_cpus": 1})
    second = nodes.add_node(num_cpus=1)
    ray.init(address=nodes.address, log_to_driver=False, logging_level=logging.ERROR)
    work = Work(Source(str(path)), Asker(lambda model: [provider.target()], Common()))
    killer: threading.Thread | None = None
    try:
        work.look()
        work.open(str(tmp_path / "out.jsonl"), fresh=False)
        write = work.emit_to(lambda line: None)
        tally = Tally(asyncio.new_event_loop().time)

        def emit(*outcome: object) -> None:
            nonlocal killer
            write(*outcome)  # type: ignore[arg-type]
            if killer is None:
                killer = threading.Thread(target=nodes.remove_node, args=(second, False))
                killer.start()

        cluster = Cluster("")
        pieces = Pieces(work.questions(), 20, lambda row: None)
        ended_by = cluster.ask(pieces, Settings(16), lambda target: (0, 0), tally, emit)
        cluster.close()
    finally:
        work.close()
        if killer is not None:
            killer.join()
        ray.shutdown()  # type: ignore[no-untyped-call,unused-ignore]
        nodes.shutdown()
    assert killer is not None
    assert ended_by is None
    found = [json.loads(line) for line in (tmp_path / "out.jsonl").read_text().splitlines()]
    assert len(found) == PROMPTS
    assert {one["id"]: one["text"] for one in found} == {n: f"re: ray {n}" for n in range(PROMPTS)}
