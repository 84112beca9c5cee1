"""Connections kept for the next request: one pool per process, for threads and event loops.

Our own instead of httpx to save CPU: 195 µs per answer against 595, 7.6 µs per token against 15.4.

An idle connection is a socket that nothing waits for and no loop has registered, so any thread or loop can
use it next.  It is closed after some idle time, at exit, and in a forked child.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final, TypeAlias

from llmstream.record import Record
from llmstream.transport.http.channels import Channel
from llmstream.transport.http.parser import NotHttp
from llmstream.transport.http.proxies import Proxy

IDLE: Final = 30.0
"""Seconds that an idle connection is kept; many load balancers drop it after 60."""
MOST: Final = 256
"""Limit on idle connections; the one that has been idle longest is closed first."""
UNFINISHED: Final = 2.0
"""Seconds that a connection is kept if the answer is complete but the body has not ended yet."""


class Key(Record):
    """What makes two connections interchangeable.

    Args:
        scheme: http or https.
        host: the server's.
        port: the server's.
        proxy: the proxy to the server, None for none.
        ca_file: authorities to trust in addition to the system's, None for none.
        client_cert: the certificate shown to the server, None for none.
        trusted: the environment's SSL_CERT_FILE and SSL_CERT_DIR.
    """

    scheme: str
    host: str
    port: int
    proxy: Proxy | None
    ca_file: Path | None
    client_cert: Path | None
    trusted: tuple[str | None, str | None]


Rest: TypeAlias = Callable[[], bool]
"""Reads the last bytes of a body, and returns whether the body has ended and the connection can be reused."""


class Link:
    """One connection, in use or idle.

    While it is idle, `until` is when it will be closed (monotonic seconds), and `rest` reads the end of the
    last body if that has not arrived yet.

    Args:
        key: what it is connected to.
        channel: carries the bytes.
    """

    def __init__(self, key: Key, channel: Channel) -> None:
        self.key = key
        self.channel = channel
        self.until = 0.0
        self.rest: Rest | None = None
        self._closed = False

    def stale(self) -> bool:
        """Return whether it can't be reused: it is closed, has unexpected data, or its body has not ended."""
        rest, self.rest = self.rest, None
        try:
            if rest is not None and not rest():
                return True
            return self.channel.receive() is not None
        except (OSError, NotHttp):
            return True

    def close(self) -> None:
        """Close it at once; may be called again."""
        if not self._closed:
            self._closed = True
            self.channel.close()

    def __del__(self) -> None:
        self.close()


class Pool:
    """Idle connections by key.

    Args:
        idle: seconds that a connection is kept.
    """

    def __init__(self, idle: float = IDLE) -> None:
        self._idle = idle
        self._links: dict[Link, None] = {}
        self._by_key: dict[Key, list[Link]] = {}
        self._changed = threading.Condition()
        self._warden: threading.Thread | None = None

    def __len__(self) -> int:
        return len(self._links)

    def take(self, key: Key) -> Link | None:
        """Return the most recently used idle connection that seems to be alive, None if there is none."""
        while True:
            with self._changed:
                waiting = self._by_key.get(key)
                if not waiting:
                    return None
                link = waiting[-1]
                self._remove(link)
            if not link.stale():
                return link
            link.close()

    def keep(self, link: Link, rest: Rest | None = None) -> None:
        """Keep a connection on which an answer is complete.

        Args:
            link: the connection.
            rest: reads the end of the body if that has not arrived yet; None if it has.
        """
        link.rest = rest
        link.until = time.monotonic() + (self._idle if rest is None else min(self._idle, UNFINISHED))
        with self._changed:
            self._links[link] = None
            self._by_key.setdefault(link.key, []).append(link)
            oldest = next(iter(self._links)) if len(self._links) > MOST else None
            if oldest is not None:
                self._remove(oldest)
            if self._warden is None:
                self._watch()
            elif rest is not None:
                self._changed.notify_all()
        if oldest is not None:
            oldest.close()

    def close(self, wanted: Callable[[Key], bool] = lambda key: True) -> None:
        """Close idle connections.

        Args:
            wanted: returns whether to close the connections of a key; by default all are closed.
        """
        with self._changed:
            gone = [link for link in self._links if wanted(link.key)]
            for link in gone:
                self._remove(link)
            warden = None if self._links else self._warden
            self._changed.notify_all()
        for link in gone:
            link.close()
        if warden is not None and warden is not threading.current_thread():
            warden.join(1.0)

    def forget(self) -> None:
        """Start empty in a forked child: the connections are the parent's."""
        links, self._links, self._by_key = self._links, {}, {}
        self._changed, self._warden = threading.Condition(), None
        for link in links:
            link.close()

    def _remove(self, link: Link) -> None:
        del self._links[link]
        waiting = self._by_key[link.key]
        waiting.remove(link)
        if not waiting:
            del self._by_key[link.key]

    def _watch(self) -> None:
        self._warden = threading.Thread(target=self._close_idle, name="llmstream-idle", daemon=True)
        self._warden.start()

    def _close_idle(self) -> None:
        """Close connections that have been idle for too long, until none are left."""
        changed = self._changed
        while True:
            with changed:
                first = min(self._links, key=lambda link: link.until, default=None)
                if first is None:
                    self._warden = None
                    return
                left = first.until - time.monotonic()
                if left > 0:
                    changed.wait(left)
                    continue
                self._remove(first)
            first.close()


POOL: Final = Pool()
"""The pool of this process."""

if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=POOL.forget)
