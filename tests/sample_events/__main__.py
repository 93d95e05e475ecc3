"""Write the sample events, and what the functions answer to them."""

from __future__ import annotations

import tempfile
from pathlib import Path

from tests.sample_events.answering import answer_path, seeded
from tests.sample_events.documents import EVENTS, documents, text_of


def main() -> None:
    """Rewrite the folders of `events/`; a file whose case is gone goes too."""
    written = []
    for path, event in documents():
        path.parent.mkdir(exist_ok=True)
        path.write_text(text_of(event) + "\n", "utf-8")
        written.append(path)
    with tempfile.TemporaryDirectory() as folder, seeded(Path(folder)) as functions:
        for path in written:
            if kept := answer_path(path):
                kept.write_text(text_of(functions.answer(path)) + "\n", "utf-8")
    staying = {
        *written,
        *map(answer_path, written),
        *EVENTS.glob("imports/*"),
        *EVENTS.glob("hooks/*"),
    }
    for path in set(EVENTS.glob("*/*")) - staying:
        path.unlink()


if __name__ == "__main__":
    main()
