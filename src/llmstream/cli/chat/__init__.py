"""`llmstream chat`: a conversation line by line, on a terminal or through a pipe."""
