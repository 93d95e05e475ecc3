"""The checker: reads raw items and recomputes everything by brute force.

It shares nothing with the code under test: its own page decoder, its own key parser, and the
oracle's own count. Contributions of a content are counted once and remembered; so is what an item
says, since stored items are never changed in place.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from itertools import combinations
from typing import Any, NamedTuple

from rollcall.domain.epochs import Epoch as Read
from tests.simulation import stored
from tests.simulation.clients import Attempt
from tests.simulation.clients import Ledger as ClientsLedger
from tests.simulation.hook_checker import HookChecker
from tests.simulation.neighbour import NEIGHBOUR
from tests.simulation.readers import Readers
from tests.simulation.stored import FactName, RollupName, StoredFact, StoredPage, StoredRollup
from tests.simulation.world import ANALYTICS, RECORDS, World
from tests.support.merging_oracle import content_of, write_of
from tests.support.oracle import TYPES, Fact, InvalidOperation, Oracle, resolve

# Breakdown letters that a spilled mark names, in the neutral form.
_BREAKDOWNS = {
    "calls": {"o": "outcome", "p": "provider", "l": "label", "t": "duration"},
    "workspace": {"e": "event_type", "r": "room", "b": "page"},
}
# What several record types count: each has rollups of its own.
_PER_TYPE = ("known", "workspace")
_CLOCKS_DIFFER_MS = 1_000
# An organisation, one of its epochs, and the bucket that the key names.
Place = tuple[str, int, int | None]
Totals = dict[RollupName, dict[Any, int]]


class Violation(AssertionError):
    """An invariant of docs/exactness.md does not hold."""


def require(holds: bool, invariant: str, *what: Any) -> None:
    """Raises Violation unless it holds."""
    if not holds:
        raise Violation(f"{invariant}: {' '.join(str(part) for part in what)}"[:2_000])


class Ledger:
    """What the analytics table holds of one bucket of an epoch."""

    def __init__(self) -> None:
        self.pages: dict[str, list[StoredPage]] = defaultdict(list)
        self.rollups: dict[RollupName, StoredRollup] = {}

    def rows(self) -> Iterator[tuple[str, stored.StoredRow]]:
        for type, pages in self.pages.items():
            for page in pages:
                for row in page.rows:
                    yield type, row


class Epoch:
    """What the analytics table holds of one organisation's epoch, by the bucket that its keys name."""

    def __init__(self) -> None:
        self.buckets: dict[int | None, Ledger] = defaultdict(Ledger)
        self.unpaired: list[tuple[str, str]] = []  # segments or identities without the other

    def rows(self) -> Iterator[tuple[str, stored.StoredRow]]:
        for ledger in self.buckets.values():
            yield from ledger.rows()

    def ledgers(self, where: str) -> Iterator[tuple[str, Ledger]]:
        """Each bucket, with the name that violations give it."""
        for number, ledger in self.buckets.items():
            yield where if number is None else f"{where} bucket {number}", ledger


class _Stored(NamedTuple):
    """All that is stored at one moment, and every version that was before."""

    facts: dict[FactName, StoredFact]
    epochs: dict[tuple[str, int], Epoch]
    versions: dict[FactName, list[StoredFact]]


class Checker:
    """Checks one world."""

    def __init__(self, world: World, ledger: ClientsLedger) -> None:
        self._world = world
        self._ledger = ledger
        self._hooks = HookChecker()
        self._read: dict[int, tuple[Any, Any]] = {}
        self._contributions: dict[tuple[str, str], list[tuple[Any, Any]]] = {}
        self.checks = 0

    # -- whenever ------------------------------------------------------------------------------
    def check_running(self) -> None:
        """What holds between any two operations. Raises Violation."""
        self._check_now()

    def _check_now(self) -> _Stored:
        """What was read for the checks that hold at any time."""
        self.checks += 1
        facts = self.facts()
        self._facts_are_between(facts)
        written = {(org_id, number): count for org_id, number, count in self._written_epochs()}
        now = _Stored(facts, self.epochs(), self._versions())
        for place, epoch in now.epochs.items():
            if place not in written:
                continue  # it is being removed, item by item
            require(not epoch.unpaired, "I2", "a segment or its identities alone", epoch.unpaired)
            if not self._is_damaged(place[0]):
                self._rollups_are_sum_of_pages("{} epoch {}".format(*place), epoch)
                self._rows_are_of_one_version(place, epoch, now.versions)
                self._rows_are_in_their_buckets(place, epoch, written[place])
        return now

    def check_at_rest(self) -> None:
        """What holds when everything that was written was delivered. Raises Violation."""
        now = self._check_now()
        require(not self._ledger.problems, "I5", self._ledger.problems[:3])
        epochs = now.epochs
        expected = self._expected_facts(now)
        for org_id, number, count in self._written_epochs():
            epoch = epochs.pop((org_id, number), None) or Epoch()
            if self._is_damaged(org_id):
                continue
            where = f"{org_id} epoch {number}"
            self._pages_tile(where, epoch)
            own = {name: fact for name, fact in expected.items() if name.org_id == org_id}
            # A later epoch is made of what is stored, and may never have had what was removed.
            optional = set(self._world.removed) if number else set()
            self._pages_equal_facts(where, epoch, own, optional)
            self._breakdowns_sum_to_totals(where, epoch)
            self._readers_find(where, Read(org_id, number, count), epoch)
        require(not epochs, "I4", "analytics of an unknown epoch", list(epochs))
        self._only_poison_is_quarantined()
        left = self._hooks.left(self._ledger.deliveries, self._world.failures.objects)
        require(not left, "I1", "not replayed", left)
        self._no_foreign_bytes()
        self._log_is_clean()

    # -- I1 ------------------------------------------------------------------------------------
    def facts(self) -> dict[FactName, StoredFact]:
        """The facts that are stored."""
        found: dict[FactName, StoredFact] = {}
        items = {(i["PK"]["S"], i["SK"]["S"]): i for i in self._world.store.all_items(RECORDS)}
        for place, item in items.items():
            if place[1].startswith("FACT#") and place not in self._world.poisoned:
                beside = items.get((place[0], place[1].replace("FACT#", "DETAIL#", 1)))
                fact = stored.with_detail(self._once(item, stored.fact_of), beside)
                require(fact.name not in found, "I1", "stored twice", fact.name)
                found[fact.name] = fact
        return found

    def _facts_are_between(self, facts: dict[FactName, StoredFact]) -> None:
        """Every fact was attempted, and none is older than what was acknowledged."""
        deliveries = self._ledger.deliveries
        for fault in self._hooks.faults(deliveries, facts, self._world.failures.objects):
            require(False, "I1", *fault)
        reported = {delivery.call for delivery in deliveries}
        by_name: dict[FactName, list[Attempt]] = defaultdict(list)
        for attempt in self._ledger.attempts:
            name = _name_of(attempt)
            if name is not None:
                by_name[name].append(attempt)
        for name, fact in facts.items():
            attempts = by_name.get(name)
            if name in self._world.planted or name in reported:
                continue
            require(attempts is not None, "I1", "never sent", name)
            if _has_merges(attempts or []):
                is_fold = self._is_fold(attempts or [], fact)
                require(is_fold, "I1", "stored otherwise than merged", name, fact)
                continue
            matching = [attempt for attempt in attempts or [] if self._matches(attempt, fact)]
            require(bool(matching), "I1", "stored otherwise than sent", name, fact)
            require(
                any(attempt.refused_field is None for attempt in matching),
                "I1",
                "stored although refused",
                name,
            )
        for name, attempts in by_name.items():
            if name in self._world.removed:
                continue
            for attempt in attempts:
                if attempt.is_taken:
                    require(name in facts, "I1", "acknowledged and lost", name)
                    if not _has_merges(attempts):
                        self._is_not_older(attempt, facts[name])

    def _matches(self, attempt: Attempt, fact: StoredFact) -> bool:
        version = self._resolved(attempt)
        if version is None or version.content != fact.content:
            return False
        if version.updated_at is not None:
            return bool(version.updated_at == fact.updated_at)
        return fact.updated_at >= attempt.began_ms - _CLOCKS_DIFFER_MS

    @staticmethod
    def _is_fold(attempts: list[Attempt], fact: StoredFact) -> bool:
        """Whether a fact is what all acknowledged writes make, and perhaps some unanswered ones.

        A merge is refused where there is no record yet: one try of it may be refused, and another
        one, which got no answer, may be stored.
        """
        taken = {write.key: write for a in attempts if a.is_taken for write in [write_of(a.record)]}
        open_ = {
            write.key: write
            for a in attempts
            if not a.is_taken and (a.refused_field is None or a.has_open_tries)
            for write in [write_of(a.record)]
            if write.key not in taken
        }
        return any(
            bool(writes)
            and content_of(writes) == fact.content
            and max(write.key for write in writes)[0] == fact.updated_at
            for count in range(len(open_) + 1)
            for some in combinations(open_.values(), count)
            for writes in [[*taken.values(), *some]]
        )

    def _is_not_older(self, attempt: Attempt, fact: StoredFact) -> None:
        version = self._resolved(attempt)
        assert version is not None
        # What the server dates is in the order of its writes, which no client knows.
        if version.updated_at is not None:
            is_newer = fact.updated_at >= version.updated_at
            require(is_newer, "I1", "acknowledged and overwritten", fact.name)
            if fact.updated_at == version.updated_at and version.content is None:
                require(fact.content is None, "I1", "a deletion lost a tie", fact.name)

    def _resolved(self, attempt: Attempt) -> Any:
        found = self._read.get(id(attempt.record))
        if found is None:
            try:
                version = resolve(attempt.record, self._world.now_ms + 10**12)
            except InvalidOperation:
                version = None
            found = self._read[id(attempt.record)] = (attempt.record, version)
        return found[1]

    def _once(self, item: Any, read: Any) -> Any:
        """What `read` makes of an item, made once as long as the item is the same."""
        found = self._read.get(id(item))
        if found is None:
            found = self._read[id(item)] = (item, read(item))
        return found[1]

    # -- I2 ------------------------------------------------------------------------------------
    def epochs(self) -> dict[tuple[str, int], Epoch]:
        """Everything in the analytics table."""
        found: dict[tuple[str, int], Epoch] = defaultdict(Epoch)
        items = list(self._world.store.all_items(ANALYTICS))
        beside = {
            (item["PK"]["S"], item["SK"]["S"]): item
            for item in items
            if "#IDENTITIES#" in item["PK"]["S"]
        }
        for item in items:
            if self._is_damage(item) or "#IDENTITIES#" in item["PK"]["S"]:
                continue
            if "segment" in item:
                pk, sk = item["PK"]["S"].replace("#LEDGER#", "#IDENTITIES#"), item["SK"]["S"]
                identities = beside.pop((pk, sk), None)
                if identities is None:
                    found[_epoch_of(item["PK"]["S"])].unpaired.append((item["PK"]["S"], sk))
                    continue
                require(identities["v"] == item["v"], "I2", "versions of a segment", pk, sk)
                read = partial(_segment_of, identities)
                (org_id, number, bucket), part = self._once(item, read)
            else:
                (org_id, number, bucket), part = self._once(item, _part_of)
            ledger = found[org_id, number].buckets[bucket]
            match part:
                case type, StoredPage() as page:
                    ledger.pages[type].append(page)
                case name, StoredRollup() as rollup:
                    ledger.rollups[name] = rollup
        for pk, sk in beside:
            found[_epoch_of(pk)].unpaired.append((pk, sk))
        return dict(found)

    def _rollups_are_sum_of_pages(self, where: str, epoch: Epoch) -> None:
        for name, ledger in epoch.ledgers(where):
            self._are_sum_of_pages(name, ledger)

    def _are_sum_of_pages(self, where: str, epoch: Ledger) -> None:
        expected: defaultdict[RollupName, Counter[Any]] = defaultdict(Counter)
        for type, row in epoch.rows():
            if row.content is not None:
                for (name, measure), value in self._contribution(type, row):
                    expected[name][measure] += value
        found = {name: r.measures for name, r in epoch.rollups.items() if r.measures}
        for name, rollup in epoch.rollups.items():
            is_needed = rollup.measures or (rollup.spilled and name.family != "calls")
            require(bool(is_needed), "I2", where, "an empty rollup", name)
            require(
                not rollup.spilled or self._world.open_limit_bytes is not None,
                "I2",
                where,
                "spilled without need",
                name,
            )
            letters = _BREAKDOWNS.get(name.family.partition(".")[0], {})
            gone = {letters[letter] for letter in rollup.spilled}
            for measure in [m for m in expected.get(name, ()) if m[0] in gone]:
                del expected[name][measure]
        wanted = {name: dict(measures) for name, measures in expected.items() if measures}
        if found != wanted:
            for name in found.keys() | wanted.keys():
                one, other = found.get(name, {}), wanted.get(name, {})
                wrong = {
                    m: (one.get(m, 0), other.get(m, 0))
                    for m in one.keys() | other.keys()
                    if one.get(m, 0) != other.get(m, 0)
                }
                require(not wrong, "I2", where, name, "stored, sum of pages:", wrong)

    @staticmethod
    def _rows_are_of_one_version(
        place: tuple[str, int], epoch: Epoch, versions: dict[FactName, list[StoredFact]]
    ) -> None:
        """Between any two writes, what the pages hold of a fact is what one version of it leaves.

        So no call is live at two times, and none is gone while it moves.
        """
        found: dict[FactName, dict[int, stored.StoredRow]] = defaultdict(dict)
        for type, row in epoch.rows():
            own = found[FactName(place[0], type, row.id)]
            require(row.time not in own, "I2", place, "a row twice", row)
            own[row.time] = row
        for name, rows in found.items():
            newest = max(row.rev for row in rows.values())
            known = (version for version in versions.get(name, []) if version.rev == newest)
            expected = {row.time: row for version in known for row in version.rows()}
            require(rows == expected, "I2", place, name, "rows", rows, "of a version", expected)

    @staticmethod
    def _rows_are_in_their_buckets(place: tuple[str, int], epoch: Epoch, count: int) -> None:
        for number, ledger in epoch.buckets.items():
            is_named = number is not None and number < count
            require((number is None) if count == 1 else is_named, "I2", place, "bucket", number)
            for type, row in ledger.rows():
                due = None if count == 1 else stored.bucket_of(row.id, count)
                require(number == due, "I2", place, type, row.id, "in the bucket", number)

    def _versions(self) -> dict[FactName, list[StoredFact]]:
        """Every version that was ever stored of each fact, with the moves that lie between them."""
        return {
            versions[0].name: stored.travelled(versions)
            for key, images in self._world.history.items()
            if key not in self._world.poisoned
            and (versions := [self._once(image, stored.fact_of) for image in images])
        }

    def _contribution(self, type: str, row: stored.StoredRow) -> list[tuple[Any, Any]]:
        found = self._read.get(id(row))
        if found is None:
            oracle = Oracle()
            oracle.facts[type, row.id] = Fact(0, row.content, row.time, False)
            counted = [
                ((RollupName(_family(family, type), scope, bucket), measure), value)
                for (family, scope, bucket, measure), value in oracle.rollups().items()
            ]
            found = self._read[id(row)] = (row, counted)
        return found[1]

    def _pages_tile(self, where: str, epoch: Epoch) -> None:
        for name, ledger in epoch.ledgers(where):
            self._tile(name, ledger)

    @staticmethod
    def _tile(where: str, epoch: Ledger) -> None:
        for type, pages in epoch.pages.items():
            reached = stored.FIRST
            for page in sorted(pages, key=lambda page: page.start):
                require(page.start == reached, "I2", where, type, "gap or overlap at", reached)
                reached = page.end
                for row in page.rows:
                    require(page.start <= row.position < page.end, "I2", where, "misplaced", row.id)
            require(reached == stored.END, "I2", where, type, "ends at", reached)

    @staticmethod
    def _pages_equal_facts(
        where: str,
        epoch: Epoch,
        facts: dict[FactName, StoredFact],
        optional: set[FactName],
    ) -> None:
        rows: dict[tuple[str, str, int], stored.StoredRow] = {}
        for type, each in epoch.rows():
            key = (type, each.id, each.time)
            require(key not in rows, "I2", where, "a row twice", key)
            rows[key] = each
        for name, fact in facts.items():
            for due in fact.rows():
                row = rows.pop((name.type, name.id, due.time), None)
                if row is None and name in optional:
                    continue
                require(row is not None, "I2", where, "a fact without its row", name, due)
                require(row == due, "I2", where, "row and fact differ", row, due, fact)
        require(not rows, "I2", where, "rows without a fact", list(rows))

    def _expected_facts(self, now: _Stored) -> dict[FactName, StoredFact]:
        """What the pages must hold: what is stored, and what was removed without the updater."""
        expected = dict(now.facts)
        for name, fact in expected.items():
            last = now.versions[name][-1]
            # The versions of the stream have the hash of a detail, which `with_detail` compared.
            is_same = replace(fact, content=None) == replace(last, content=None)
            require(is_same, "I1", "a fact forgot where it has been", fact, last)
            is_same = stored.paged(fact) == stored.paged(last)
            require(is_same, "I1", "a fact is not what the stream had last", fact, last)
        for name in self._world.removed:
            key = self._world.removed[name]
            versions = self._world.history[key]
            if name not in expected and versions:
                expected[name] = max(map(stored.fact_of, versions), key=lambda fact: fact.rev)
        return expected

    def _written_epochs(self) -> Iterator[tuple[str, int, int]]:
        """(organisation, epoch, number of its buckets)."""
        for item in self._world.store.all_items(RECORDS):
            if item["SK"]["S"] == "ORG" and "deleting" not in item:
                counts = item.get("bucket_counts", {"M": {}})["M"]
                for number in item["written"]["L"]:
                    count = counts.get(number["N"], {"N": "1"})
                    yield item["id"]["S"], int(number["N"]), int(count["N"])

    def _readers_find(self, where: str, place: Read, epoch: Epoch) -> None:
        """The product's readers find every call once, whichever bucket it is in."""
        if self._world.store.is_lagging:
            return  # their reads are not consistent
        live = {row.id: row.time for type, row in epoch.rows() if type == "call" and row.content}
        for fault in Readers(self._world).faults(place, live):
            require(False, "I5", where, *fault)

    # -- I3, I4, I6 ----------------------------------------------------------------------------
    def _breakdowns_sum_to_totals(self, where: str, epoch: Epoch) -> None:
        for name, ledger in epoch.ledgers(where):
            self._sum_to_totals(name, ledger)

    @staticmethod
    def _sum_to_totals(where: str, epoch: Ledger) -> None:
        for name, rollup in epoch.rollups.items():
            total = {"calls": "calls", "tasks": "tasks", "leads": "leads"}.get(name.family)
            if total is None:
                continue
            sums: Counter[str] = Counter()
            for measure, value in rollup.measures.items():
                if isinstance(measure, tuple):
                    sums[measure[0]] += value
            of_all = ["status"]
            if total == "calls":
                of_all += ["hour", "attempt"]
                of_all += [
                    breakdown
                    for letter, breakdown in (("o", "outcome"), ("p", "provider"))
                    if letter not in rollup.spilled
                ]
            count = rollup.measures.get(total, 0)
            for breakdown in of_all:
                require(sums[breakdown] == count, "I3", where, name, breakdown, sums[breakdown])

    def _no_foreign_bytes(self) -> None:
        """Ids and payloads of an organisation hold its mark; items of no other organisation do."""
        marks = self._world.marks
        for table in (RECORDS, ANALYTICS):
            for item in self._world.store.all_items(table):
                pk = item["PK"]["S"]
                if pk.startswith("ORG#") and not self._is_damage(item):
                    owner = stored.unescaped(pk.split("#")[1])
                    if "segment" in item:
                        text = stored.texts_of(item)
                    else:
                        text = repr(self._once(item, _part_of) if table == ANALYTICS else item)
                    for org_id, mark in marks.items():
                        require(
                            org_id == owner or mark not in text, "I4", mark, "in", pk, text[:200]
                        )

    def _only_poison_is_quarantined(self) -> None:
        """Only poison is quarantined, and what a damaged item blocks; nothing that could be applied."""
        world = self._world
        found = {_place_of(record) for record, _ in world.quarantined}
        hindered = {place for place in found if place[0].startswith(f"ORG#{NEIGHBOUR}#")}
        require(found - hindered == world.poisoned, "I1", "quarantined", found ^ world.poisoned)
        for record, _ in world.quarantined:
            if _place_of(record) in hindered and world.damage is not None:
                # The earlier versions of a batch are quarantined with one that cannot be applied.
                fact = stored.fact_of(record["dynamodb"]["NewImage"])
                versions = [v for v in self._versions()[fact.name] if v.rev >= fact.rev]
                is_hindered = any(map(world.damage.stands_in_the_way_of, versions))
                require(is_hindered, "I7", "quarantined without need", fact.name)
        require(not hindered or world.counts["items damaged"] == 1, "I7", "quarantined", hindered)

    def check_redriven(self) -> None:
        """After a repair and a replay only poison is left. Raises Violation."""
        for name, text in self._world.failures.objects.items():
            if name.startswith("hooks/"):
                continue
            document = json.loads(text)
            for record in document.get("records") or [document["record"]]:
                place = _place_of(record)
                require(place in self._world.poisoned, "I7", "not replayed", place)

    def _is_damaged(self, org_id: str) -> bool:
        return self._world.damage is not None and org_id == NEIGHBOUR

    def _is_damage(self, item: dict[str, Any]) -> bool:
        damage = self._world.damage
        return damage is not None and (damage.pk, damage.sk) == (item["PK"]["S"], item["SK"]["S"])

    def _log_is_clean(self) -> None:
        require(not self._world.unexpected, "I5", self._world.unexpected[:3])
        for line in self._world.logged:
            is_unexpected = line.startswith(("unexpected error", "a delivery is not recorded"))
            is_explained = "Unavailable" in line or not is_unexpected
            require(is_explained, "I5", line[-800:])
            for secret in self._world.secrets:
                require(secret not in line, "I6", secret, "in", line[:300])


def _has_merges(attempts: list[Attempt]) -> bool:
    return any("merge" in attempt.record for attempt in attempts)


def _name_of(attempt: Attempt) -> FactName | None:
    record = attempt.record
    if not isinstance(record, dict) or record.get("type") not in TYPES:
        return None
    return FactName(attempt.org_id, record["type"], str(record.get("id")))


def _place_of(record: dict[str, Any]) -> tuple[str, str]:
    return record["dynamodb"]["Keys"]["PK"]["S"], record["dynamodb"]["Keys"]["SK"]["S"]


def _family(family: str, type: str) -> str:
    return f"{family}.{type}" if family in _PER_TYPE else family


def _segment_of(identities: dict[str, Any], values: dict[str, Any]) -> tuple[Place, Any]:
    """A segment, as `_part_of` has a page."""
    place, rest = _split(values["PK"]["S"])
    type = rest.removeprefix("LEDGER#").removesuffix("#")
    return place, (type, stored.segment_of(type, values, identities))


def _split(pk: str) -> tuple[Place, str]:
    """A key of the analytics table: organisation, epoch and bucket, and what follows them."""
    org, org_id, epoch, rest = pk.split("#", 3)
    require(org == "ORG" and epoch.startswith("E"), "I4", "a key of no organisation", pk)
    bucket = None
    if rest.startswith("B"):
        name, _, rest = rest.partition("#")
        bucket = int(name[1:])
    return (stored.unescaped(org_id), int(epoch[1:]), bucket), rest


def _epoch_of(pk: str) -> tuple[str, int]:
    (org_id, number, _), _ = _split(pk)
    return org_id, number


def _part_of(item: dict[str, Any]) -> tuple[Place, Any]:
    """An analytics item: whose it is, of which epoch and bucket, and what it says."""
    place, rest = _split(item["PK"]["S"])
    if rest.startswith("LEDGER#"):
        type = rest.removeprefix("LEDGER#").removesuffix("#")
        return place, (type, stored.page_of(type, item))
    name = stored.rollup_name(rest, item["SK"]["S"])
    return place, (name, stored.rollup_of(name, item))
