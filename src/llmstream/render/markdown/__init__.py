"""Markdown as it streams: text goes in, finished rows and one open row come out.

    reader     the document's blocks, line by line: what a line belongs to is known from its beginning
    leaves     what holds text: paragraphs, headings, HTML
    code       code blocks; highlight colours their lines
    table      tables, row by row
    inline     the signs within a text; emphasis matches them, links reads addresses
    rows       words become rows; the open row can be put right, what stands above is never touched
    ink        attributes, colours and links as escape sequences
    widths     how many cells a text takes
    sink       joins all this to a run's events and a terminal

Everything but the sink is pure: no descriptor, no clock, no environment.  All work is constant for
each character: what is looked at again is at most the open row.
"""
