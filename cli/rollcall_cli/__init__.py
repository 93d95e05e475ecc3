"""The `rollcall` command: operate an installation, and run the whole service on one machine."""
