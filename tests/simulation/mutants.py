"""Planted faults: each breaks one sentence of the design, and the checker must catch it.

A mutant patches the product (and sometimes what the client sends) for as long as its context lasts.
"""

from __future__ import annotations

import dataclasses
import importlib
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any
from unittest.mock import patch

import numpy as np
from botocore.exceptions import ClientError

from rollcall import at_once
from rollcall.api import http as http_module
from rollcall.domain import contributions, merging
from rollcall.domain import facts as facts_module
from rollcall.domain.epochs import Bucket, Epoch
from rollcall.domain.errors import Conflict, CorruptItem
from rollcall.domain.facts import Fact, StreamFact
from rollcall.domain.organisations import Organisation
from rollcall.domain.time import calendar
from rollcall.ingest import isolate as isolate_module
from rollcall.ingest.update import Cause, Update
from rollcall.lambdas import stream as stream_module
from rollcall.ledger import apply as apply_module
from rollcall.ledger import merge as merge_module
from rollcall.ledger import rollups as rollups_module
from rollcall.ledger import segments
from rollcall.ledger import tree as tree_module
from rollcall.ledger import writer as writer_module
from rollcall.ledger.known import Known
from rollcall.ledger.page import Row
from rollcall.ledger.rollups import RollupPut, StoredRollup
from rollcall.ledger.transaction import Transaction
from rollcall.maintenance import fact_chunks, merge_pages
from rollcall.maintenance.rebuild import Rebuild
from rollcall.maintenance.rebuilds import Phase, RebuildRun
from rollcall.maintenance.reconcile import run as reconcile_module
from rollcall.maintenance.reconcile.context import Context
from rollcall.query import search
from rollcall.storage import client as client_module
from rollcall.storage import fact_items, keys
from rollcall.storage.accounts import Directory
from rollcall.storage.ledger_reader import LedgerReader
from rollcall.storage.pages import PageStore
from rollcall.storage.rollups import RollupStore
from tests.simulation.hook_mutants import HOOK_MUTANTS
from tests.simulation.network import Network

# The package exports the decorator under the name of its module.
endpoint_module = importlib.import_module("rollcall.api.endpoint")

_DAY_MS = 86_400_000
_CONDITION = (
    "ConditionExpression",
    "ExpressionAttributeNames",
    "ExpressionAttributeValues",
)
Planted = Callable[[ExitStack], None]


def _without_condition(action: dict[str, Any]) -> dict[str, Any]:
    ((name, request),) = action.items()
    return {name: {key: value for key, value in request.items() if key not in _CONDITION}}


def _unconditional(asked: dict[str, Any], part: str) -> dict[str, Any]:
    """A transaction whose puts of a kind of item have no condition."""
    actions = [
        _without_condition(action)
        if "Put" in action and part in action["Put"]["Item"]["PK"]["S"]
        else action
        for action in asked["TransactItems"]
    ]
    return asked | {"TransactItems": actions}


def _sending(
    stack: ExitStack, change: Callable[[Callable[..., Any], dict[str, Any]], dict[str, Any]]
) -> None:
    original = Network.transact_write_items

    def send(self: Network, **asked: Any) -> dict[str, Any]:
        return change(lambda **changed: original(self, **changed), asked)

    stack.enter_context(patch.object(Network, "transact_write_items", send))


def rollups_without_the_page(stack: ExitStack) -> None:
    """Rollups have a transaction of their own, and the page follows in another."""
    original = PageStore.commit

    def commit(self: PageStore, transaction: Transaction) -> None:
        if transaction.pages and transaction.item_count > len(transaction.pages):
            original(self, dataclasses.replace(transaction, pages=()))
            transaction = Transaction(transaction.pages)
        original(self, transaction)

    stack.enter_context(patch.object(PageStore, "commit", commit))


def page_without_its_version_condition(stack: ExitStack) -> None:
    _sending(stack, lambda send, asked: send(**_unconditional(asked, "#LEDGER#")))


def rollup_without_its_version_condition(stack: ExitStack) -> None:
    _sending(stack, lambda send, asked: send(**_unconditional(asked, "#ROLLUP#")))


def stale_rollup_is_written(stack: ExitStack) -> None:
    """What was read of a rollup first is written on condition of the version of now."""
    original = PageStore.rollups
    first: dict[Any, StoredRollup] = {}

    def rollups(self: PageStore, wanted: Any) -> Any:
        found = dict(original(self, wanted))
        for key, stored in found.items():
            place = (self._bucket, key)
            found[key] = dataclasses.replace(
                first.setdefault(place, stored), version=stored.version
            )
        return found

    stack.enter_context(patch.object(PageStore, "rollups", rollups))


def breakdown_is_dropped_without_a_mark(stack: ExitStack) -> None:
    """One that is too large is left out, and counted again from then on."""
    original = rollups_module.write_rollup

    def write(key: Any, delta: Any, stored: StoredRollup) -> Any:
        found = original(key, delta, stored)
        if isinstance(found, RollupPut):
            return dataclasses.replace(found, spilled=stored.spilled)
        return found

    stack.enter_context(patch.object(apply_module, "write_rollup", write))


def marks_go_with_a_breakdown_that_is_in_use(stack: ExitStack) -> None:
    """A breakdown that is spilled is counted again by the next change."""
    original = rollups_module.write_rollup

    def write(key: Any, delta: Any, stored: StoredRollup) -> Any:
        return original(key, delta, dataclasses.replace(stored, spilled=frozenset()))

    stack.enter_context(patch.object(apply_module, "write_rollup", write))


def delta_from_the_streams_old_image(stack: ExitStack) -> None:
    """What a row was before is taken from the stream record and not from the page."""
    before: dict[tuple[str, int], Row] = {}
    stream_fact, change = fact_items.stream_fact, merge_module.PageIndex.change

    def remembering(record: Any) -> StreamFact | None:
        found = stream_fact(record)
        if found is not None and "OldImage" in record["dynamodb"]:
            with_old = {"eventName": "INSERT", "dynamodb": {}}
            with_old["dynamodb"] = {"NewImage": record["dynamodb"]["OldImage"]}
            try:
                old = stream_fact(with_old)
            except CorruptItem:
                old = None
            if old is not None:
                fact = old.fact
                row = Row(fact.id, fact.rev, fact.time_ms or 0, fact.record)
                before[fact.id, found.fact.rev] = row
        return found

    def from_image(self: merge_module.PageIndex, row: Row) -> merge_module.RowChange | None:
        found = change(self, row)
        if found is None:
            return None
        return dataclasses.replace(found, old=before.get((row.id, row.rev)))

    stack.enter_context(patch.object(fact_items, "stream_fact", remembering))
    stack.enter_context(patch.object(merge_module.PageIndex, "change", from_image))


def last_arrival_wins(stack: ExitStack) -> None:
    def change(self: merge_module.PageIndex, row: Row) -> merge_module.RowChange:
        index = self._index.get((row.id, row.time_ms))
        old = None if index is None else self._rows.row(index)
        return merge_module.RowChange(row, old, index)

    stack.enter_context(patch.object(merge_module.PageIndex, "change", change))


def equal_revision_counts_again(stack: ExitStack) -> None:
    original = merge_module.PageIndex.change

    def change(self: merge_module.PageIndex, row: Row) -> merge_module.RowChange | None:
        found = original(self, row)
        index = self._index.get((row.id, row.time_ms))
        if found is None and index is not None and int(self._revs[index]) == row.rev:
            return merge_module.RowChange(row, None, index)
        return found

    stack.enter_context(patch.object(merge_module.PageIndex, "change", change))


def old_row_is_forgotten(stack: ExitStack) -> None:
    original = merge_module.PageIndex.change

    def change(self: merge_module.PageIndex, row: Row) -> merge_module.RowChange | None:
        found = original(self, row)
        return None if found is None else dataclasses.replace(found, old=None)

    stack.enter_context(patch.object(merge_module.PageIndex, "change", change))


def tombstones_are_dropped(stack: ExitStack) -> None:
    """A deletion takes the row out of its page, so a late older version comes back to life."""
    original = merge_module.merge

    def merge(rows: Any, changes: Any) -> Any:
        merged = original(rows, changes)
        alive = [index for index, row in enumerate(merged) if row.record is not None]
        return merged.take(np.array(alive, dtype=np.intp))

    stack.enter_context(patch.object(apply_module, "merge", merge))


def day_edge_is_inclusive(stack: ExitStack) -> None:
    """`<=` for `<` where a day ends: midnight counts into the day before."""
    original = calendar.utc_day

    def utc_day(time_ms: int) -> str:
        return original(time_ms - (time_ms % _DAY_MS == 0))

    stack.enter_context(patch.object(contributions, "utc_day", utc_day))


def page_edge_is_inclusive(stack: ExitStack) -> None:
    """`<=` for `<` where a page ends: the row that begins the next one goes into this one too."""
    page_at = PageStore.page_at

    def at_edge(self: PageStore, record_type: str, position: str) -> Any:
        found = page_at(self, record_type, position)
        if found is not None and found.start == position and position > "0" * 32:
            before = page_at(self, record_type, position[:-1])
            return before or found
        return found

    def covers(self: tree_module.Page, position: str) -> bool:
        return self.start <= position <= self.end

    stack.enter_context(patch.object(tree_module.Page, "covers", covers))
    stack.enter_context(patch.object(PageStore, "page_at", at_edge))


def removal_is_a_deletion(stack: ExitStack) -> None:
    """A REMOVE record, by time-to-live or by hand, puts a tombstone into the page."""
    original = fact_items.stream_fact

    def stream_fact(record: Any) -> StreamFact | None:
        if record.get("eventName") == "REMOVE" and "rev" in record["dynamodb"]["OldImage"]:
            image = {
                "eventName": "INSERT",
                "dynamodb": {"NewImage": record["dynamodb"]["OldImage"]},
            }
            found = original(image)
            assert found is not None
            tombstone: Fact = dataclasses.replace(found.fact, rev=found.fact.rev + 1, record=None)
            return StreamFact(found.org_id, tombstone)
        return original(record)

    stack.enter_context(patch.object(fact_items, "stream_fact", stream_fact))


def failed_record_is_reported_as_success(stack: ExitStack) -> None:
    def respond(records: Any, result: Any) -> dict[str, Any]:
        return {"batchItemFailures": []}

    stack.enter_context(patch.object(stream_module, "partial_batch_response", respond))


def failed_record_instead_of_the_earliest_unapplied(stack: ExitStack) -> None:
    """What is reported is the record at which work failed: the last of its organisation."""

    def respond(records: Any, result: Any) -> dict[str, Any]:
        failed = {failure.org_id for failure in result.failures}
        numbers = [
            record["dynamodb"]["SequenceNumber"]
            for record in records
            if any(
                org_id is None
                or record["dynamodb"]["Keys"]["PK"]["S"].startswith(keys.org_prefix(org_id))
                for org_id in failed
            )
        ]
        reported = numbers[-1:] if failed else []
        return {"batchItemFailures": [{"itemIdentifier": number} for number in reported]}

    stack.enter_context(patch.object(stream_module, "partial_batch_response", respond))


def written_epochs_are_cached(stack: ExitStack) -> None:
    """An execution environment of the updater keeps the organisation that it read first."""
    original = Directory.organisation

    def organisation(self: Directory, org_id: str, meter: Any = None) -> Any:
        known = vars(self).setdefault("_known", {})
        if org_id not in known:
            known[org_id] = original(self, org_id, meter)
        return known[org_id]

    stack.enter_context(patch.object(Directory, "organisation", organisation))


def organisation_is_taken_from_the_path(stack: ExitStack) -> None:
    original = http_module.parse_event

    def parse_event(event: Any) -> Any:
        context = event["requestContext"]
        org_id = event["pathParameters"]["org_id"]
        authorizer = context["authorizer"] | {"org_id": org_id}
        return original(event | {"requestContext": context | {"authorizer": authorizer}})

    stack.enter_context(patch.object(endpoint_module, "parse_event", parse_event))


def retry_without_reading_again(stack: ExitStack) -> None:
    """On a conflict the same transaction is sent again, over whatever is there by then."""

    def again(send: Callable[..., dict[str, Any]], asked: dict[str, Any]) -> dict[str, Any]:
        try:
            return send(**asked)
        except ClientError as error:
            if error.response["Error"]["Code"] != "TransactionCanceledException":
                raise
            return send(**_unconditional(asked, "#LEDGER#"))

    _sending(stack, again)


def conflict_is_taken_for_done(stack: ExitStack) -> None:
    """A transaction that was refused counts as written."""
    original = PageStore.commit

    def commit(self: PageStore, transaction: Transaction) -> None:
        try:
            original(self, transaction)
        except Conflict:
            return

    stack.enter_context(patch.object(PageStore, "commit", commit))


def epoch_is_written_after_its_facts_are_listed(stack: ExitStack) -> None:
    """A rebuild lists the facts before the updater writes the epoch that they are for."""
    listed: dict[str, list[Fact]] = {}
    step, read = Rebuild._step, Rebuild._read

    def list_first(self: Rebuild, org_id: str, run: RebuildRun, *rest: Any) -> RebuildRun:
        if run.phase is Phase.ENTERING:
            listed[org_id], cursor = [], None
            while True:
                chunk = read(self, self._organisation(org_id), cursor, 1_000)
                listed[org_id] += chunk.facts
                cursor = chunk.cursor
                if cursor is None:
                    break
        return step(self, org_id, run, *rest)

    def from_list(self: Rebuild, organisation: Organisation, *_: Any) -> Any:
        return fact_chunks.Chunk(listed[organisation.id])

    stack.enter_context(patch.object(Rebuild, "_step", list_first))
    stack.enter_context(patch.object(Rebuild, "_read", from_list))


def comparison_does_not_wait_for_the_stream(stack: ExitStack) -> None:
    """What is on its way is reported as missing."""

    def hasty(**members: Any) -> Any:
        return Context(**members | {"grace_us": 0})

    stack.enter_context(patch.object(reconcile_module, "Context", hasty))


def organisation_blocks_its_shard(stack: ExitStack) -> None:
    """What no retry can apply comes back like what a retry can."""
    stack.enter_context(patch.object(client_module, "may_pass", lambda error: True))


def busy_store_is_taken_for_damage(stack: ExitStack) -> None:
    """What a retry would apply is quarantined."""
    stack.enter_context(patch.object(client_module, "may_pass", lambda error: False))


def unapplied_records_are_dropped(stack: ExitStack) -> None:
    """What no retry can apply counts as done, and nothing keeps it."""
    original = Update._set_aside

    def set_aside(self: Update, *rest: Any) -> None:
        if Cause.LEDGER not in rest:
            original(self, *rest)

    stack.enter_context(patch.object(Update, "_set_aside", set_aside))


def organisation_is_quarantined_whole(stack: ExitStack) -> None:
    """Beside a damaged page, what belongs into other pages is quarantined too."""
    stack.enter_context(patch.object(isolate_module, "MAX_ATTEMPTS", 1))


def old_place_is_forgotten(stack: ExitStack) -> None:
    """A fact that moves is written at its new position, and its old row stays."""
    original = writer_module.row_of

    def row_of(fact: Fact) -> Row:
        return dataclasses.replace(original(fact), left_behind=())

    stack.enter_context(patch.object(writer_module, "row_of", row_of))


def tombstone_has_a_transaction_of_its_own(stack: ExitStack) -> None:
    """The old row goes after the new one has come."""
    original = apply_module.Applier.apply

    def apply(self: apply_module.Applier, rows: Any) -> None:
        pairs = list(rows)
        original(self, [(type_, dataclasses.replace(row, left_behind=())) for type_, row in pairs])
        for type_, row in pairs:
            for dead in row.left_behind:
                original(self, [(type_, dead)])

    stack.enter_context(patch.object(apply_module.Applier, "apply", apply))


def _with_tombstones(stack: ExitStack, change: Callable[[Any, Row], Any]) -> None:
    """What `change` makes of each tombstone that is to be written where a fact has been."""
    original = apply_module.Applier._changes

    def changes(self: apply_module.Applier, work: Any, record_type: str, row: Row) -> Any:
        found = original(self, work, record_type, row)
        for page, (loaded, of_page) in list(found.items()):
            kept = [change(c, c.new) if c.new.time_ms != row.time_ms else c for c in of_page]
            found[page] = (loaded, [each for each in kept if each is not None])
        return {page: each for page, each in found.items() if each[1]}

    stack.enter_context(patch.object(apply_module.Applier, "_changes", changes))


def tombstone_has_the_old_revision(stack: ExitStack) -> None:
    """It has the revision of the row that it replaces, so a version in between comes back to life."""

    def with_old_revision(change: Any, dead: Row) -> Any:
        rev = change.old.rev if change.old is not None else 1
        return dataclasses.replace(change, new=dataclasses.replace(dead, rev=rev))

    _with_tombstones(stack, with_old_revision)


def tombstone_is_left_alone(stack: ExitStack) -> None:
    """Where there is a tombstone none is written, although the fact has been back since."""

    def unless_dead(change: Any, _dead: Row) -> Any:
        return None if change.old is not None and change.old.record is None else change

    _with_tombstones(stack, unless_dead)


def left_places_are_lost_on_the_next_change(stack: ExitStack) -> None:
    """A fact knows only the time that it left with this very version."""
    original = facts_module._place

    def place(stored: Fact | None, *rest: Any) -> Any:
        time_ms, left_behind = original(stored, *rest)
        if stored is not None and left_behind == stored.left_behind:
            return time_ms, ()
        return time_ms, left_behind

    stack.enter_context(patch.object(facts_module, "_place", place))


def key_of_a_merged_field_is_ignored(stack: ExitStack) -> None:
    """A field that a merge has set counts as set by the document."""
    stack.enter_context(patch.object(merging.State, "key", lambda self, _name: self.base))


def document_keeps_what_a_merge_has_set(stack: ExitStack) -> None:
    """A newer document does not replace the fields of an older merge."""
    original = merging.join

    def join(one: merging.State, other: merging.State) -> merging.State:
        joined = original(one, other)
        kept = {name: one.values[name] for name in one.merged if name in one.values}
        return dataclasses.replace(joined, values={**joined.values, **kept})

    stack.enter_context(patch.object(facts_module, "join", join))


def _merging_anyway(stack: ExitStack, *kinds: str) -> None:
    """Merges whose actions of some kinds have no condition."""

    def anyway(send: Callable[..., dict[str, Any]], asked: dict[str, Any]) -> dict[str, Any]:
        actions = asked["TransactItems"]
        is_merge = any("segment" in action.get("Put", {}).get("Item", {}) for action in actions)
        if is_merge:
            actions = [
                _without_condition(action) if action.keys() & set(kinds) else action
                for action in actions
            ]
        return send(**asked | {"TransactItems": actions})

    _sending(stack, anyway)


def merge_without_a_version_condition(stack: ExitStack) -> None:
    """Pages are merged as they were read, although they may have been written to meanwhile."""
    _merging_anyway(stack, "Put", "Delete")


def merge_without_the_version_of_its_first_page(stack: ExitStack) -> None:
    """A segment is put over the first of its pages, although that may have been written to."""
    _merging_anyway(stack, "Put")


def merge_without_the_versions_of_the_others(stack: ExitStack) -> None:
    """The other pages of a segment are removed, although they may have been written to."""
    _merging_anyway(stack, "Delete")


def page_is_kept_beside_its_segment(stack: ExitStack) -> None:
    """A writer that finds a segment for one row writes it beside an older copy of a page of it."""
    stack.enter_context(patch.object(Known, "overlaps", lambda *_: False))


def merge_drops_tombstones(stack: ExitStack) -> None:
    """A segment holds what queries count, and no more."""
    original = segments.joined

    def joined(record_type: str, pages: Any) -> Any:
        rows = original(record_type, pages)
        alive = [index for index, row in enumerate(rows) if row.record is not None]
        return rows.take(np.array(alive, dtype=np.intp))

    stack.enter_context(patch.object(merge_pages, "joined", joined))


def segment_keeps_its_identities(stack: ExitStack) -> None:
    """A segment that is split leaves its second item behind."""

    def part(send: Callable[..., dict[str, Any]], asked: dict[str, Any]) -> dict[str, Any]:
        actions = [
            action
            for action in asked["TransactItems"]
            if "#IDENTITIES#"
            not in action.get("Delete", {}).get("Key", {}).get("PK", {"S": ""})["S"]
        ]
        return send(**asked | {"TransactItems": actions})

    _sending(stack, part)


class _Forgetful(Epoch):
    """An epoch whose last bucket is not read."""

    @property
    def buckets(self) -> tuple[Bucket, ...]:
        return super().buckets[: max(1, self.bucket_count - 1)]


def reader_of_rollups_forgets_a_bucket(stack: ExitStack) -> None:
    original = RollupStore.read

    def read(self: RollupStore, epoch: Epoch, *asked: Any, **named: Any) -> Any:
        return original(self, _Forgetful(*epoch), *asked, **named)

    stack.enter_context(patch.object(RollupStore, "read", read))


def reader_of_days_forgets_a_bucket(stack: ExitStack) -> None:
    original = RollupStore.days

    def days(self: RollupStore, epoch: Epoch, *asked: Any, **named: Any) -> Any:
        return original(self, _Forgetful(*epoch), *asked, **named)

    stack.enter_context(patch.object(RollupStore, "days", days))


def reader_of_pages_forgets_a_bucket(stack: ExitStack) -> None:
    original = LedgerReader.pages

    def pages(self: LedgerReader, epoch: Epoch, *asked: Any, **named: Any) -> Any:
        return original(self, _Forgetful(*epoch), *asked, **named)

    stack.enter_context(patch.object(LedgerReader, "pages", pages))


def search_forgets_a_bucket(stack: ExitStack) -> None:
    original = at_once.begun_at_once

    def begun_at_once(executor: Any, streams: Any) -> Any:
        return original(executor, streams[: max(1, len(streams) - 1)])

    stack.enter_context(patch.object(search, "begun_at_once", begun_at_once))


def row_is_written_in_the_bucket_of_another_number(stack: ExitStack) -> None:
    """A rebuild into another number of buckets, and the updater keeps to the old one."""
    original = Organisation.epoch

    def epoch(self: Organisation, number: int) -> Epoch:
        return original(self, self.live)._replace(number=number)

    stack.enter_context(patch.object(Organisation, "epoch", epoch))


MUTANTS: tuple[Planted, ...] = (
    rollups_without_the_page,
    page_without_its_version_condition,
    delta_from_the_streams_old_image,
    last_arrival_wins,
    equal_revision_counts_again,
    old_row_is_forgotten,
    tombstones_are_dropped,
    day_edge_is_inclusive,
    page_edge_is_inclusive,
    removal_is_a_deletion,
    failed_record_is_reported_as_success,
    failed_record_instead_of_the_earliest_unapplied,
    rollup_without_its_version_condition,
    stale_rollup_is_written,
    breakdown_is_dropped_without_a_mark,
    marks_go_with_a_breakdown_that_is_in_use,
    written_epochs_are_cached,
    organisation_is_taken_from_the_path,
    retry_without_reading_again,
    conflict_is_taken_for_done,
    epoch_is_written_after_its_facts_are_listed,
    comparison_does_not_wait_for_the_stream,
    organisation_blocks_its_shard,
    busy_store_is_taken_for_damage,
    unapplied_records_are_dropped,
    organisation_is_quarantined_whole,
    old_place_is_forgotten,
    tombstone_has_a_transaction_of_its_own,
    tombstone_has_the_old_revision,
    tombstone_is_left_alone,
    left_places_are_lost_on_the_next_change,
    key_of_a_merged_field_is_ignored,
    document_keeps_what_a_merge_has_set,
    merge_without_a_version_condition,
    merge_without_the_version_of_its_first_page,
    merge_without_the_versions_of_the_others,
    page_is_kept_beside_its_segment,
    merge_drops_tombstones,
    segment_keeps_its_identities,
    reader_of_rollups_forgets_a_bucket,
    reader_of_days_forgets_a_bucket,
    reader_of_pages_forgets_a_bucket,
    search_forgets_a_bucket,
    row_is_written_in_the_bucket_of_another_number,
    *HOOK_MUTANTS,
)


@contextmanager
def planted(mutant: Planted) -> Iterator[None]:
    """The product with one fault."""
    with ExitStack() as stack:
        mutant(stack)
        yield
