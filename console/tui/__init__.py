"""The terminal UI: three screens over one `console.session.Session`."""
