"""Render Markdown while it streams: text goes in, finished rows and one open row come out.

    reader     the document's blocks, line by line: the start of a line decides where it belongs
    leaves     blocks of text: paragraphs, headings, HTML
    code       code blocks; highlight colours their lines
    table      tables, row by row
    inline     markup within a text; emphasis matches delimiters, links reads link targets
    rows       lays out words in rows; the open row can be corrected, rows above it never change
    ink        attributes, colours and links as escape sequences
    widths     terminal cells of a text
    sink       connects all this to a run's events and a terminal

Everything except the sink is pure: no descriptor, no clock, no environment.  The work per character
is constant: at most the open row is processed again.
"""
