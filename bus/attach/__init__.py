"""The door: how a console in another process watches a program, and acts in it."""
