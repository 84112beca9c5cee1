"""The route to a model that is a command; imports its transports only when they are needed."""

from __future__ import annotations

from llmstream.record import Record
from llmstream.transport.drivers import AsyncTransport, Transport


class ProcessRoute(Record):
    """The route to a model that is a command.

    Args:
        command: the argument list; ``{prompt}`` in it is replaced by the prompt.
    """

    command: tuple[str, ...]

    def transport(self) -> Transport:
        """Return a transport for a blocking run."""
        from llmstream.transport.process.sync import ProcessTransport

        return ProcessTransport(self.command)

    def async_transport(self) -> AsyncTransport:
        """Return a transport for the running event loop."""
        from llmstream.transport.process.async_ import AsyncProcessTransport

        return AsyncProcessTransport(self.command)
