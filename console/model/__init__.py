"""What the records mean: stored in columns, counted, laid out in time. Pure: no UI, no I/O."""
