"""The console's language: text to request and back, and what could come next. Pure, no UI, no program needed."""
