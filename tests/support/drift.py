"""Planting drift: each kind makes one thing in the stored items wrong, by hand."""

from __future__ import annotations

import base64
import copy
from collections import Counter
from collections.abc import Callable, Iterable
from random import Random
from typing import Any, Protocol

from rollcall.domain.contributions import CURRENT_VERSION, contribution_function
from rollcall.domain.epochs import Bucket, Epoch
from rollcall.domain.records import RECORD_TYPES
from rollcall.ledger.page import Row, Rows
from rollcall.maintenance import audits
from rollcall.storage import keys
from tests.support.rollup_items import MARK, META, measures_of, with_measures

RECORDS, ANALYTICS = "rollcall-records", "rollcall-analytics"
Item = dict[str, Any]
_TIMES = ("started_at_ms", "created_at_ms", "occurred_at_ms")
# The kinds of drift of which at least one must be reported.
Kinds = frozenset[str]


class Items(Protocol):
    """The raw items of both tables."""

    def all(self, table: str) -> Iterable[Item]: ...
    def put(self, table: str, item: Item) -> None: ...
    def delete(self, table: str, item: Item) -> None: ...


class Planter:
    """Plants drift into one organisation's live epoch; a plant that finds no place gives None."""

    def __init__(self, items: Items, epoch: Epoch, random: Random) -> None:
        self.items = items
        self.org_id = epoch.org_id
        self.epoch = epoch
        self.random = random

    # -- what there is -------------------------------------------------------------------------
    def facts(self) -> list[Item]:
        prefix = keys.org_prefix(self.org_id)
        found = [
            item
            for item in self.items.all(RECORDS)
            if item["PK"]["S"].startswith(prefix)
            and item["SK"]["S"].startswith("FACT#")
            and "rev" in item
            and ("time_ms" in item or RECORD_TYPES[item["type"]["S"]].time_column is None)
        ]
        return sorted(found, key=lambda item: (item["PK"]["S"], item["SK"]["S"]))

    def live_facts(self) -> list[Item]:
        return [item for item in self.facts() if "deleted" not in item]

    def analytics(self, kind: str) -> list[Item]:
        prefixes = tuple(keys.bucket_prefix(b) + kind + "#" for b in self.epoch.buckets)
        found = [i for i in self.items.all(ANALYTICS) if i["PK"]["S"].startswith(prefixes)]
        return sorted(found, key=lambda item: (item["PK"]["S"], item["SK"]["S"]))

    def _bucket(self, item: Item) -> Bucket:
        bucket = keys.bucket_of(self.epoch, item["PK"]["S"])
        assert bucket is not None
        return bucket

    def pages(self) -> list[tuple[Item, str, Rows]]:
        found = []
        for item in self.analytics("LEDGER"):
            if "segment" in item:
                continue
            record_type = item["PK"]["S"].split("#")[-2]
            found.append((item, record_type, Rows.decode(record_type, _bytes(item["data"]))))
        return found

    def rollups(self) -> list[Item]:
        return self.analytics("ROLLUP")

    def _pick(self, things: list[Any]) -> Any:
        return self.random.choice(things) if things else None

    def _page_with(self, is_wanted: Callable[[Row], bool]) -> Any:
        places = [
            (item, record_type, rows, index)
            for item, record_type, rows in self.pages()
            for index, row in enumerate(rows)
            if is_wanted(row)
        ]
        return self._pick(places)

    def _put_rows(self, item: Item, record_type: str, rows: list[Row]) -> None:
        encoded = Rows.empty(record_type).with_rows({}, rows).encode()
        is_text = isinstance(item["data"]["B"], str)
        data: Any = base64.b64encode(encoded).decode() if is_text else encoded
        version = {"N": str(int(item["v"]["N"]) + 1)}
        self.items.put(ANALYTICS, item | {"data": {"B": data}, "v": version})

    def _count(self, record_type: str, row: Row, sign: int) -> None:
        """Add the contribution of a row to the stored rollups, or take it away."""
        if row.record is None:
            return
        stored = {(i["PK"]["S"], i["SK"]["S"]): i for i in self.rollups()}
        for key, measures in contribution_function(CURRENT_VERSION)(row.id, row.record):
            bucket = self.epoch.bucket_of(row.id)
            place = keys.rollup(bucket, key)
            item = stored.setdefault(
                place,
                {
                    "PK": {"S": place.pk},
                    "SK": {"S": place.sk},
                    "GSI1PK": {"S": keys.index_partition(bucket)},
                    "GSI1SK": {"S": keys.index_sort(bucket, keys.ROLLUP, place.sk)},
                    "v": {"N": "0"},
                    "whole": {"N": "0"},
                    "applied_at": {"N": "1"},
                },
            )
            total = Counter(measures_of(item))
            for name, amount in measures.items():
                total[name] += sign * amount
            counted = {name: count for name, count in total.items() if count}
            version = {"N": str(int(item["v"]["N"]) + 1)}
            changed = with_measures(item, counted) | {"v": version, "whole": version}
            stored[place] = changed
            if counted:
                self.items.put(ANALYTICS, changed)
            else:
                self.items.delete(ANALYTICS, changed)

    # -- facts and rows ------------------------------------------------------------------------
    def fact_removed(self) -> Kinds | None:
        fact = self._pick(self.live_facts())
        if fact is None:
            return None
        self.items.delete(RECORDS, fact)
        return frozenset({audits.ROW_PHANTOM})

    def fact_set_back(self) -> Kinds | None:
        """An earlier revision under the same key, as after a restore."""
        fact = self._pick(self.live_facts())
        if fact is None:
            return None
        self.items.put(RECORDS, fact | {"rev": {"N": str(int(fact["rev"]["N"]) - 1)}})
        return frozenset({audits.ROW_DIFFERS})

    def fact_never_delivered(self) -> Kinds | None:
        """A later version that no stream record tells of."""
        fact = self._pick(self.live_facts())
        if fact is None:
            return None
        changed = copy.deepcopy(fact)
        changed["rev"] = {"N": str(int(fact["rev"]["N"]) + 1)}
        changed.pop("record", None)
        changed["deleted"] = {"BOOL": True}
        self.items.put(RECORDS, changed)
        return frozenset({audits.ROW_BEHIND})

    def fact_is_garbage(self) -> Kinds | None:
        fact = self._pick(self.live_facts())
        if fact is None:
            return None
        self.items.put(RECORDS, {name: fact[name] for name in ("PK", "SK")} | {"x": {"S": "?"}})
        return frozenset({audits.FACT_DAMAGED})

    def row_lost(self) -> Kinds | None:
        """With its contributions: as if it had never been delivered."""
        found = self._page_with(lambda row: row.record is not None)
        if found is None:
            return None
        item, record_type, rows, index = found
        kept = [row for place, row in enumerate(rows) if place != index]
        self._put_rows(item, record_type, kept)
        self._count(record_type, rows.row(index), -1)
        return frozenset({audits.ROW_MISSING})

    def row_torn_out(self) -> Kinds | None:
        """Without its contributions."""
        found = self._page_with(lambda row: row.record is not None)
        if found is None:
            return None
        item, record_type, rows, index = found
        self._put_rows(item, record_type, [r for place, r in enumerate(rows) if place != index])
        return frozenset({audits.ROW_MISSING})

    def row_altered(self) -> Kinds | None:
        found = self._page_with(lambda row: row.record is not None)
        if found is None:
            return None
        item, record_type, rows, index = found
        every = list(rows)
        every[index] = Row(every[index].id, every[index].rev, every[index].time_ms, None)
        self._put_rows(item, record_type, every)
        return frozenset({audits.ROW_DIFFERS})

    def row_ahead(self) -> Kinds | None:
        found = self._page_with(lambda row: True)
        if found is None:
            return None
        item, record_type, rows, index = found
        every = list(rows)
        every[index].rev += 10**15
        self._put_rows(item, record_type, every)
        return frozenset({audits.ROW_DIFFERS})

    def row_without_fact(self) -> Kinds | None:
        found = self._page_with(lambda row: row.record is not None)
        if found is None:
            return None
        item, record_type, rows, index = found
        model = rows.row(index)
        for number in range(10_000):
            phantom = Row(f"phantom {number}", 5, model.time_ms, model.record)
            if item["start"]["S"] <= phantom.position < item["end"]["S"]:
                self._put_rows(item, record_type, [*rows, phantom])
                if self.random.random() < 0.5:
                    self._count(record_type, phantom, 1)
                return frozenset({audits.ROW_PHANTOM})
        return None

    def row_in_the_wrong_page(self) -> Kinds | None:
        pages = [page for page in self.pages() if len(page[2])]
        by_type = [
            (a, b) for a in pages for b in pages if a[1] == b[1] and a[0]["start"] != b[0]["start"]
        ]
        pair = self._pick(by_type)
        if pair is None:
            return None
        (item, record_type, rows), (_, _, others) = pair
        self._put_rows(item, record_type, [*rows, others.row(0)])
        return frozenset({audits.ROW_PHANTOM})

    # -- pages ---------------------------------------------------------------------------------
    def page_removed(self) -> Kinds | None:
        page = self._pick([page for page in self.pages() if len(page[2])])
        if page is None:
            return None
        self.items.delete(ANALYTICS, page[0])
        return frozenset({audits.PAGE_MISSING, audits.ROW_MISSING})

    def page_cut_short(self) -> Kinds | None:
        page = self._pick(self.pages())
        if page is None:
            return None
        data = _bytes(page[0]["data"])[: self.random.randrange(len(_bytes(page[0]["data"])))]
        is_text = isinstance(page[0]["data"]["B"], str)
        value: Any = base64.b64encode(data).decode() if is_text else data
        self.items.put(ANALYTICS, page[0] | {"data": {"B": value}})
        return frozenset({audits.PAGE_DAMAGED})

    def page_inside_another(self) -> Kinds | None:
        page = self._pick([page for page in self.pages() if len(page[2]) > 1])
        if page is None:
            return None
        item, record_type, rows = page
        start = sorted(rows.positions())[1]
        inner = [row for row in rows if row.position >= start]
        self._put_rows(item | {"SK": {"S": start}, "start": {"S": start}}, record_type, inner)
        return frozenset({audits.PAGE_PHANTOM})

    def page_of_no_type(self) -> Kinds | None:
        page = self._pick(self.pages())
        if page is None:
            return None
        partition = keys.ledger(self._bucket(page[0]), "unheard")
        self.items.put(ANALYTICS, page[0] | {"PK": {"S": partition}})
        return frozenset({audits.PAGE_PHANTOM})

    # -- rollups -------------------------------------------------------------------------------
    def _rollup(self) -> tuple[Item, dict[str, int]] | None:
        found = [(item, measures_of(item)) for item in self.rollups()]
        return self._pick([(item, measures) for item, measures in found if measures])  # type: ignore[no-any-return]

    def rollup_altered(self) -> Kinds | None:
        found = self._rollup()
        if found is None:
            return None
        item, measures = found
        name = self.random.choice(sorted(measures))
        amount = self.random.choice((-1, 1, 7))
        if amount + measures[name] == 0 and name[1:2] in ("", "="):
            amount = 1  # no breakdown has a value that is counted 0 times
        self.items.put(ANALYTICS, with_measures(item, measures | {name: measures[name] + amount}))
        return frozenset({audits.ROLLUP_DIFFERS})

    def rollup_with_one_more(self) -> Kinds | None:
        found = self._rollup()
        if found is None:
            return None
        item, measures = found
        letters = sorted({name[0] for name in measures if name[1:2] in ("", "=")} - {"t"})
        name = self.random.choice(["s.unknown", *(f"{letter}=unknown" for letter in letters)])
        self.items.put(ANALYTICS, with_measures(item, measures | {name: 3}))
        return frozenset({audits.ROLLUP_DIFFERS})

    def rollup_with_one_less(self) -> Kinds | None:
        found = self._rollup()
        if found is None:
            return None
        item, measures = found
        del measures[self.random.choice(sorted(measures))]
        self.items.put(ANALYTICS, with_measures(item, measures))
        return frozenset({audits.ROLLUP_DIFFERS})

    def rollup_removed(self) -> Kinds | None:
        found = self._rollup()
        if found is None:
            return None
        self.items.delete(ANALYTICS, found[0])
        return frozenset({audits.ROLLUP_MISSING})

    def rollup_of_an_unknown_template(self) -> Kinds | None:
        found = self._rollup()
        if found is None:
            return None
        item, _ = found
        prefix = keys.bucket_prefix(self._bucket(item))
        family = item["PK"]["S"].removeprefix(prefix).split("#")[1]
        partition = f"{prefix}ROLLUP#{family}#TEMPLATE#unknown#"
        self.items.put(ANALYTICS, item | {"PK": {"S": partition}})
        return frozenset({audits.ROLLUP_PHANTOM})

    def rollup_on_a_day_of_nothing(self) -> Kinds | None:
        found = self._rollup()
        if found is None or "#known" in found[0]["PK"]["S"]:
            return None
        item, _ = found
        sk = keys.bucket_sk("1999-12-31")
        self.items.put(
            ANALYTICS,
            item
            | {
                "SK": {"S": sk},
                "GSI1SK": {"S": keys.index_sort(self._bucket(item), keys.ROLLUP, sk)},
            },
        )
        return frozenset({audits.ROLLUP_PHANTOM})

    def rollup_damaged(self) -> Kinds | None:
        found = self._rollup()
        if found is None:
            return None
        item, _ = found
        name = self.random.choice(sorted(item.keys() - META))
        self.items.put(ANALYTICS, item | {name: {"S": "?"}})
        return frozenset({audits.ROLLUP_DAMAGED})

    def breakdown_cut_short(self) -> Kinds | None:
        found = [(i, name) for i in self.rollups() for name in i if "B" in i[name]]
        if not found:
            return None
        item, name = self._pick(found)
        data = _bytes(item[name])
        part: Any = data[: self.random.randrange(len(data))]
        if isinstance(item[name]["B"], str):
            part = base64.b64encode(part).decode()
        self.items.put(ANALYTICS, item | {name: {"B": part}})
        return frozenset({audits.ROLLUP_DAMAGED})

    # -- what an item has beside what it is about --------------------------------------------
    def _altered(self, items: list[Item], kind: str, **changed: Any) -> Kinds | None:
        """One of the items with some attributes set, or, where None, removed."""
        item = self._pick(items)
        if item is None:
            return None
        kept = {name: value for name, value in item.items() if name not in changed}
        self.items.put(ANALYTICS, kept | {n: v for n, v in changed.items() if v is not None})
        return frozenset({kind})

    def page_not_listed(self) -> Kinds | None:
        unlisted = {"GSI1PK": None, "GSI1SK": None}
        return self._altered(self.analytics("LEDGER"), audits.PAGE_DAMAGED, **unlisted)

    def page_listed_elsewhere(self) -> Kinds | None:
        place = self.random.choice(("ROLLUP#ALL", "ROLLUP#DAY#2024-03-01", "page#", "x"))
        return self._altered(self.analytics("LEDGER"), audits.PAGE_DAMAGED, GSI1SK={"S": place})

    def page_without_version(self) -> Kinds | None:
        version = self.random.choice((None, {"S": "7"}, {"N": "0"}, {"N": "-3"}, {"N": "1.5"}))
        return self._altered(self.analytics("LEDGER"), audits.PAGE_DAMAGED, v=version)

    def page_without_moment(self) -> Kinds | None:
        moment = self.random.choice((None, {"S": "now"}))
        return self._altered(self.analytics("LEDGER"), audits.PAGE_DAMAGED, applied_at=moment)

    def page_of_another_count(self) -> Kinds | None:
        count = self.random.choice((None, {"N": "70000"}, {"S": "1"}))
        return self._altered(self.analytics("LEDGER"), audits.PAGE_DAMAGED, n=count)

    def page_without_end(self) -> Kinds | None:
        end = self.random.choice((None, {"N": "1"}, {"S": ""}, {"S": "\U0010ffff"}))
        return self._altered(self.analytics("LEDGER"), audits.PAGE_DAMAGED, end=end)

    def page_without_start(self) -> Kinds | None:
        start = self.random.choice((None, {"N": "1"}, {"S": "000000000000005.0000000000000000"}))
        return self._altered(self.analytics("LEDGER"), audits.PAGE_DAMAGED, start=start)

    def page_at_no_position(self) -> Kinds | None:
        item = self._pick(self.analytics("LEDGER"))
        if item is None:
            return None
        start = self.random.choice(("!", "zebra", "~~", "0", item["SK"]["S"] + "\ue000"))
        self.items.put(ANALYTICS, item | {"SK": {"S": start}, "start": {"S": start}})
        return frozenset({audits.PAGE_PHANTOM})

    def rollup_not_listed(self) -> Kinds | None:
        unlisted = {"GSI1PK": None, "GSI1SK": None}
        return self._altered(self._counting(), audits.ROLLUP_DAMAGED, **unlisted)

    def rollup_listed_elsewhere(self) -> Kinds | None:
        place = self.random.choice(("PAGE#", "ROLLUP#DAY#1999-12-31", "ROLLUP#DAY#2026-02-31", "x"))
        return self._altered(self._counting(), audits.ROLLUP_DAMAGED, GSI1SK={"S": place})

    def phantom_listed_elsewhere(self) -> Kinds | None:
        """Of a day that no row is of, listed on another."""
        item = self._pick([i for i in self.rollups() if i["SK"]["S"] != "ALL"])
        if item is None:
            return None
        self.items.put(ANALYTICS, item | {"SK": {"S": "DAY#1999-12-31"}})
        return frozenset({audits.ROLLUP_DAMAGED})

    def rollup_without_version(self) -> Kinds | None:
        version = self.random.choice((None, {"S": "7"}, {"N": "0"}, {"N": "1e120"}))
        return self._altered(self._counting(), audits.ROLLUP_DAMAGED, v=version)

    def rollup_without_moment(self) -> Kinds | None:
        return self._altered(self._counting(), audits.ROLLUP_DAMAGED, applied_at=None)

    def rollup_of_no_bucket(self) -> Kinds | None:
        """Under what is neither a day nor all time, and listed so."""
        item = self._pick(self.rollups())
        if item is None:
            return None
        texts = ("all", "day#2024-03-01", "DAY#2026-02-31", "DAY#2026-3-1", "DAY#", "WEEK#9")
        sk = self.random.choice(texts)
        listed = {"S": f"ROLLUP#{sk}"}
        self.items.put(ANALYTICS, item | {"SK": {"S": sk}, "GSI1SK": listed})
        return frozenset({audits.ROLLUP_PHANTOM})

    def rollup_of_no_family(self) -> Kinds | None:
        item = self._pick(self.rollups())
        if item is None:
            return None
        partition = keys.bucket_prefix(self._bucket(item)) + self.random.choice(
            ("ROLLUP#weather#ORG#", "ROLLUP#calls#", "SUM#calls#ORG#", "ROLLUP#calls#org#")
        )
        self.items.put(ANALYTICS, item | {"PK": {"S": partition}})
        return frozenset({audits.ROLLUP_PHANTOM, audits.ROLLUP_DAMAGED})

    def mark_on_closed(self) -> Kinds | None:
        letter = self.random.choice("cshaxz")
        return self._altered(self._counting(), audits.ROLLUP_DAMAGED, **{letter: MARK})

    def rollup_huge(self) -> Kinds | None:
        item = self._pick(self._counting())
        if item is None:
            return None
        name = self.random.choice(sorted(n for n in item.keys() - META if "N" in item[n]))
        value = self.random.choice(("9" * 38, "-" + "9" * 38, "1" + "0" * 125))
        self.items.put(ANALYTICS, item | {name: {"N": value}})
        return frozenset({audits.ROLLUP_DIFFERS})

    def _counting(self) -> list[Item]:
        """The rollups that count something."""
        return [item for item in self.rollups() if any("N" in item[n] for n in item.keys() - META)]

    # -- rows that no fact can have ------------------------------------------------------------
    def row_past_every_revision(self) -> Kinds | None:
        found = self._page_with(lambda row: True)
        if found is None:
            return None
        item, record_type, rows, index = found
        every = list(rows)
        every[index].rev = 2**63 - self.random.choice((1, 2, 10**6))
        self._put_rows(item, record_type, every)
        return frozenset({audits.PAGE_DAMAGED})

    def row_twice(self) -> Kinds | None:
        found = self._page_with(lambda row: row.record is not None)
        if found is None:
            return None
        item, record_type, rows, index = found
        twin = rows.row(index)
        twin.rev += self.random.choice((-1, 0, 1))
        self._put_rows(item, record_type, [*rows, twin])
        return frozenset({audits.ROW_PHANTOM})

    def row_at_two_times(self) -> Kinds | None:
        """A live row of the same id at another time, where it might be."""
        found = self._page_with(lambda row: row.record is not None)
        if found is None or RECORD_TYPES[found[1]].time_column is None:
            return None
        _, record_type, rows, index = found
        twin = rows.row(index)
        twin.time_ms += self.random.choice((1, 60_000, 86_400_000))
        assert twin.record is not None
        setattr(twin.record, RECORD_TYPES[record_type].time_column or "", twin.time_ms)
        for item, other_type, others in self.pages():
            start, end = item["start"]["S"], item["end"]["S"]
            if other_type == record_type and start <= twin.position < end:
                if twin.id in others.ids():
                    return None
                self._put_rows(item, record_type, [*others, twin])
                return frozenset({audits.ROW_PHANTOM})
        return None

    # -- facts that have moved -------------------------------------------------------------------
    def _moved(self, *, is_changed: bool = False) -> Item | None:
        """A live fact that has moved, and, if `is_changed`, was changed afterwards."""
        moved = [fact for fact in self.live_facts() if "left_behind" in fact]
        return self._pick([f for f in moved if "moved_rev" in f] if is_changed else moved)  # type: ignore[no-any-return]

    def _left_row(self, fact: Item | None) -> Any:
        """A tombstone at a time that a fact has left."""
        if fact is None:
            return None
        times = {int(entry["N"]) for entry in fact["left_behind"]["L"]}
        record_type, id = fact["type"]["S"], fact["id"]["S"]
        places = [
            (item, of_type, rows, index)
            for item, of_type, rows in self.pages()
            for index, row in enumerate(rows)
            if (of_type, row.id) == (record_type, id) and row.time_ms in times
        ]
        return self._pick(places)

    def _replace_left_row(self, change: Callable[[Row, Row], Row | None]) -> bool:
        """Replace a tombstone by what `change` makes of it and of the fact's own row."""
        fact = self._moved()
        found = self._left_row(fact)
        if found is None or fact is None:
            return False
        item, record_type, rows, index = found
        own = next(
            row
            for _, of_type, others in self.pages()
            for row in others
            if (of_type, row.id) == (record_type, fact["id"]["S"]) and row.record is not None
        )
        every = list(rows)
        changed = change(every[index], own)
        self._put_rows(item, record_type, every[:index] + every[index + 1 :])
        if changed is not None:
            found = next(
                i for i, _, _ in self.pages() if i["SK"] == item["SK"] and i["PK"] == item["PK"]
            )
            self._put_rows(found, record_type, [*every[:index], changed, *every[index + 1 :]])
            self._count(record_type, changed, 1)
        return True

    def old_row_is_back(self) -> Kinds | None:
        """With its contributions, and the revision from before the move, or one that no move had."""
        newer = self.random.random() < 0.5

        def live(dead: Row, own: Row) -> Row:
            record = copy.copy(own.record)
            field = next(n for n in _TIMES if hasattr(record, n))
            setattr(record, field, dead.time_ms)
            return Row(dead.id, dead.rev + (5 if newer else -1), dead.time_ms, record)

        if not self._replace_left_row(live):
            return None
        return frozenset({audits.ROW_DIFFERS if newer else audits.ROW_BEHIND})

    def tombstone_of_a_move_lost(self) -> Kinds | None:
        is_there = self._replace_left_row(lambda _dead, _own: None)
        return frozenset({audits.ROW_MISSING}) if is_there else None

    def tombstone_of_a_move_behind(self) -> Kinds | None:
        is_there = self._replace_left_row(
            lambda dead, _own: Row(dead.id, dead.rev - 1, dead.time_ms, None)
        )
        return frozenset({audits.ROW_BEHIND}) if is_there else None

    def fact_forgot_that_it_moved(self) -> Kinds | None:
        fact = self._moved()
        if fact is None:
            return None
        forgotten = {"left_behind"} | ({"moved_rev"} if self.random.random() < 0.5 else set())
        self.items.put(RECORDS, {n: value for n, value in fact.items() if n not in forgotten})
        return frozenset({audits.ROW_PHANTOM})

    def fact_forgot_a_time(self) -> Kinds | None:
        fact = self._moved()
        if fact is None:
            return None
        times = list(fact["left_behind"]["L"])
        times.remove(self.random.choice(times))
        kept = {name: value for name, value in fact.items() if name != "left_behind"}
        self.items.put(RECORDS, kept | ({"left_behind": {"L": times}} if times else {}))
        return frozenset({audits.ROW_PHANTOM})

    def fact_forgot_its_last_move(self) -> Kinds | None:
        """Its tombstones then seem to be behind; a lower revision makes them seem to be ahead."""
        fact = self._moved(is_changed=True)
        if fact is None:
            return None
        kept = {name: value for name, value in fact.items() if name != "moved_rev"}
        if self.random.random() < 0.5:
            self.items.put(RECORDS, kept)
            return frozenset({audits.ROW_BEHIND})
        self.items.put(RECORDS, kept | {"moved_rev": {"N": "1"}})
        return frozenset({audits.ROW_DIFFERS})

    def move_never_delivered(self) -> Kinds | None:
        fact = self._pick(
            [f for f in self.live_facts() if "time_ms" in f and "left_behind" not in f]
        )
        if fact is None:
            return None
        old = fact["time_ms"]
        new = {"N": str(int(old["N"]) + self.random.choice((1, 60_000, 86_400_000)))}
        record = fact["record"]["M"]
        field = next(name for name in _TIMES if name in record)
        self.items.put(
            RECORDS,
            fact
            | {
                "rev": {"N": str(int(fact["rev"]["N"]) + 1)},
                "time_ms": new,
                "left_behind": {"L": [old]},
                "record": {"M": record | {field: new}},
            },
        )
        return frozenset({audits.ROW_MISSING})

    def fact_from_before_its_move(self) -> Kinds | None:
        """As after a restore of the records table."""
        fact = self._moved()
        if fact is None:
            return None
        old = self.random.choice(fact["left_behind"]["L"])
        record = fact["record"]["M"]
        field = next(name for name in _TIMES if name in record)
        kept = {n: v for n, v in fact.items() if n not in ("left_behind", "moved_rev")}
        rev = {"N": str(int(fact["rev"]["N"]) - 10**6)}
        restored = {"rev": rev, "time_ms": old, "record": {"M": record | {field: old}}}
        self.items.put(RECORDS, kept | restored)
        return frozenset({audits.ROW_PHANTOM})

    # -- facts ---------------------------------------------------------------------------------
    def fact_in_another_bucket(self) -> Kinds | None:
        """Where no key says that it is, beside the fact or instead of it."""
        fact = self._pick(self.live_facts())
        if fact is None:
            return None
        *parts, bucket, end = fact["PK"]["S"].split("#")
        other = self.random.choice([n for n in range(16) if n != int(bucket)])
        if self.random.random() < 0.5:
            self.items.delete(RECORDS, fact)
        self.items.put(RECORDS, fact | {"PK": {"S": "#".join([*parts, str(other), end])}})
        return frozenset({audits.FACT_DAMAGED})

    def fact_under_another_id(self) -> Kinds | None:
        fact = self._pick(self.live_facts())
        if fact is None:
            return None
        self.items.put(RECORDS, fact | {"id": {"S": "someone else"}})
        return frozenset({audits.FACT_DAMAGED})

    def fact_past_every_revision(self) -> Kinds | None:
        fact = self._pick(self.live_facts())
        if fact is None:
            return None
        rev = 2**63 - self.random.choice((1, 2, 10**6))
        self.items.put(RECORDS, fact | {"rev": {"N": str(rev)}})
        return frozenset({audits.FACT_DAMAGED})


PLANTS = [
    Planter.fact_removed,
    Planter.fact_set_back,
    Planter.fact_never_delivered,
    Planter.fact_is_garbage,
    Planter.row_lost,
    Planter.row_torn_out,
    Planter.row_altered,
    Planter.row_ahead,
    Planter.row_without_fact,
    Planter.row_in_the_wrong_page,
    Planter.page_removed,
    Planter.page_cut_short,
    Planter.page_inside_another,
    Planter.page_of_no_type,
    Planter.rollup_altered,
    Planter.rollup_with_one_more,
    Planter.rollup_with_one_less,
    Planter.rollup_removed,
    Planter.rollup_of_an_unknown_template,
    Planter.rollup_on_a_day_of_nothing,
    Planter.rollup_damaged,
    Planter.breakdown_cut_short,
    Planter.old_row_is_back,
    Planter.tombstone_of_a_move_lost,
    Planter.tombstone_of_a_move_behind,
    Planter.fact_forgot_that_it_moved,
    Planter.fact_forgot_a_time,
    Planter.fact_forgot_its_last_move,
    Planter.move_never_delivered,
    Planter.fact_from_before_its_move,
]
# What counting cannot see, or what a page or a rollup is beside its counts.
ODD_PLANTS = [
    Planter.page_not_listed,
    Planter.page_listed_elsewhere,
    Planter.page_without_version,
    Planter.page_without_moment,
    Planter.page_of_another_count,
    Planter.page_without_end,
    Planter.page_without_start,
    Planter.page_at_no_position,
    Planter.rollup_not_listed,
    Planter.rollup_listed_elsewhere,
    Planter.phantom_listed_elsewhere,
    Planter.rollup_without_version,
    Planter.rollup_without_moment,
    Planter.rollup_of_no_bucket,
    Planter.rollup_of_no_family,
    Planter.mark_on_closed,
    Planter.rollup_huge,
    Planter.row_past_every_revision,
    Planter.row_twice,
    Planter.row_at_two_times,
]
# An operator has to look at these: nothing says which of the items is the fact.
FACTS_TO_LOOK_AT = [
    Planter.fact_in_another_bucket,
    Planter.fact_under_another_id,
    Planter.fact_past_every_revision,
]


def _bytes(attribute: Any) -> bytes:
    data = attribute["B"]
    return base64.b64decode(data) if isinstance(data, str) else data
