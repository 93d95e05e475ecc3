"""Maps that ship with the command, for `--from`."""
