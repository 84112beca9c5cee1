"""Search for plain words; there is no query syntax.

Words with letters or digits are looked up in the index (FTS5).  Its tokens have no other characters, so a
word that contains some (``C++``) is then looked for in the text of the runs found.  A word that the index
can't look up, for want of letters and digits or of spaces in its script, is looked for in the text only.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from llmstream.history.kept import Run
    from llmstream.history.store import Store

PAGE: Final = 500
"""Runs read at a time when the index alone can't decide."""
NO_BLANKS: Final = 0x2E80
"""First code point of the CJK scripts, whose unspaced text the index takes as one word."""


def search(store: Store, text: str, count: int = -1) -> list[Run]:
    """Return the runs whose prompt and answer together contain all words of `text`, newest first.

    Args:
        store: the history.
        text: words separated by spaces.  Case is ignored in words that the index can look up, accents in
            those of only letters and digits.
        count: maximum number of runs to return, -1 for all.

    Raises:
        HistoryError: the history can't be read.
    """
    words = [word for word in text.replace("\0", " ").split() if word]
    if not words:
        return []
    indexed = [phrase for word in words if (phrase := _phrase(word))]
    exact = [word for word in words if not word.isalnum() or not _phrase(word)]
    where, values = [], []
    if indexed:
        where.append("row IN (SELECT rowid FROM words WHERE words MATCH ?)")
        values.append(" ".join(indexed))
    for word in words:
        if not _phrase(word):
            where.append("(instr(prompt, ?) OR instr(text, ?))")
            values += [word, word]
    clause = f"WHERE {' AND '.join(where)} ORDER BY time DESC, id DESC"
    if not exact:
        return store.select(f"{clause} LIMIT ?", [*values, count])
    found: list[Run] = []
    rows = [row for (row,) in store.query(f"SELECT row FROM runs {clause}", values)]  # noqa: S608  # ours
    for start in range(0, len(rows), PAGE):
        page = rows[start : start + PAGE]
        runs = {run.row: run for run in store.runs(page)}
        found += [runs[row] for row in page if row in runs and _has(runs[row], exact)]
        if 0 <= count <= len(found):
            return found[:count]
    return found


def _phrase(word: str) -> str:
    """Return a word as an FTS5 phrase, "" if the index can't look it up."""
    if any(ord(c) >= NO_BLANKS for c in word) or not any(c.isalnum() for c in word):
        return ""
    return '"' + word.replace('"', " ") + '"'


def _has(run: Run, words: list[str]) -> bool:
    texts = [run.prompt.casefold(), run.text.casefold()]
    return all(any(word.casefold() in text for text in texts) for word in words)
