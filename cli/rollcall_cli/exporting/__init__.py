"""`rollcall export`: pages of calls into a spool, and the spool into a file."""
