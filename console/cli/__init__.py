"""The command line: what can be written, and what each word of it does."""
