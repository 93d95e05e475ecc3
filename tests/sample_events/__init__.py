"""The sample events: what each asks (`cases`), its JSON (`documents`), its answer (`answering`).

`python -m tests.sample_events`, or `make events`, writes the files of `events/`.
"""
