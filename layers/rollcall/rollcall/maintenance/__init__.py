"""The operator's commands: compare, repair, rebuild, replay, erase and delete."""
