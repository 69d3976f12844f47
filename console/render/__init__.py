"""Results as rich renderables, shared by the command line, the REPL and the screens."""
