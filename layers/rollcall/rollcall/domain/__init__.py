"""Pure rules: records, facts, measures, contributions, calendar. Standard library only, no I/O."""
