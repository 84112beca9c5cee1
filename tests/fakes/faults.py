"""Scenarios of servers that are broken, hostile, or only slow: what scenarios.py has is civil."""

from __future__ import annotations

import gzip
import json
import time
import zlib
from email.utils import formatdate
from typing import Final

from fakes.scenarios import ESCAPES, Answer, chunk, error, event, finish, refuse, say, scenario

BEAT: Final = 0.05
"""Seconds between two signs of life of a server that has nothing to say."""
ENDLESS: Final = 1 << 12
"""Pieces of a thing without end; a client that has taken them all has no bound."""
PIECE: Final = b"x" * (1 << 20)


@scenario("pings")
def _pings(answer: Answer) -> None:
    answer.head()
    _comments(answer)


@scenario("text-then-pings")
def _text_then_pings(answer: Answer) -> None:
    answer.head()
    chunk(answer, "so far")
    _comments(answer)


def _comments(answer: Answer) -> None:
    """Send comments until the client goes."""
    while True:
        answer.raw(b": ping\n\n")
        time.sleep(BEAT)


@scenario("slow-head")
def _slow_head(answer: Answer) -> None:
    answer.connection.sendall(b"HTTP/1.1 200 OK\r\n")
    while True:
        answer.connection.sendall(b"x: y\r\n")
        time.sleep(BEAT)


@scenario("head-only")
def _head_only(answer: Answer) -> None:
    answer.head()
    answer.gone()


@scenario("error-first")
def _error_first(answer: Answer) -> None:
    answer.head()
    error(answer, "overloaded", "overloaded_error")
    answer.end()


@scenario("error-first-then-ok")
def _error_first_then_ok(answer: Answer) -> None:
    _error_first(answer) if answer.number == 0 else say(answer, "ok")


@scenario("no-content")
def _no_content(answer: Answer) -> None:
    answer.connection.sendall(b"HTTP/1.1 204 No Content\r\n\r\n")
    answer.gone()


@scenario("empty-stream")
def _empty_stream(answer: Answer) -> None:
    answer.head()
    answer.end()


@scenario("page")
def _page(answer: Answer) -> None:
    answer.whole(200, "<html><body>please log in</body></html>", **{"content-type": "text/html"})


@scenario("wrong-types")
def _wrong_types(answer: Answer) -> None:
    answer.head()
    chunk(answer, "so far")
    event(answer, {"choices": [{"index": 0, "delta": {"content": {}}, "text": {}}]})
    event(answer, {"choices": "none"})
    finish(answer)


@scenario("no-http")
def _no_http(answer: Answer) -> None:
    answer.connection.sendall(b"220 mail.example.com ESMTP\r\n\r\n")
    answer.gone()


@scenario("one-byte-each")
def _one_byte_each(answer: Answer) -> None:
    """Every byte by itself, lines that end in CRLF, comments and unknown fields between them."""
    answer.head()
    for text in ("été", "\u2028", "🥤"):
        delta = {"delta": {"content": text}, "text": text, "index": 0, "finish_reason": None}
        line = json.dumps({"choices": [delta]}, ensure_ascii=False)
        for byte in f": c\r\nretry: 9\r\nunknown\r\ndata: {line}\r\n\r\n".encode():
            answer.raw(bytes([byte]))
    finish(answer)


@scenario("after-done")
def _after_done(answer: Answer) -> None:
    """Text behind the end mark, on a connection that stays open."""
    answer.head()
    chunk(answer, "all", "stop")
    answer.raw(b"data: [DONE]\n\n")
    chunk(answer, "too much")
    answer.gone()


@scenario("redirect-elsewhere")
def _redirect_elsewhere(answer: Answer) -> None:
    """To the same server by another name, which is another origin."""
    port = answer.connection.getsockname()[1]
    refuse(answer, 307, "elsewhere", location=f"http://localhost:{port}{answer.path}")


@scenario("redirect-loop")
def _redirect_loop(answer: Answer) -> None:
    refuse(answer, 307, "here", location=answer.path)


@scenario("redirect-file")
def _redirect_file(answer: Answer) -> None:
    refuse(answer, 307, "a file", location="file:///etc/passwd")


@scenario("429-hour")
def _429_hour(answer: Answer) -> None:
    refuse(answer, 429, "come back later", **{"retry-after": "3600"})


@scenario("429-minute")
def _429_minute(answer: Answer) -> None:
    refuse(answer, 429, "come back later", **{"retry-after": "30"})


@scenario("429-nonsense")
def _429_nonsense(answer: Answer) -> None:
    refuse(answer, 429, "come back later", **{"retry-after": "soon", "retry-after-ms": "0"})


@scenario("429-date-then-ok")
def _429_date_then_ok(answer: Answer) -> None:
    _once(answer, 429, **{"retry-after": formatdate(time.time() - 60, usegmt=True)})


@scenario("503-ms-then-ok")
def _503_ms_then_ok(answer: Answer) -> None:
    _once(answer, 503, **{"retry-after-ms": "20"})


@scenario("rst-then-ok")
def _rst_then_ok(answer: Answer) -> None:
    answer.reset() if answer.number == 0 else say(answer, "ok")


def _once(answer: Answer, status: int, **headers: str) -> None:
    if answer.number == 0:
        refuse(answer, status, "not now", **headers)
    else:
        say(answer, "ok")


@scenario("500-final")
def _500_final(answer: Answer) -> None:
    refuse(answer, 500, "it is you", **{"x-should-retry": "false"})


@scenario("rst-midway")
def _rst_midway(answer: Answer) -> None:
    answer.head()
    chunk(answer, "so far")
    # a reset throws away what the client has not read yet
    answer.gate()
    answer.reset()


@scenario("gzip")
def _gzip(answer: Answer) -> None:
    answer.head(200, **{"content-encoding": "gzip"})
    press = zlib.compressobj(wbits=31)
    for line in (b'{"choices": [{"delta": {"content": "pressed"}, "text": "pressed"}]}', b"[DONE]"):
        answer.raw(press.compress(b"data: " + line + b"\n\n") + press.flush(zlib.Z_SYNC_FLUSH))
    answer.raw(press.flush())
    answer.end()


@scenario("gzip-bomb")
def _gzip_bomb(answer: Answer) -> None:
    answer.head(200, **{"content-encoding": "gzip"})
    bomb = gzip.compress(b"data: " + PIECE * 100)
    answer.raw(bomb)
    answer.gone()


@scenario("endless-line")
def _endless_line(answer: Answer) -> None:
    answer.head()
    answer.raw(b"data: ")
    for _ in range(ENDLESS):
        answer.raw(PIECE)


@scenario("endless-head")
def _endless_head(answer: Answer) -> None:
    answer.connection.sendall(b"HTTP/1.1 200 OK\r\n")
    for number in range(ENDLESS):
        answer.connection.sendall(b"x-%d: " % number + PIECE[: 1 << 10] + b"\r\n")


@scenario("endless-error")
def _endless_error(answer: Answer) -> None:
    answer.head(500, **{"content-type": "text/plain", "retry-after": "0"})
    for _ in range(ENDLESS):
        answer.raw(PIECE)


@scenario("huge")
def _huge(answer: Answer) -> None:
    answer.head()
    chunk(answer, "x" * (10 << 20))
    finish(answer)


@scenario("hostile-error")
def _hostile_error(answer: Answer) -> None:
    refuse(answer, 400, f"MARK {ESCAPES} {answer.key}")


@scenario("hostile-midway")
def _hostile_midway(answer: Answer) -> None:
    answer.head()
    chunk(answer, "so far")
    error(answer, f"MARK {ESCAPES} {answer.key}", answer.key)
    answer.end()


@scenario("hostile-retry")
def _hostile_retry(answer: Answer) -> None:
    refuse(answer, 503, f"MARK {ESCAPES} {answer.key}", **{"retry-after": "0"})


@scenario("hostile-page")
def _hostile_page(answer: Answer) -> None:
    page = f"<title>MARK {ESCAPES} {answer.key}</title>{answer.key}"
    answer.whole(502, page, **{"content-type": "text/html", "retry-after": "0"})


@scenario("hostile-redirect")
def _hostile_redirect(answer: Answer) -> None:
    refuse(answer, 302, "MARK", location=f"http://evil.invalid/MARK?key={answer.key}")


@scenario("hostile-data")
def _hostile_data(answer: Answer) -> None:
    answer.head()
    chunk(answer, "so far")
    answer.raw(f"data: MARK {ESCAPES.replace(chr(13), '')} {answer.key}\n\n".encode())
    answer.end()
