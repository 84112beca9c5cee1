"""The tables of the history, and the migration from each version to the next."""

from __future__ import annotations

from typing import Final

APPLICATION_ID: Final = 0x6C6C6D73
"""Marks the file as llmstream's history (``PRAGMA application_id``): "llms" in ASCII."""

# A turn's text is stored once, in the run that added it; `earlier` lists the rows whose turns were
# sent before it.  With all messages in each run, the size would grow with the square of a conversation's
# length, and the text of removed runs would remain.
FIRST: Final = """
CREATE TABLE runs (
  row INTEGER PRIMARY KEY AUTOINCREMENT,
  id TEXT NOT NULL UNIQUE,
  conversation TEXT NOT NULL,
  session TEXT,
  time INTEGER NOT NULL,
  status TEXT NOT NULL,
  answered INTEGER NOT NULL,
  taken_back INTEGER NOT NULL DEFAULT 0,
  chat TEXT,
  provider TEXT NOT NULL,
  model TEXT NOT NULL,
  earlier TEXT NOT NULL,
  details TEXT NOT NULL,
  system TEXT,
  prompt TEXT NOT NULL,
  messages TEXT,
  text TEXT NOT NULL,
  reasoning TEXT NOT NULL
);
CREATE INDEX runs_by_time ON runs (time, id);
CREATE INDEX runs_by_conversation ON runs (conversation);
CREATE INDEX runs_by_session ON runs (session) WHERE session IS NOT NULL;
CREATE VIRTUAL TABLE words USING fts5 (
  prompt, text, content = 'runs', content_rowid = 'row', tokenize = 'unicode61 remove_diacritics 2'
);
CREATE TRIGGER runs_added AFTER INSERT ON runs BEGIN
  INSERT INTO words (rowid, prompt, text) VALUES (new.row, new.prompt, new.text);
END;
CREATE TRIGGER runs_removed AFTER DELETE ON runs BEGIN
  INSERT INTO words (words, rowid, prompt, text) VALUES ('delete', old.row, old.prompt, old.text);
END;
CREATE TRIGGER runs_changed AFTER UPDATE OF prompt, text ON runs BEGIN
  INSERT INTO words (words, rowid, prompt, text) VALUES ('delete', old.row, old.prompt, old.text);
  INSERT INTO words (rowid, prompt, text) VALUES (new.row, new.prompt, new.text);
END;
"""
"""Columns whose names don't explain them:

row           numbers the runs in the order in which they ended
time          when the run started, milliseconds since 1970
answered      1 if there is answer text; a turn without it is not sent again
taken_back    1 after chat's /undo and /retry: kept, but no longer part of the conversation
chat          id of the chat that the run was a turn of, NULL for a single run
earlier       JSON list of rows: the turns that were sent before this one
details       JSON object: tool_calls finish_reason error usage timing options
prompt        the new user message's text
messages      JSON list of the new messages if they are more than that text, else NULL
"""

STEPS: Final[tuple[str, ...]] = (FIRST,)
"""The script at index n migrates from version n (``PRAGMA user_version``) to version n + 1."""
