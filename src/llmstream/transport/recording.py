"""Records a run: passes its steps on unchanged and writes down the result of each effect.

It sits between a conversation and its driver, so the same code serves threads and event loops, and
sockets, processes and objects, and it sees retries and fallbacks too.
"""

from __future__ import annotations

from llmstream.engine.effects import Batch, Effect, Steps
from llmstream.errors import LLMStreamError
from llmstream.transport.tape.writer import Recording


def recorded(steps: Steps, recording: Recording) -> Steps:
    """Yield the same steps and record them; if they are closed before their end, that is recorded too.

    Args:
        steps: the steps of a conversation.
        recording: the file; closed with the steps.
    """
    try:
        step: Effect | Batch = next(steps)
        while True:
            if isinstance(step, list):
                yield step
                step = steps.send(None)
                continue
            recording.before(step)
            try:
                reply = yield step
            except LLMStreamError as error:
                recording.failed(step, error)
                step = steps.throw(error)
            else:
                recording.after(step, reply)
                step = steps.send(reply)
    except StopIteration:
        return
    except GeneratorExit:
        recording.stopped()
        raise
    finally:
        steps.close()
        recording.close()
