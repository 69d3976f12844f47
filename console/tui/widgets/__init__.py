"""What the screens are made of, drawn by hand on Textual's Line API."""
