"""Calls as a telephone exchange would have them, its files of one row for each leg, and what they add up to."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from hypothesis import strategies as st

SAMPLES = Path(__file__).parents[2] / "events/imports"
ZONE = "Europe/Berlin"
# By strength, as a call's status is the strongest of its legs.
STATUSES = {
    "ANSWERED": "completed",
    "BUSY": "busy",
    "NO ANSWER": "no_answer",
    "CANCEL": "canceled",
    "FAILED": "failed",
    "CONGESTION": "failed",
}
MASTER = (
    "accountcode src dst dcontext clid channel dstchannel lastapp lastdata start answer end duration"
    " billsec disposition amaflags uniqueid userfield peeraccount linkedid sequence"
).split()
FREEPBX = (
    "calldate clid src dst dcontext channel dstchannel lastapp lastdata duration billsec disposition"
    " amaflags accountcode uniqueid userfield did cnum cnam outbound_cnum outbound_cnam dst_cnam"
    " recordingfile linkedid peeraccount sequence"
).split()


@dataclass(frozen=True)
class Leg:
    """One row; times in seconds since 1970."""

    linked: str
    sequence: int
    start: int
    answer: int | None
    end: int
    disposition: str
    context: str = "from-internal"
    channel: str = "PJSIP/201"
    did: str = ""
    account: str = ""

    @property
    def row(self) -> dict[str, Any]:
        return {
            "accountcode": self.account,
            "src": "+15550100",
            "dst": "201",
            "dcontext": self.context,
            "clid": '"Ann, at ""home""" <201>',
            "dstchannel": f"{self.channel}-{self.sequence:08x}",
            "start": clock(self.start),
            "calldate": clock(self.start),
            "answer": clock(self.answer),
            "end": clock(self.end),
            "duration": self.end - self.start,
            "billsec": 0 if self.answer is None else self.end - self.answer,
            "disposition": self.disposition,
            "uniqueid": f"{self.start}.{self.sequence}",
            "linkedid": self.linked,
            "sequence": self.sequence,
            "did": self.did,
        }


def clock(seconds: int | None) -> str:
    """The local time of the exchange."""
    if seconds is None:
        return ""
    return datetime.fromtimestamp(seconds, ZoneInfo(ZONE)).strftime("%Y-%m-%d %H:%M:%S")


def text(legs: Sequence[Leg], preset: str) -> str:
    """The file of these legs."""
    columns = MASTER if preset == "asterisk-csv" else FREEPBX
    file = io.StringIO()
    rows = csv.writer(file, quoting=csv.QUOTE_ALL)
    if preset != "asterisk-csv":
        rows.writerow(columns)
    rows.writerows([leg.row.get(name, "") for name in columns] for leg in legs)
    return file.getvalue()


def sample(preset: str) -> list[Leg]:
    """The legs of the sample file of a preset, whose identifiers have the zone's epochs."""
    name, columns = (
        ("asterisk-master.csv", MASTER) if preset == "asterisk-csv" else ("freepbx.csv", None)
    )
    lines = (SAMPLES / name).read_text("utf-8").splitlines()
    legs = []
    for row in csv.DictReader(lines, fieldnames=columns):
        local = datetime.fromisoformat(row.get("start") or row["calldate"])
        start = int(local.replace(tzinfo=ZoneInfo(ZONE)).timestamp())
        end = start + int(row["duration"])
        answered = row["disposition"] == "ANSWERED"
        answer = end - int(row["billsec"]) if answered else None
        place = row["linkedid"], int(row["sequence"])
        legs.append(Leg(*place, start, answer, end, row["disposition"], row["dcontext"]))
    return legs


def call(legs: Sequence[Leg]) -> dict[str, Any]:
    """What the legs of one call add up to: status, start in seconds, and the duration if it was answered."""
    statuses = [STATUSES[leg.disposition] for leg in legs]
    found: dict[str, Any] = {
        "id": legs[0].linked,
        "started_at": int(legs[0].linked.rpartition("-")[2].partition(".")[0]),
        "status": next(each for each in STATUSES.values() if each in statuses),
    }
    answers = [leg.answer for leg in legs if leg.answer is not None]
    if answers:
        found["duration_seconds"] = max(leg.end for leg in legs) - min(answers)
    return found


def calls(legs: Sequence[Leg]) -> list[dict[str, Any]]:
    """What all calls of these legs add up to, in the order in which their last legs stand."""
    groups: dict[str, list[Leg]] = {}
    for leg in legs:
        groups[leg.linked] = [*groups.pop(leg.linked, []), leg]
    return [call(each) for each in groups.values()]


@st.composite
def files_of_legs(draw: st.DrawFn) -> list[Leg]:
    """Legs of up to six calls in any order. No clock is changed while a call lasts."""
    legs: list[Leg] = []
    for number in range(draw(st.integers(1, 6))):
        began = 1_795_161_600 + 1_000 * number
        linked = f"{draw(st.sampled_from(['', 'pbx-']))}{began}.{number * 10}"
        for place in range(draw(st.integers(1, 4))):
            start = began + draw(st.integers(0, 900))
            end = start + draw(st.integers(0, 900))
            disposition = draw(st.sampled_from(list(STATUSES)))
            answer = draw(st.integers(start, end)) if disposition == "ANSWERED" else None
            context = draw(st.sampled_from(["from-internal", "from-trunk", "ext-did-0001"]))
            channel = draw(st.sampled_from(["PJSIP/201", "PJSIP/acme"]))
            account = draw(st.sampled_from(["", "sales", "support"]))
            row = (start, answer, end, disposition, context, channel, "", account)
            legs.append(Leg(linked, number * 10 + place, *row))
    return draw(st.permutations(legs))
