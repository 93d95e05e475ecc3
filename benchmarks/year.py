"""Calls of one large organisation over many days, in order of time: seeded, and made in bulk.

50 templates of 5 campaigns, 200 merchants of 20 resellers with a long tail, so nearly every
combination occurs; 20 outcomes, 3 providers, a payload of three keys, about 2.5 calls a lead. They
are made as they are stored: what a client would send is parsed and resolved in other benchmarks.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import numpy as np

from benchmarks.data import DAY_MS, SEED, TODAY, TODAY_MS
from rollcall.domain.decimals import canonical
from rollcall.domain.facts import Fact
from rollcall.domain.records import Call
from rollcall_cli.demo_values import CAMPAIGNS, HOURS, LABELS, WEEKDAYS

TEMPLATES = [f"template-{number:02}" for number in range(50)]
MERCHANTS = [f"merchant-{number:03}" for number in range(200)]
# A long tail: the first ten of them hold a third of the calls.
MERCHANT_WEIGHTS = [1 / (number + 4) for number in range(200)]
RESELLERS = [f"reseller-{number:02}" for number in range(20)]
PROVIDERS = {"twilio": 6, "plivo": 3, "telnyx": 2}
LANGUAGES = {"en": 60, "de": 14, "es": 14, "fr": 8, "pt": 4}
PLANS = {"free": 5, "pro": 3, "business": 1}
# One call in 1,500.
RARE_OUTCOME = "legal_threat"
# Disposition and outcome of an answered call, and how often; None: not given.
TALKS: Mapping[tuple[str | None, str | None], float] = {
    ("successful", "meeting_booked"): 9,
    ("successful", "order_placed"): 7,
    ("successful", "issue_resolved"): 12,
    ("successful", "renewed"): 7,
    ("successful", "payment_promised"): 5,
    ("successful", "details_confirmed"): 6,
    ("unsuccessful", "not_interested"): 8,
    ("unsuccessful", "price_too_high"): 4,
    ("unsuccessful", "uses_competitor"): 3,
    ("unsuccessful", "complaint"): 2,
    ("unsuccessful", "hung_up"): 3,
    ("unsuccessful", None): 1,
    ("need_follow_up", "callback_requested"): 6,
    ("need_follow_up", "information_sent"): 4,
    ("need_follow_up", "needs_approval"): 3,
    ("need_follow_up", "visit_arranged"): 2,
    ("need_follow_up", RARE_OUTCOME): 0.1,
    ("completed", "information_given"): 5,
    ("completed", "transferred"): 3,
    ("completed", "survey_answered"): 2,
    ("completed", None): 2,
    ("voicemail_left", "voicemail"): 8,
    ("wrong_number", "wrong_person"): 3,
    ("wrong_number", None): 1,
}
# Status and disposition of a call that was not answered.
SILENCES: Mapping[tuple[str, str | None], float] = {
    ("no_answer", "need_retry"): 55,
    ("no_answer", "unreachable"): 12,
    ("busy", "need_retry"): 18,
    ("failed", "error"): 8,
    ("failed", "wrong_country_code"): 2,
    ("canceled", None): 5,
}
_CHUNK = 10_000


@dataclass(frozen=True, slots=True)
class Calls:
    """`count` calls of the `days` days before TODAY."""

    count: int
    days: int
    seed: int = SEED

    @property
    def name(self) -> str:
        return f"{self.count} calls of {self.days} days, seed {self.seed}"

    @property
    def start_ms(self) -> int:
        return TODAY_MS - self.days * DAY_MS

    def chunks(self) -> Iterator[list[Fact]]:
        """The calls in order of time, up to 10,000 at once."""
        times = _times(np.random.default_rng(self.seed), self)
        for number, first in enumerate(range(0, self.count, _CHUNK)):
            dice = np.random.default_rng((self.seed, number))
            yield list(_facts(dice, times[first : first + _CHUNK], self.count))


def _times(dice: np.random.Generator, calls: Calls) -> list[int]:
    hours = np.arange(calls.days * 24)
    weekday = (TODAY.weekday() - calls.days + hours // 24) % 7
    weights = np.array(HOURS)[hours % 24] * np.array(WEEKDAYS)[weekday]
    chosen = dice.choice(hours, calls.count, p=weights / weights.sum())
    times = calls.start_ms + chosen * 3_600_000 + dice.integers(0, 3_600_000, calls.count)
    found: list[int] = np.sort(times).tolist()
    return found


def _facts(dice: np.random.Generator, times: Sequence[int], total: int) -> Iterator[Fact]:
    count = len(times)
    campaigns = _choices(dice, range(len(CAMPAIGNS)), (30, 18, 22, 12, 18), count)
    of_campaign = dice.integers(0, len(TEMPLATES) // len(CAMPAIGNS), count).tolist()
    merchants = _choices(dice, range(len(MERCHANTS)), MERCHANT_WEIGHTS, count)
    is_silent = (dice.random(count) < 0.3).tolist()
    talks = _choices(dice, [*TALKS], [*TALKS.values()], count)
    silences = _choices(dice, [*SILENCES], [*SILENCES.values()], count)
    providers = _choices(dice, [*PROVIDERS], [*PROVIDERS.values()], count)
    languages = _choices(dice, [*LANGUAGES], [*LANGUAGES.values()], count)
    plans = _choices(dice, [*PLANS], [*PLANS.values()], count)
    seats = dice.integers(1, 51, count).tolist()
    seconds = np.minimum(dice.lognormal(4.55, 0.75, count), 3_600).astype(int).tolist()
    sentiments = np.rint(dice.beta(4, 2.5, count) * 1000).astype(int).tolist()
    attempts = np.minimum(dice.geometric(0.65, count), 12).tolist()
    leads = dice.integers(0, max(1, int(total / 2.5)), count).tolist()
    labels = (dice.random((count, len(LABELS))) < 0.06).tolist()
    has_sms = (dice.random(count) < 0.15).tolist()
    ids = dice.bytes(16 * count)
    label_ids = sorted(LABELS)
    for row, time_ms in enumerate(times):
        campaign_id, direction, _ = CAMPAIGNS[campaigns[row]]
        merchant = merchants[row]
        call = Call(
            started_at_ms=time_ms,
            status="completed",
            answered=True,
            attempt=attempts[row] if direction == "outbound" else 1,
            direction=direction,
            campaign_id=campaign_id,
            space_token=f"space-{campaigns[row] % 3}",
            template_id=TEMPLATES[of_campaign[row] * len(CAMPAIGNS) + campaigns[row]],
            merchant_id=MERCHANTS[merchant],
            reseller_id=RESELLERS[merchant % len(RESELLERS)],
            lead_id=f"lead-{leads[row]:06}",
            provider=providers[row],
            payload={
                "language": languages[row],
                "plan": plans[row],
                "seats": canonical(Decimal(seats[row])),
            },
        )
        if is_silent[row]:
            call.status, call.disposition = silences[row]
            call.answered = False
            call.cost_micros = 1_000
        else:
            call.disposition, call.outcome = talks[row]
            call.answered = call.disposition != "voicemail_left"
            call.duration_seconds = seconds[row]
            call.sentiment_milli = sentiments[row]
            call.cost_micros = 2_000 + seconds[row] * 230
            call.labels = tuple(
                label for label, is_given in zip(label_ids, labels[row], strict=True) if is_given
            )
            if has_sms[row]:
                call.events = {"sms_sent": 1}
        fact_id = str(uuid.UUID(bytes=ids[16 * row : 16 * row + 16], version=4))
        ended_ms = time_ms + 1000 * (call.duration_seconds or 20)
        yield Fact("call", fact_id, time_ms, ended_ms, ended_ms * 1000, call)


def _choices(
    dice: np.random.Generator, values: Sequence[Any], weights: Sequence[float], count: int
) -> list[Any]:
    shares = np.array(weights, dtype=float)
    chosen = dice.choice(len(values), count, p=shares / shares.sum()).tolist()
    return [values[index] for index in chosen]
