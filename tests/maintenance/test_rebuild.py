"""A rebuild step by step: killed at every request, taken over, refused, of another release's making."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from itertools import count, islice
from pathlib import Path
from typing import Any

import pytest

from rollcall.domain.errors import InvalidOperation, UnknownContribution
from rollcall.domain.organisations import Organisation
from rollcall.maintenance.rebuild import ProgressObserver
from rollcall.maintenance.rebuilds import Phase, RebuildRun
from rollcall.settings import BadSetting, Settings
from rollcall.storage import keys
from rollcall.storage.accounts import item_of_organisation
from rollcall_cli import rebuild_command
from rollcall_cli.durations import duration_ms
from rollcall_cli.local.intrinsics import read_yaml
from tests.support.builders import call, full_call, lead, room, space, task, workspace
from tests.support.emulator.client import client_error
from tests.support.rebuilding import (
    ANALYTICS,
    BACKOFF,
    CURRENT,
    NEXT,
    NOW_MS,
    PATIENCE,
    RECORDS,
    CountedRequests,
    Killed,
    Request,
    World,
    counted_otherwise,
    release,
)

RECORDS_AT_FIRST = [
    space(),
    full_call(),
    *(call(f"call-{n}", space_token="space-1", cost=n, status="failed") for n in range(2, 6)),
    task("t1", space_token="space-1"),
    task("t2"),
    lead("lead-1", status="FINISHED", converted=True),
    workspace(),
    room("room-1"),
    call("call-4", started_at="2024-03-05T09:00:00Z"),
    {"type": "call", "id": "call-2", "deleted": True},
    {"type": "call", "id": "never seen", "deleted": True},
]
RECORDS_LATER = [
    call("late", cost=7, space_token="space-1", started_at="2024-03-04T01:00:00Z"),
    call("call-3", status="completed", updated_at="2026-01-01T00:00:00Z"),
    call("call-4", started_at="2024-03-07T09:00:00Z"),
    call("call-5", started_at="2024-03-07T09:00:00Z"),
    task("t3"),
    {"type": "lead", "id": "lead-1", "deleted": True},
]


def made(**options: object) -> World:
    world = World(**options)  # type: ignore[arg-type]
    world.put(RECORDS_AT_FIRST)
    world.assert_exact(0)
    return world


# ------------------------------------------------------------------ from begin to end


def test_the_next_epoch_is_exact_and_nothing_else_is_left() -> None:
    world = made()
    facts = len(world.stored_facts())  # one has two rows, and the one without a time has none
    run = world.command()
    world.assert_rebuilt(1)
    assert (run.facts, run.rows, run.damaged) == (facts, facts - 1, 0)
    assert (run.old_epoch, run.epoch, run.old_version, run.version) == (0, 1, CURRENT, CURRENT)
    assert run.cursor is None
    world.put(RECORDS_LATER)
    world.assert_exact(1)
    world.command()
    world.assert_rebuilt(2)


def test_a_rebuild_changes_the_number_of_buckets() -> None:
    world = made()
    for epoch, buckets in enumerate((3, 16, 1, None, 2, None), start=1):
        before = world.organisation.epoch(world.organisation.live).bucket_count
        run = world.command(buckets=buckets)
        world.assert_rebuilt(epoch)
        assert run.buckets == (buckets or before)
        # Nothing is left of the numbers of other epochs, and one bucket is not worth an attribute.
        several = {} if run.buckets == 1 else {epoch: run.buckets}
        assert world.organisation.bucket_counts == several
        places = {
            keys.bucket_of(world.organisation.epoch(epoch), _pk(i)) for i in world.items(epoch)
        }
        assert None not in places
        assert (len(places) > 1) == (run.buckets > 1)
        world.put([call(f"new {epoch}", space_token="space-1")])
        world.assert_exact(epoch)


def _pk(item: dict[str, Any]) -> str:
    return str(item["PK"]["S"])


def test_records_come_in_while_the_number_of_buckets_changes() -> None:
    world, late = made(), iter(RECORDS_LATER)

    def around(_operation: str, send: Request) -> dict[str, Any]:
        answer = send()
        for record in islice(late, 1):
            world.put([record])
        return answer

    world.around = around
    world.command(buckets=4, timeouts=replace(PATIENCE, chunk_facts=2))
    assert next(late, None) is None
    world.assert_rebuilt(1)


def test_an_unfinished_rebuild_into_another_number_is_abandoned_until_it_is_live() -> None:
    world = made()
    rebuild = world.new_rebuild()
    begun = rebuild.begin(world.org_id, 3)
    assert rebuild.begin(world.org_id).epoch == begun.epoch
    assert rebuild.begin(world.org_id, 3).epoch == begun.epoch
    other = rebuild.begin(world.org_id, 5)
    assert (other.epoch, other.buckets) == (begun.epoch + 1, 5)
    live = rebuild.go_on(world.org_id, other, PATIENCE)
    assert live.is_live
    with pytest.raises(InvalidOperation, match="a rebuild into 5 buckets is unfinished"):
        rebuild.begin(world.org_id, 3)
    world.run_to_its_end(rebuild, rebuild.begin(world.org_id))
    world.assert_rebuilt(other.epoch)


def test_an_organisation_without_facts_has_a_next_epoch_too() -> None:
    world = World()
    world.command()
    world.assert_rebuilt(1)


@pytest.mark.parametrize("chunk_facts", [1, 2, 5, 1_000])
@pytest.mark.parametrize("buckets", [1, 3])
def test_whatever_is_copied_at_a_time(chunk_facts: int, buckets: int) -> None:
    world = made(buckets=buckets)
    world.command(timeouts=replace(PATIENCE, chunk_facts=chunk_facts))
    world.assert_rebuilt(1)


def test_it_waits_for_readers_and_for_writers() -> None:
    world = made()
    seen: dict[Phase, int] = {}

    def show(run: RebuildRun) -> None:
        seen.setdefault(run.phase, world.now_ms)
        organisation = world.organisation
        if run.phase is Phase.OVERLAPPING:
            assert (organisation.live, organisation.written) == (1, (1, 0))
        if run.phase is Phase.SETTLING:
            assert (organisation.live, organisation.written) == (1, (1,))
            assert 0 in world.epochs()

    world.command(ProgressObserver(show))
    assert seen[Phase.SETTLING] - seen[Phase.OVERLAPPING] == PATIENCE.grace_ms
    assert seen[Phase.REMOVING] - seen[Phase.SETTLING] == PATIENCE.settle_ms
    assert seen[Phase.DONE] - seen[Phase.REMOVING] == 2 * PATIENCE.look_again_ms


def test_no_grace_is_shorter_than_a_gateway_remembers() -> None:
    hasty = replace(PATIENCE, grace_ms=0, settle_ms=0)
    assert hasty.is_grace_raised
    assert not PATIENCE.is_grace_raised
    world = made()
    seen: dict[Phase, int] = {}
    world.command(ProgressObserver(lambda run: seen.setdefault(run.phase, world.now_ms)), hasty)
    assert seen[Phase.SETTLING] - seen[Phase.OVERLAPPING] == hasty.authorizer_cache_ms
    assert seen[Phase.REMOVING] - seen[Phase.SETTLING] == hasty.longest_answer_ms


def test_a_command_that_goes_on_waits_the_rest_only() -> None:
    world = made()
    run = world.rebuild.begin(world.org_id)
    run = world.rebuild.go_on(world.org_id, run, PATIENCE)
    assert run.phase is Phase.OVERLAPPING
    world.now_ms += PATIENCE.grace_ms - 10
    again = world.rebuild.begin(world.org_id)
    assert world.rebuild.due_ms(again, PATIENCE) == world.now_ms + 10


def test_what_the_index_names_late_is_removed_too() -> None:
    world = made()
    added: list[int] = []

    def late_writer(run: RebuildRun) -> None:
        if run.empty_since_ms is not None and not run.is_done and not added:
            # An invocation that still knew the old epoch wrote just now.
            old = replace(world.organisation, written=(0,), contributions={0: CURRENT})
            world.apply_facts(old, world.ingest([call("late")]))
            world.update(world.ingest([call("late", status="busy")]))
            added.append(1)

    world.command(ProgressObserver(late_writer))
    assert added
    world.assert_rebuilt(1)


# ------------------------------------------------------------------ crashes


def requests_of_a_rebuild() -> int:
    world = made()
    counted = world.around = CountedRequests()
    world.command()
    return counted.count


@pytest.mark.slow
def test_killed_at_every_request_it_goes_on_and_is_exact() -> None:
    total = requests_of_a_rebuild()
    assert total > 80
    for kill_at in range(total):
        for is_made in (False, True):
            world = made()
            world.around = CountedRequests(kill_at, is_made)
            with pytest.raises(Killed):
                world.command()
            brought = world.ingest(RECORDS_LATER)
            world.around = lambda _operation, send: send()
            if kill_at % 2:
                world.update(brought)
                world.command()
            else:
                world.command()
                world.update(brought)
            world.assert_rebuilt(world.organisation.live)


def test_killed_again_and_again_it_comes_to_an_end() -> None:
    world = made()
    runs = []
    for kill_at in count(7):
        world.around = CountedRequests(kill_at)
        try:
            runs.append(world.command())
        except Killed:
            continue
        break
    assert runs[0].epoch == 1
    world.assert_rebuilt(1)


@pytest.mark.slow
def test_the_count_of_what_was_copied_survives_crashes() -> None:
    total = requests_of_a_rebuild()
    facts = len(made().stored_facts())
    for kill_at in range(0, total, 5):
        world = made()
        world.around = CountedRequests(kill_at, is_made=True)
        with pytest.raises(Killed):
            world.command()
        world.around = lambda _operation, send: send()
        assert world.command().facts == facts


def test_stopped_after_any_step_it_says_where_it_goes_on() -> None:
    world = made()
    for steps in count(1):
        left = iter(range(steps))
        stop = ProgressObserver(wants_to_stop=lambda left=left: next(left, None) is None)
        run = world.command(stop)
        if run.is_done:
            break
        stored = world.rebuilds.read(world.org_id)
        assert stored == run
    assert run.epoch == 1
    world.assert_rebuilt(1)


@pytest.mark.slow
def test_a_store_that_is_busy_for_long_holds_it_up_and_no_more() -> None:
    world = made()
    refusals = iter(range(3 * BACKOFF.tries))

    def around(operation: str, send: Request) -> dict[str, Any]:
        if operation == "TransactWriteItems" and next(refusals, None) is not None:
            raise client_error(operation, 400, {"__type": "x#TransactionConflictException"})
        return send()

    world.around = around
    world.command()
    assert next(refusals, None) is None
    world.assert_rebuilt(1)


def test_another_transactions_moment_is_no_other_command() -> None:
    """A save that is refused while the state is still this run's is made again."""
    world = made()
    requests = count()

    def around(operation: str, send: Request) -> dict[str, Any]:
        if operation in ("PutItem", "UpdateItem") and next(requests) % 3:
            raise client_error(operation, 400, {"__type": "x#TransactionConflictException"})
        return send()

    world.around = around
    assert world.command().is_done
    world.assert_rebuilt(1)


# ------------------------------------------------------------------ two commands


def test_a_second_command_takes_over_and_the_first_one_stops() -> None:
    for requests in range(4, requests_of_a_rebuild() - 1, 9):
        world = made()
        first = world.new_rebuild()
        counted = CountedRequests(requests)
        world.around = counted
        run = first.begin(world.org_id)
        with suppress(Killed):
            world.run_to_its_end(first, run)
        world.around = lambda _operation, send: send()
        second = world.new_rebuild()
        taken = second.begin(world.org_id)
        with pytest.raises(InvalidOperation, match="taken over the rebuild of acme"):
            world.run_to_its_end(first, run)
        world.put(RECORDS_LATER)
        assert world.run_to_its_end(second, taken).is_done
        world.assert_rebuilt(world.organisation.live)


@pytest.mark.slow
def test_one_that_was_left_behind_changes_nothing_of_a_later_rebuild() -> None:
    """It stops at each of its requests, and meanwhile a later rebuild runs, in part or to its end."""
    for requests in range(requests_of_a_rebuild()):
        world = made()
        is_over = False

        def meanwhile(world: World = world) -> None:
            other = world.new_rebuild()
            world.command()  # takes over, or is the first, and ends it
            halted: list[RebuildRun] = []

            def show(run: RebuildRun) -> None:
                if run.facts >= 4:
                    halted.append(run)

            run = other.begin(world.org_id)
            other.go_on(
                world.org_id,
                run,
                PATIENCE,
                ProgressObserver(show, wants_to_stop=lambda: bool(halted)),
            )

        seen = count()

        def around(_operation: str, send, seen=seen, requests=requests, world=world):
            nonlocal is_over
            if next(seen) == requests:
                world.around = lambda _operation, send: send()
                meanwhile()
                is_over = True
            return send()

        world.around = around
        try:
            world.command()
        except InvalidOperation as refused:
            assert "taken over the rebuild of acme" in str(refused)  # noqa: PT017
        assert is_over
        world.put(RECORDS_LATER)
        world.assert_exact(world.organisation.live)
        world.command()
        world.assert_rebuilt(world.organisation.live)


# ------------------------------------------------------------------ numbers


def test_no_number_comes_twice() -> None:
    world = made()
    assert [world.command().epoch for _ in range(3)] == [1, 2, 3]
    # The organisation's item alone does not remember an epoch that was given up.
    given_up = RebuildRun("gone", Phase.COPYING, 9, 77, 3, 1, NOW_MS)
    world.rebuilds.begin(world.org_id, given_up, replacing=world.rebuilds.read(world.org_id))
    assert world.command().epoch == 10
    world.assert_rebuilt(10)


def test_a_number_under_which_something_lies_is_passed_over() -> None:
    world = made()
    for epoch in (1, 2):
        left = replace(world.organisation, written=(epoch,), contributions={epoch: 1})
        world.apply_facts(left, world.ingest([call(f"stray {epoch}")]))
    world.update(world.ingest([call("stray 1", status="busy"), call("stray 2", status="busy")]))
    assert world.command().epoch == 3
    world.assert_rebuilt(3)


@pytest.mark.parametrize("steps", [1, 2, 4, 6, 8, 10])
def test_a_run_whose_state_is_lost_starts_again_and_its_traces_go(steps: int) -> None:
    world = made()
    left = iter(range(steps))
    world.command(ProgressObserver(wants_to_stop=lambda: next(left, None) is None))
    key = keys.rebuild(world.org_id)
    assert world.purge.remove(world.org_id, [key]) == 1
    world.put(RECORDS_LATER)
    run = world.command()
    world.assert_rebuilt(run.epoch)


# ------------------------------------------------------------------ damaged facts


def test_a_damaged_fact_is_named_and_counted_and_in_no_figure() -> None:
    world = made()
    item = {"PK": {"S": keys.facts(world.org_id, "call", 0)}, "SK": {"S": "FACT#broken"}}
    world.store.put(RECORDS, item | {"time_ms": {"S": "soon"}})
    run = world.command()
    assert (run.damaged, world.damaged) == (1, [("call", "FACT#broken")])
    world.assert_rebuilt(1)


# ------------------------------------------------------------------ organisations that go


def test_an_unknown_handle_is_refused() -> None:
    with pytest.raises(InvalidOperation, match="no organisation has the handle 'unknown'"):
        World().rebuild.named("unknown")
    assert World().rebuild.named("acme").id == "org#1"


def mark_deleting(world: World) -> None:
    key = keys.organisation(world.org_id)
    world.store.put(
        RECORDS, item_of_organisation(key, replace(world.organisation, is_deleting=True))
    )


@pytest.mark.slow
def test_one_that_is_being_deleted_is_left_alone_at_once() -> None:
    for requests in range(0, requests_of_a_rebuild(), 3):
        world = made()
        seen = count()
        written: list[str] = []

        def around(
            operation: str, send, seen=seen, requests=requests, world=world, written=written
        ):
            number = next(seen)
            if number == requests:
                mark_deleting(world)
            if number > requests and operation not in ("GetItem", "Query", "BatchGetItem"):
                written.append(operation)
            return send()

        world.around = around
        try:
            world.command()
        except InvalidOperation as refused:
            assert "is being deleted" in str(refused)  # noqa: PT017
        # What was under way may be written, a slice of rows and the state; no new step is begun.
        assert written.count("TransactWriteItems") <= 12
        assert written.count("UpdateItem") <= 1
        assert written.count("PutItem") <= 2
    assert World().rebuild.all() != []
    assert world.rebuild.all() == world.rebuild.outdated() == []
    with pytest.raises(InvalidOperation, match="is being deleted"):
        world.rebuild.begin(world.org_id)


# ------------------------------------------------------------------ contribution versions


@pytest.fixture
def world_of_another_release() -> Iterator[World]:
    with release(CURRENT, CURRENT):
        world = made()
    with release(NEXT, CURRENT, NEXT):
        yield world


def test_each_epoch_is_written_with_its_own_version(world_of_another_release: World) -> None:
    world = world_of_another_release
    assert world.rebuild.outdated() == [world.organisation]
    phases: set[Phase] = set()
    numbers = count()

    def show(run: RebuildRun) -> None:
        phases.add(run.phase)
        organisation = world.organisation
        assert {e: organisation.contributions[e] for e in organisation.written} == {
            epoch: (CURRENT, NEXT)[epoch] for epoch in organisation.written
        }
        number = next(numbers)
        world.put([call(f"meanwhile {number}", cost=number), task(f"meanwhile {number}")])
        if 0 in organisation.written:
            world.assert_exact(0)
        if run.switched_at_ms is not None:
            world.assert_exact(1, counted_otherwise(world.oracle.rollups()))

    run = world.command(ProgressObserver(show))
    assert phases >= set(Phase) - {Phase.ENTERING}
    world.assert_rebuilt(1, counted_otherwise(world.oracle.rollups()))
    assert counted_otherwise(world.oracle.rollups()) != world.oracle.rollups()
    assert (run.old_version, run.version) == (CURRENT, NEXT)
    assert world.rebuild.outdated() == []


def test_an_epoch_that_this_release_cannot_write_is_replaced(
    world_of_another_release: World,
) -> None:
    """The updater refuses it, so records wait until the next epoch is live."""
    world = world_of_another_release
    before = world.organisation
    with release(NEXT, NEXT):
        waiting = world.ingest(RECORDS_LATER)
        with pytest.raises(UnknownContribution):
            world.update(waiting)
        run = world.rebuild.begin(world.org_id)
        assert not world.rebuild.is_old_epoch_written(run)
        live_at_once: list[Organisation] = []

        def show(run: RebuildRun) -> None:
            if run.phase in (Phase.COPYING, Phase.SWITCHING):
                # It stays among those that are written: a release that goes back finds it whole.
                assert world.organisation.written == (1, 0)
                with pytest.raises(UnknownContribution):
                    world.update(waiting)
            if run.phase is Phase.OVERLAPPING:
                live_at_once.append(world.organisation)
                world.update(waiting)

        world.command(ProgressObserver(show))
        assert live_at_once == [replace(before, live=1, written=(1,), contributions={1: NEXT})]
        world.assert_rebuilt(1, counted_otherwise(world.oracle.rollups()))


def test_a_release_in_the_middle_starts_again() -> None:
    with release(CURRENT, CURRENT):
        world = made()
        steps = iter(range(4))
        run = world.command(ProgressObserver(wants_to_stop=lambda: next(steps, None) is None))
        assert run.phase is Phase.COPYING
    with release(NEXT, CURRENT, NEXT):
        assert world.command().epoch == 2
        world.assert_rebuilt(2, counted_otherwise(world.oracle.rollups()))


def test_a_release_that_goes_back_drops_what_it_cannot_write() -> None:
    with release(CURRENT, CURRENT):
        world = made()
    with release(NEXT, CURRENT, NEXT):
        steps = iter(range(4))
        world.command(ProgressObserver(wants_to_stop=lambda: next(steps, None) is None))
        assert world.organisation.written == (1, 0)
    with release(CURRENT, CURRENT):
        assert world.command().epoch == 2
        world.assert_rebuilt(2)


def test_once_it_is_live_it_is_ended_by_any_release() -> None:
    with release(CURRENT, CURRENT):
        world = made()
        run = world.rebuild.begin(world.org_id)
        run = world.rebuild.go_on(world.org_id, run, PATIENCE)
        assert run.is_live
    with release(NEXT, CURRENT, NEXT):
        assert world.command().epoch == 1
        world.assert_rebuilt(1)
        assert world.rebuild.outdated() == [world.organisation]


# ------------------------------------------------------------------ the deployment


def test_it_waits_for_what_the_template_says() -> None:
    """A gateway's memory, and the longest that a function which writes analytics may run."""
    path = Path(__file__).parents[2] / "template.yaml"
    template = read_yaml(path.read_text(encoding="utf-8"))
    caches = [
        authorizer["Identity"]["ReauthorizeEvery"]
        for each in template["Resources"].values()
        if each["Type"] == "AWS::Serverless::Api"
        for authorizer in each["Properties"]["Auth"]["Authorizers"].values()
    ]
    assert caches == [Settings().authorizer_cache_seconds]
    writers = {
        each["Properties"]["CodeUri"]: each["Properties"]["Timeout"]
        for each in template["Resources"].values()
        if each["Type"] == "AWS::Serverless::Function"
        for statement in _statements(template["Resources"][_role_of(each)])
        if "dynamodb:PutItem" in statement["Action"] and "Analytics" in str(statement["Resource"])
    }
    writing = ("merge_pages", "reconcile_organisations", "update_rollups")
    assert writers.keys() == {f"functions/{name}" for name in writing}
    settle = inspect.signature(rebuild_command.rebuild).parameters["settle"].default
    assert duration_ms(settle, "--settle") >= 1_000 * max(writers.values())


def _role_of(function: dict[str, Any]) -> str:
    return str(function["Properties"]["Role"]["Fn::GetAtt"]).removesuffix(".Arn")


def _statements(value: Any) -> Iterator[dict[str, Any]]:
    """The statements of a role's own policies, those under a condition included."""
    if isinstance(value, dict) and "Effect" in value:
        yield value
    elif isinstance(value, dict | list):
        for each in value.values() if isinstance(value, dict) else value:
            yield from _statements(each)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("ROLLCALL_AUTHORIZER_CACHE_SECONDS", "3601"),
        ("ROLLCALL_LONGEST_ANSWER_SECONDS", "-1"),
        ("ROLLCALL_REBUILD_CHUNK_FACTS", "0"),
    ],
)
def test_a_bad_setting_is_named(name: str, text: str) -> None:
    with pytest.raises(BadSetting, match=name):
        Settings.from_environment({name: text})


# ------------------------------------------------------------------ the bar


def test_the_rows_to_copy_are_those_of_the_live_epoch() -> None:
    world = made()
    assert world.rebuild.expected_rows(world.organisation) == len(world.rows(0))
    assert sum(1 for _ in world.store.all_items(ANALYTICS)) > 0
