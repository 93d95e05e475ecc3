"""Generate the records of an invented voice-agent company. Pure.

The same seed and the same `now` give the same records.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import accumulate
from typing import Any, TypeVar

from rollcall_cli.demo_details import detail_of
from rollcall_cli.demo_values import (
    CAMPAIGNS,
    DISPOSITIONS,
    HOURS,
    LABELS,
    LANGUAGES,
    LAST_ATTEMPT,
    MERCHANTS,
    NO_OUTCOME,
    OUTCOMES,
    PAGES,
    PROVIDERS,
    ROOMS,
    SENTIMENTS,
    SPACE_OF_CAMPAIGN,
    SPACES,
    STATUSES,
    TEMPLATES,
    WEEKDAYS,
    WORKSPACES,
)

Record = dict[str, Any]
Value = TypeVar("Value")


def demo_records(seed: int, calls: int, days: int, now: datetime) -> Iterator[Record]:
    """Yield `calls` calls of the `days` days before `now`, which has an offset, and related records.

    The order is: spaces, campaigns, labels, workspaces, rooms and booking pages; leads with their
    calls; tasks; recordings, contacts and contact events. They are roughly twice as many records as
    calls. None has an `updated_at`, so that sending them again changes nothing.
    """
    if now.tzinfo is None:
        raise ValueError("now needs an offset")
    if calls < 0 or days < 1:
        raise ValueError("calls must be at least 0, days at least 1")
    dice = random.Random(seed)  # noqa: S311 - invented calls need no secrets
    world = _World(dice, now, days)
    yield from world.names()
    yield from world.conversations(calls)
    yield from world.tasks(calls // 5)
    yield from world.meetings(calls // 3)


@dataclass
class _World:
    """The random numbers, and the counts of records made so far."""

    random: random.Random
    now: datetime
    days: int
    calls_made: int = 0
    leads_made: int = 0
    hours: list[float] = field(default_factory=list)  # running sum of weights

    # -------------------------------------------------------------- dice

    def choose(self, weights: Mapping[Value, float]) -> Value:
        return self.random.choices(list(weights), list(weights.values()))[0]

    def chance(self, probability: float) -> bool:
        return self.random.random() < probability

    def moment(self) -> datetime:
        """A random time in the range, weighted by weekday and hour."""
        start = self.now - timedelta(days=self.days)
        hours = self.days * 24
        if not self.hours:
            moments = [(start + timedelta(hours=hour)).astimezone(UTC) for hour in range(hours)]
            weights = [HOURS[moment.hour] * WEEKDAYS[moment.weekday()] for moment in moments]
            self.hours = list(accumulate(weights))
        hour = self.random.choices(range(hours), cum_weights=self.hours)[0]
        return start + timedelta(hours=hour + self.random.random())

    # -------------------------------------------------------------- names

    def names(self) -> Iterator[Record]:
        created_at = _text(self.now - timedelta(days=self.days + 90))
        for id, name in SPACES.items():
            yield {"type": "space", "id": id, "name": name, "created_at": created_at}
        for id, direction, name in CAMPAIGNS:
            yield {
                "type": "campaign",
                "id": id,
                "direction": direction,
                "name": name,
                "created_at": created_at,
            }
        for id, (name, color) in LABELS.items():
            yield {"type": "label", "id": id, "name": name, "color": color}
        for id, name in WORKSPACES.items():
            yield {"type": "workspace", "id": id, "name": name, "created_at": created_at}
            for room, display_name in ROOMS:
                yield {
                    "type": "room",
                    "id": f"{id}-{room}",
                    "workspace_id": id,
                    "created_at": created_at,
                    "name": room,
                    "display_name": display_name,
                }
            for title, slug in PAGES:
                yield {
                    "type": "booking_page",
                    "id": f"{id}-{slug}",
                    "workspace_id": id,
                    "title": title,
                    "slug": slug,
                    "created_at": created_at,
                }

    # -------------------------------------------------------------- calls and leads

    def conversations(self, calls: int) -> Iterator[Record]:
        while self.calls_made < calls:
            campaign = self.random.choices(CAMPAIGNS, (30, 18, 22, 12, 18))[0]
            if campaign[1] == "inbound":
                yield self.call(campaign, self.moment(), attempt=1, lead_id=None)
            else:
                yield from self.pursuit(campaign, calls)

    def pursuit(self, campaign: tuple[str, str, str], calls: int) -> Iterator[Record]:
        """An outbound lead and its calls, until one is answered, attempts run out, or `now`."""
        self.leads_made += 1
        lead_id = f"lead-{self.leads_made:06}"
        merchant = self.random.choice(list(MERCHANTS))
        moment = self.moment()
        created_at = moment - timedelta(hours=self.random.uniform(0.2, 40))
        status, converted, attempt = "BACKLOG", False, 1
        while self.calls_made < calls and moment < self.now and not self.chance(0.04):
            call = self.call(campaign, moment, attempt, lead_id, merchant)
            yield call
            if call.get("disposition") == "need_retry" and attempt < LAST_ATTEMPT:
                status, attempt = "RETRY", attempt + 1
                moment += timedelta(hours=self.random.choice((1, 3, 20, 24, 26, 48)))
                continue
            open_end = call.get("disposition") in ("need_follow_up", None)
            status = "PROCESSING" if open_end else "FINISHED"
            converted = call.get("disposition") == "successful"
            break
        lead = {
            "type": "lead",
            "id": lead_id,
            "created_at": _text(created_at),
            "status": status,
            "template_id": TEMPLATES[campaign[0]],
            "merchant_id": merchant,
            "reseller_id": MERCHANTS[merchant],
            "payload": {"source": self.choose({"web": 5, "import": 3, "referral": 2})},
        }
        yield lead | ({"converted": converted} if status == "FINISHED" else {})

    def call(
        self,
        campaign: tuple[str, str, str],
        moment: datetime,
        attempt: int,
        lead_id: str | None,
        merchant: str | None = None,
    ) -> Record:
        self.calls_made += 1
        campaign_id, direction, _ = campaign
        merchant = merchant or self.random.choice(list(MERCHANTS))
        provider = self.choose({name: share for name, (share, _) in PROVIDERS.items()})
        call: Record = {
            "type": "call",
            "id": f"call-{self.calls_made:06}",
            "started_at": _text(moment),
            "direction": direction,
            "campaign_id": campaign_id,
            "space_token": SPACE_OF_CAMPAIGN[campaign_id],
            "template_id": TEMPLATES[campaign_id],
            "merchant_id": merchant,
            "reseller_id": MERCHANTS[merchant],
            "provider": provider,
            "attempt": attempt,
            "payload": {
                "language": self.choose(LANGUAGES),
                "returning": self.chance(0.35),
                "plan": self.choose({"free": 5, "pro": 3, "business": 1}),
            },
        }
        if lead_id is not None:
            call["lead_id"] = lead_id
        age = self.now - moment
        if age < timedelta(minutes=3) and self.chance(0.7):
            return call | {"status": self.choose({"in_progress": 5, "ringing": 2, "queued": 1})}
        status = self.choose(STATUSES[direction])
        disposition = self.choose(DISPOSITIONS[status])
        call["status"] = status
        if disposition is not None:
            call["disposition"] = disposition
        if status == "completed":
            call |= self.talk(disposition, PROVIDERS[provider][1])
            detail = detail_of(call, self.calls_made)
            if detail is not None:
                call["detail"] = detail
        elif status != "canceled":
            call["cost"] = 0.001
        return call

    def talk(self, disposition: str | None, price_per_minute: float) -> Record:
        """The fields of a completed call, which a person or a machine answered."""
        if disposition == "voicemail_left":
            seconds = self.random.uniform(14, 45)
        else:
            seconds = min(self.random.lognormvariate(4.55, 0.75), 3_600)
        talk: Record = {
            "duration_seconds": round(seconds, 1),
            "cost": round(seconds / 60 * price_per_minute + 0.002, 6),
        }
        outcome = self.choose(OUTCOMES.get(disposition, NO_OUTCOME))
        if outcome is not None:
            talk["outcome"] = outcome
        if disposition in SENTIMENTS:
            talk["sentiment"] = round(self.random.betavariate(*SENTIMENTS[disposition]), 3)
        labels = self.labels(disposition, outcome)
        events = self.events(disposition, outcome)
        if labels:
            talk["labels"] = labels
        if events:
            talk["events"] = events
        return talk

    def labels(self, disposition: str | None, outcome: str | None) -> list[str]:
        probabilities = {
            "hot-lead": 0.25 if disposition == "successful" else 0.03,
            "complaint": 0.18 if disposition == "unsuccessful" else 0.02,
            "vip": 0.05,
            "billing": 0.12,
            "callback": 0.6 if outcome == "callback_requested" else 0.01,
        }
        return [label for label, probability in probabilities.items() if self.chance(probability)]

    def events(self, disposition: str | None, outcome: str | None) -> dict[str, int]:
        happened = {
            "calendar_booked": outcome == "meeting_booked",
            "sms_sent": self.chance(0.15),
            "email_sent": outcome == "information_sent",
            "call_transferred": disposition == "need_follow_up" and self.chance(0.3),
            "take_message": self.chance(0.05),
        }
        return {name: 1 for name, did_happen in happened.items() if did_happen}

    # -------------------------------------------------------------- tasks, meetings

    def tasks(self, count: int) -> Iterator[Record]:
        weights = {"completed": 70, "failed": 9, "partially_completed": 6, "hold": 5}
        for number in range(1, count + 1):
            moment = self.moment()
            recent = self.now - moment < timedelta(hours=6)
            status = self.choose({"pending": 5, "running": 3} if recent else weights)
            yield {
                "type": "task",
                "id": f"task-{number:06}",
                "created_at": _text(moment),
                "status": status,
                "space_token": self.choose({"support": 5, "sales": 3, "collections": 2}),
            }

    def meetings(self, count: int) -> Iterator[Record]:
        """Contacts, their events, and the recordings of their meetings."""
        for number in range(1, count + 1):
            workspace = self.choose({"atelier": 2, "field-team": 1})
            moment = self.moment()
            kind = self.choose({"room_join": 5, "booking": 3, "form_submitted": 1, "message": 1})
            event: Record = {
                "type": "contact_event",
                "id": f"event-{number:06}",
                "workspace_id": workspace,
                "event_type": kind,
                "occurred_at": _text(moment),
            }
            room = self.random.choices(ROOMS, (9, 7, 5, 4, 2, 1))[0][0]
            if kind == "room_join":
                event["room_id"] = f"{workspace}-{room}"
            elif kind == "booking":
                slug = self.random.choices(PAGES, (8, 6, 5, 3, 2, 1))[0][1]
                event["booking_page_id"] = f"{workspace}-{slug}"
            yield event
            if self.chance(0.4):
                yield {
                    "type": "contact",
                    "id": f"contact-{number:06}",
                    "workspace_id": workspace,
                    "created_at": _text(moment),
                }
            if kind == "room_join" and self.chance(0.3):
                yield {
                    "type": "recording",
                    "id": f"recording-{number:06}",
                    "workspace_id": workspace,
                    "created_at": _text(moment),
                    "room_id": f"{workspace}-{room}",
                    "duration_seconds": round(min(self.random.lognormvariate(7.3, 0.5), 14_400)),
                }


def _text(moment: datetime) -> str:
    """The time as clients send it: UTC, to the millisecond."""
    utc = moment.astimezone(UTC).replace(tzinfo=None)
    return utc.isoformat(timespec="milliseconds") + "Z"
