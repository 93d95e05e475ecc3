"""Accept what providers send of their calls, and make records of it."""
