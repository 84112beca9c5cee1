"""A job on a Ray cluster of so many nodes, one of which may be killed in mid-job; in a process of its own.

``python ray_script.py CONFIG INPUT OUTPUT NODES KILL`` prints a JSON object with the seconds that asking took.
"""

from __future__ import annotations

import json
import logging
import sys
import threading
import time
from pathlib import Path

import ray
from ray.cluster_utils import Cluster as Nodes

from llmstream.config.settings import Settings as Configuration
from llmstream.jobs.inputs import Asker, Common
from llmstream.jobs.pieces import Pieces
from llmstream.jobs.ray import Cluster
from llmstream.jobs.run import Settings
from llmstream.jobs.sources import Source
from llmstream.jobs.tally import Tally
from llmstream.jobs.work import Work


def main(config: str, source: str, output: str, count: int, kill: bool) -> None:
    nodes = Nodes(initialize_head=True, head_node_args={"num_cpus": 1})
    others = [nodes.add_node(num_cpus=1) for _ in range(count - 1)]
    ray.init(address=nodes.address, log_to_driver=False, logging_level=logging.ERROR)
    configuration = Configuration.load(Path(config), {})
    work = Work(Source(source), Asker(lambda model: [configuration.target("p/m")], Common()))
    work.look()
    work.open(output, fresh=False)
    write = work.emit_to(lambda line: None)
    tally = Tally(time.monotonic)
    killer: list[threading.Thread] = []

    def emit(*outcome: object) -> None:
        write(*outcome)  # type: ignore[arg-type]
        if kill and not killer:
            killer.append(threading.Thread(target=nodes.remove_node, args=(others[0], False)))
            killer[0].start()

    cluster = Cluster("")
    began = time.monotonic()
    ended_by = cluster.ask(
        Pieces(work.questions(), 20, lambda row: None), Settings(16), lambda target: (0, 0), tally, emit
    )
    seconds = time.monotonic() - began
    work.close()
    for thread in killer:
        thread.join()
    print(json.dumps({"seconds": seconds, "ended_by": str(ended_by), "killed": len(killer)}))
    ray.shutdown()  # type: ignore[no-untyped-call,unused-ignore]
    nodes.shutdown()  # type: ignore[no-untyped-call,unused-ignore]


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4]), sys.argv[5] == "kill")
