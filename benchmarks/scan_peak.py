"""How far one answer lifts the memory of a fresh process: `python -m benchmarks.scan_peak URL`.

Prints the peak in KiB before and after the first question of `ad_hoc.scans()` over all calls that
the engine at URL holds. A question about one day goes before it, so that what every answer takes
(imports, connections, threads) is not counted.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

from benchmarks import wiring
from benchmarks.ad_hoc import scans
from benchmarks.asking import Functions, Query, Watch


def peak_kib() -> int:
    """This process's own peak; `getrusage` would report its parent's too."""
    status = Path("/proc/self/status").read_text("ascii")
    found = re.search(r"VmHWM:\s+(\d+) kB", status)
    assert found is not None
    return int(found[1])


def main() -> None:
    with wiring.environment(sys.argv[1]):
        client = wiring.patient_client()
        question = next(scans()).question
        with wiring.wired(client):
            functions = Functions(Watch(client), [question.function])
            filters = question.body["filters"]
            one_day = {"date_from": "2026-11-18", "date_to": "2026-11-18"}
            small = question.body | {"filters": filters | one_day}
            functions.ask(Query("one day", question.function, body=small))
            before = peak_kib()
            functions.ask(question)
            print(before, peak_kib())


if __name__ == "__main__":
    main()
