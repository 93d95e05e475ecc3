"""What each provider sends, as data: its signatures, its events, and the fields of its calls."""
