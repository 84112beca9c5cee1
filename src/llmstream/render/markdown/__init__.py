"""Render Markdown while it streams: text goes in, finished rows and one open row come out.

    reader     the document's blocks, line by line; lines, starts and items read the start of a line
    containers block quotes and list items
    leaves     blocks of text: paragraphs and headings; html: HTML blocks
    code       code blocks; highlight colours their lines
    table      tables, row by row
    inline     markup within a text; spans reads inline code, emphasis matches delimiters, brackets and
               links read links
    rows       lays out words (pieces) in rows; the open row can be corrected, rows above it never change
    ink        attributes, colours and links as escape sequences
    widths     terminal cells of a text
    sink       connects all this to a run's events and a terminal

Everything except the sink is pure: it uses no descriptor, clock or environment.  The work per
character is bounded: at most the open row is processed again.
"""
