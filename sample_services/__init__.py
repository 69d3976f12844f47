"""A real program to look at: full-text search over a folder of text files, as services on a bus."""
