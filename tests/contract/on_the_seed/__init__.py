"""The functions on the seed, with a clock that stands still: tests elsewhere have the wall clock."""
