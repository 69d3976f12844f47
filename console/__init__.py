"""The debugger: terminal UI, REPL and command line for programs built on `bus`."""
