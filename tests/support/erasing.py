"""A small deployment in memory to erase in, and a look into every byte that it stores."""

from __future__ import annotations

import contextlib
import itertools
import zlib
from collections.abc import Callable, Collection, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from rollcall.domain.contributions import CURRENT_VERSION, ContributionFunction
from rollcall.domain.epochs import Bucket
from rollcall.domain.organisations import Organisation, tenant
from rollcall.ingest.ingest import Ingest
from rollcall.ingest.update import Update
from rollcall.ledger.apply import Applier
from rollcall.ledger.writer import ApplyFacts
from rollcall.maintenance.delete_organisation import DeleteOrganisation
from rollcall.maintenance.erase import Erase, Erasure, Stores
from rollcall.maintenance.erasure_preview import PreviewErasure
from rollcall.maintenance.merge_pages import Merged, MergePages
from rollcall.retry import Backoff
from rollcall.storage.accounts import Directory
from rollcall.storage.client import may_pass
from rollcall.storage.epochs import EpochContents
from rollcall.storage.fact_items import stream_fact
from rollcall.storage.facts import FactStore
from rollcall.storage.hook_states import HookStates
from rollcall.storage.merging import PageMerging
from rollcall.storage.page_scan import PageScan
from rollcall.storage.pages import PageStore
from rollcall.storage.purge import Purge
from tests.support.emulator.client import MemoryClient
from tests.support.emulator.dynamodb import MemoryDynamoDb
from tests.support.parsing import parsed
from tests.support.rollup_items import marks_of, measures_of

RECORDS, ANALYTICS = "rollcall-records", "rollcall-analytics"
BACKOFF = Backoff(tries=30, first_seconds=0.001, sleep=lambda _seconds: None)
START_US = 1_800_000_000_000_000


class Quarantine:
    """What the updater could not make sense of."""

    def __init__(self) -> None:
        self.kept: list[tuple[Any, str]] = []

    def put(self, records: Any, reason: str) -> str:
        self.kept += [(record, reason) for record in records]
        return f"quarantine/{len(self.kept)}.json"


class Deployment:
    """Rollcall on a client; of a store in memory the stream is there too.

    Time passes by a second at every look at the clock, and as long as a sleep.
    """

    def __init__(self, client: Any = None, target_bytes: int = 1_024) -> None:
        self.store = MemoryDynamoDb()
        self.store.on_write = self._written
        self.client = client or MemoryClient(self.store)
        self.stream: list[dict[str, Any]] = []
        self.slept: list[float] = []
        self.seconds = 0.0
        self.ticks = itertools.count()
        self.failed_objects: list[str] = []
        self.quarantine = Quarantine()
        self.directory = Directory(self.client, RECORDS, BACKOFF)
        self.facts = FactStore(self.client, RECORDS, self.now_us, BACKOFF)
        self.purge = Purge(self.client, RECORDS, ANALYTICS, BACKOFF)

        def writer(bucket: Bucket, contribute: ContributionFunction) -> Applier:
            pages = PageStore(self.client, ANALYTICS, bucket, self.now_ms, BACKOFF)
            return Applier(pages, contribute, target_bytes=target_bytes, backoff=BACKOFF)

        self.apply_facts = ApplyFacts(writer)
        self.update = Update(
            self.directory, self.apply_facts, stream_fact, self.quarantine, may_pass
        )
        stores = Stores(
            self.directory,
            self.facts,
            self.apply_facts,
            PageScan(self.client, ANALYTICS, BACKOFF),
            EpochContents(self.client, ANALYTICS, BACKOFF),
            self.now_us,
        )
        self.hook_states = HookStates(self.client, RECORDS, BACKOFF)
        self.erases = Erase(stores, self.mentions, self.hook_states.forget)
        self.preview = PreviewErasure(stores, self.mentions)
        self.merges = PageMerging(self.client, ANALYTICS, BACKOFF)
        self.deletes = DeleteOrganisation(
            self.directory, self.purge, self.mentions, self.now_ms, self.sleep
        )

    def now_us(self) -> int:
        return START_US + round(self.seconds * 1e6) + next(self.ticks) * 1_000_000

    def now_ms(self) -> int:
        return self.now_us() // 1_000

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.seconds += seconds

    def mentions(self, org_id: str, lead_id: str | None, calls: Collection[str]) -> Iterator[str]:
        del org_id, lead_id, calls
        yield from self.failed_objects

    def _written(self, table: str, before: Any, after: Any) -> None:
        image = after or before
        if table == RECORDS and image["SK"]["S"].startswith("FACT#"):
            keys = {name: image[name] for name in ("PK", "SK")}
            images = {"OldImage": before} if before else {}
            images |= {"NewImage": after} if after else {}
            kind = "REMOVE" if after is None else "MODIFY" if before else "INSERT"
            self.stream.append({"eventName": kind, "dynamodb": {"Keys": keys, **images}})

    # -- what a deployment does ----------------------------------------------------------------
    def organisation(
        self, handle: str = "acme", buckets: int = 2, ledgers: int = 1
    ) -> Organisation:
        """A new one: its facts have `buckets` shards, and its epoch `ledgers` buckets."""
        created = Organisation(
            f"org#{handle}",
            handle,
            handle.title(),
            self.now_ms(),
            buckets=buckets,
            bucket_counts={0: ledgers} if ledgers > 1 else {},
        )
        self.directory.create_organisation(created)
        return created

    def write_epochs(self, organisation: Organisation, *epochs: int, live: int = 0) -> None:
        changed = Organisation(
            organisation.id,
            organisation.handle,
            organisation.name,
            organisation.created_at_ms,
            organisation.buckets,
            live,
            epochs,
            dict.fromkeys(epochs, CURRENT_VERSION),
        )
        read = self.directory.organisation(organisation.id)
        assert read is not None
        self.directory.change_epochs(read, changed)

    def put(self, organisation: Organisation, *records: dict[str, Any]) -> None:
        """Store records as ingest does."""
        with tenant(organisation.id), ThreadPoolExecutor(1) as executor:
            ingest = Ingest(self.directory, self.facts, executor, self.now_us)
            receipt = ingest(organisation.id, list(enumerate(map(parsed, records))))
            assert receipt.refusals == []

    def drain(self) -> None:
        """Let the updater have all that it was not given yet."""
        records, self.stream = self.stream, []
        assert self.update(records).earliest_unapplied is None

    def merge(self, organisation: Organisation, segment_bytes: int = 2_000) -> Merged:
        """Merge all pages that are not the last one of their ledger, as if they were at rest."""
        merging = MergePages(
            self.directory,
            self.merges,
            self.now_ms,
            cold_after_hours=0,
            segment_bytes=segment_bytes,
        )
        merged = merging.organisation(organisation)
        assert (merged.error, merged.is_finished) == (None, True)
        return merged

    def erase(self, handle: str, lead_id: str) -> Erasure:
        return self.erases(handle, lead_id)

    # -- what is stored ------------------------------------------------------------------------
    def items(self, table: str) -> Iterator[dict[str, dict[str, Any]]]:
        yield from self.store.all_items(table)

    def bytes_of(self, table: str) -> bytes:
        return stored_bytes(self.items(table))

    def rollups(self) -> dict[tuple[str, str], dict[str, int]]:
        """The counts of every rollup by its key, those that are zero left out."""
        found = {}
        for item in self.items(ANALYTICS):
            if not {"LEDGER", "IDENTITIES"} & set(item["PK"]["S"].split("#")):
                found[item["PK"]["S"], item["SK"]["S"]] = measures_of(item)
        return found

    def spilled(self) -> set[tuple[str, str]]:
        return {
            (item["PK"]["S"], item["SK"]["S"]) for item in self.items(ANALYTICS) if marks_of(item)
        }


def stored_bytes(items: Iterable[dict[str, Any]]) -> bytes:
    """Every byte of every item, what is compressed both as it is and inflated."""
    return b"\n".join(b"\n".join(_bytes_of(item)) for item in items)


def _bytes_of(value: Any) -> Iterator[bytes]:
    match value:
        case dict():
            for name, inner in value.items():
                yield name.encode()
                yield from (
                    _breakdown(name, inner) if _is_breakdown(name, inner) else _bytes_of(inner)
                )
        case list() | tuple():
            for inner in value:
                yield from _bytes_of(inner)
        case bytes():
            yield value
            yield from inflated(value)
        case _:
            yield str(value).encode()


def _is_breakdown(name: str, attribute: Any) -> bool:
    return len(name) == 1 and isinstance(attribute, dict) and "B" in attribute


def _breakdown(name: str, attribute: dict[str, bytes]) -> Iterator[bytes]:
    yield attribute["B"]
    yield "\n".join(measures_of({name: attribute})).encode()


def inflated(content: bytes) -> Iterator[bytes]:
    """What a detail holds, which is zlib's; a column of a segment, or a page's after nine bytes."""
    if content[:1] == b"x":
        yield zlib.decompress(content)
        return
    with contextlib.suppress(zlib.error):
        column = zlib.decompressobj(-15)
        text = column.decompress(content)
        if column.eof and not column.unused_data:
            yield text
            return
    rest = content[9:]
    while rest:
        stream = zlib.decompressobj(-15)
        yield stream.decompress(rest)
        assert stream.eof
        rest = stream.unused_data


class Killed(BaseException):
    """The process ended here; nothing in it may go on."""


def kill_at(client: MemoryClient, moment: int, *, is_made: bool) -> Callable[[], bool]:
    """Let the process end at its request number `moment`, made or not; gives whether it did."""
    requests = itertools.count()
    died: list[bool] = []

    def around(_operation: str, send: Callable[[], dict[str, Any]]) -> dict[str, Any]:
        if next(requests) == moment:
            died.append(True)
            if is_made:
                send()
            raise Killed
        return send()

    client.around = around
    return lambda: bool(died)


def stop_killing(client: MemoryClient) -> None:
    client.around = lambda _operation, send: send()
