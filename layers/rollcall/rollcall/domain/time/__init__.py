"""Calendar days, time zones, periods and the buckets of time series."""
