"""The write path: stores records as facts, applies the stream, and authorizes tokens."""
