"""Organisations, their handles and their tokens, as items of the records table."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from rollcall.domain.epochs import MAX_BUCKETS
from rollcall.domain.errors import Conflict, Unavailable
from rollcall.domain.organisations import Organisation, Token, tenant
from rollcall.query.metering import ReadMeter
from rollcall.retry import Backoff
from rollcall.storage import attributes as av
from rollcall.storage import keys
from rollcall.storage.attributes import Attribute, Item
from rollcall.storage.client import translated_errors, with_retries
from rollcall.storage.conditions import ITEM_EXISTS, attribute_equals, item_absent
from rollcall.storage.queries import batch_get, consumed_units, index_keys


class Directory:
    """Organisations, handles and tokens."""

    def __init__(self, client: Any, table: str, backoff: Backoff) -> None:
        self._client = client
        self._table = table
        self._backoff = backoff

    # -- organisations -----------------------------------------------------------------------
    def organisation(self, org_id: str, meter: ReadMeter | None = None) -> Organisation | None:
        """One organisation, read consistently."""
        with tenant(org_id):
            item = self._get(keys.organisation(org_id), meter)
        return organisation_of_item(item) if item else None

    def check(self) -> None:
        """Raises Unavailable unless the table answers a consistent read, without further retries."""
        key = keys.health().attributes()
        try:
            with translated_errors():
                self._client.get_item(TableName=self._table, Key=key, ConsistentRead=True)
        except (ClientError, BotoCoreError) as error:  # the table or the permission is missing
            raise Unavailable(type(error).__name__) from error

    def org_id_of_handle(self, handle: str) -> str | None:
        """The id of the organisation that has a handle, or None."""
        item = self._get(keys.handle(handle))
        return av.text(item, "org_id") if item else None

    def create_organisation(self, organisation: Organisation) -> None:
        """Claim the handle and store the organisation, both or neither.

        Raises Conflict when the handle is taken.
        """
        key = keys.organisation(organisation.id)
        claim = keys.handle(organisation.handle)
        claim_item = {keys.PK: claim.pk, keys.SK: claim.sk, "org_id": organisation.id}
        puts = [item_of_organisation(key, organisation), av.to_item(claim_item)]
        with tenant(organisation.id), translated_errors():
            self._client.transact_write_items(
                TransactItems=[
                    {"Put": {"TableName": self._table, "Item": item, **item_absent()}}
                    for item in puts
                ]
            )

    def change_epochs(self, read: Organisation, changed: Organisation) -> None:
        """Store the changed live epoch, written epochs, and what belongs to each of these.

        Raises Conflict when they changed since they were read, or the organisation is being deleted.
        """
        key = keys.organisation(read.id)
        old, new = (_epochs_of(organisation) for organisation in (read, changed))
        set_ = ["#live = :new", "#written = :now_written", "#versions = :versions"]
        counts = {} if new["bucket_counts"] is None else {":counts": new["bucket_counts"]}
        # An organisation whose epochs have one bucket each has no such attribute.
        set_ += ["#counts = :counts"] if counts else []
        remove = "" if counts else "REMOVE #counts"
        epochs_unchanged = "#live = :live AND #written = :written"
        not_deleting = "attribute_not_exists(#deleting)"
        with tenant(read.id), translated_errors():
            self._client.update_item(
                TableName=self._table,
                Key=key.attributes(),
                UpdateExpression=f"SET {', '.join(set_)} {remove}".rstrip(),
                ConditionExpression=f"{epochs_unchanged} AND {not_deleting}",
                ExpressionAttributeNames={
                    "#live": "live",
                    "#written": "written",
                    "#versions": "contributions",
                    "#counts": "bucket_counts",
                    "#deleting": "deleting",
                },
                ExpressionAttributeValues=av.to_item(
                    {
                        ":live": old["live"],
                        ":written": old["written"],
                        ":new": new["live"],
                        ":now_written": new["written"],
                        ":versions": new["contributions"],
                        **counts,
                    }
                ),
            )

    def organisations(self) -> Iterator[Organisation]:
        """Every organisation, by handle, including those that are being deleted."""
        for key in self._index(keys.ORGANISATIONS_GSI1PK):
            found = self.organisation(keys.org_id_of(key.pk))
            if found is not None and not found.is_deleted:
                yield found

    def mark_deleting(self, org_id: str, at_ms: int) -> None:
        """Mark an organisation as being deleted; the time of an earlier mark is kept.

        Raises Conflict when the organisation does not exist.
        """
        key = keys.organisation(org_id)
        request = partial(
            self._client.update_item,
            TableName=self._table,
            Key=key.attributes(),
            UpdateExpression="SET #deleting = :yes, #since = if_not_exists(#since, :at)",
            ConditionExpression=ITEM_EXISTS,
            ExpressionAttributeNames={
                "#pk": keys.PK,
                "#deleting": "deleting",
                "#since": "deleting_since_ms",
            },
            ExpressionAttributeValues={":yes": {"BOOL": True}, ":at": {"N": str(at_ms)}},
        )
        with tenant(org_id):
            with_retries(self._backoff, request)

    def retire(self, organisation: Organisation) -> None:
        """Replace an organisation by its tombstone and release its handle, both or neither.

        Repeating it has no further effect. Raises Unavailable: it may or may not be done then.
        """
        key = keys.organisation(organisation.id)
        mark = {"TableName": self._table, "Item": item_of_mark(key, organisation)}
        attempts = self._backoff.attempts()
        while True:
            actions: list[dict[str, Any]] = [{"Put": mark}]
            holder = organisation.handle and self.org_id_of_handle(organisation.handle)
            if holder == organisation.id:
                actions.append({"Delete": self._release(organisation)})
            try:
                with tenant(organisation.id), translated_errors():
                    self._client.transact_write_items(TransactItems=actions)
                return
            except (Conflict, Unavailable) as error:
                attempts.failed(error)

    def _release(self, organisation: Organisation) -> dict[str, Any]:
        claim = keys.handle(organisation.handle)
        still_theirs = attribute_equals("org_id", {"S": organisation.id})
        return {"TableName": self._table, "Key": claim.attributes(), **still_theirs}

    # -- tokens ------------------------------------------------------------------------------
    def token(self, token_id: str) -> Token | None:
        """One token, read consistently."""
        item = self._get(keys.token(token_id))
        return token_of_item(item) if item else None

    def put_token(self, token: Token) -> None:
        """Store a new token. Raises Conflict when its id is taken."""
        key = keys.token(token.id)
        item = av.to_item(
            {
                keys.PK: key.pk,
                keys.SK: key.sk,
                keys.GSI1PK: keys.tokens_of(token.org_id),
                keys.GSI1SK: token.id,
                "org_id": token.org_id,
                "scopes": token.scopes,
                "created_at_ms": token.created_at_ms,
                "expires_at_ms": token.expires_at_ms,
                "revoked_at_ms": token.revoked_at_ms,
                "name": token.name,
                "last_used_ms": token.last_used_ms,
            }
        )
        with translated_errors():
            self._client.put_item(TableName=self._table, Item=item, **item_absent())

    def revoke_token(self, token_id: str, revoked_at_ms: int) -> None:
        """Revoke a token as of an instant; an earlier revocation is kept.

        Raises Conflict when the token does not exist, or is already revoked by then.
        """
        key = keys.token(token_id)
        not_revoked_before = "(attribute_not_exists(#revoked) OR #revoked > :at)"
        with translated_errors():
            self._client.update_item(
                TableName=self._table,
                Key=key.attributes(),
                UpdateExpression="SET #revoked = :at",
                ConditionExpression=f"{ITEM_EXISTS} AND {not_revoked_before}",
                ExpressionAttributeNames={"#pk": keys.PK, "#revoked": "revoked_at_ms"},
                ExpressionAttributeValues={":at": {"N": str(revoked_at_ms)}},
            )

    def record_use(self, token_id: str, hour_ms: int) -> None:
        """Store the hour in which a token was used, in one request.

        Raises Conflict when that hour or a later one is stored, or the token does not exist.
        """
        key = keys.token(token_id)
        not_recorded = "(attribute_not_exists(#used) OR #used < :hour)"
        with translated_errors():
            self._client.update_item(
                TableName=self._table,
                Key={keys.PK: {"S": key.pk}, keys.SK: {"S": key.sk}},
                UpdateExpression="SET #used = :hour",
                ConditionExpression=f"{ITEM_EXISTS} AND {not_recorded}",
                ExpressionAttributeNames={"#pk": keys.PK, "#used": "last_used_ms"},
                ExpressionAttributeValues={":hour": {"N": str(hour_ms)}},
            )

    def token_ids(self, org_id: str, prefix: str) -> list[str]:
        """The ids of an organisation's tokens that begin with a prefix, in order.

        They are read from GSI1, so a token that was just created may be missing.
        """
        with tenant(org_id):
            found = self._index(keys.tokens_of(org_id), prefix)
            return [keys.token_id_of(key.pk) for key in found]

    def tokens(self, org_id: str) -> list[Token]:
        """Every token of an organisation, oldest first."""
        with tenant(org_id):
            wanted = list(self._index(keys.tokens_of(org_id)))
            items = batch_get(self._client, self._table, wanted, self._backoff)
        return sorted(map(token_of_item, items), key=lambda token: (token.created_at_ms, token.id))

    # -- requests ----------------------------------------------------------------------------
    def _get(self, key: keys.Key, meter: ReadMeter | None = None) -> Item | None:
        answer: dict[str, Any] = with_retries(
            self._backoff,
            lambda: self._client.get_item(
                TableName=self._table,
                Key=key.attributes(),
                ConsistentRead=True,
                ReturnConsumedCapacity="TOTAL",
            ),
        )
        item: Item | None = answer.get("Item")
        if meter is not None:
            meter.count(int(item is not None), consumed_units(answer))
        return item

    def _index(self, partition: str, prefix: str | None = None) -> Iterator[keys.Key]:
        return index_keys(self._client, self._table, self._backoff, partition, prefix)


def item_of_organisation(key: keys.Key, organisation: Organisation) -> Item:
    """An organisation as it is stored."""
    return av.to_item(
        {
            keys.PK: key.pk,
            keys.SK: key.sk,
            keys.GSI1PK: keys.ORGANISATIONS_GSI1PK,
            keys.GSI1SK: organisation.handle,
            "id": organisation.id,
            "handle": organisation.handle,
            "name": organisation.name,
            "created_at_ms": organisation.created_at_ms,
            "buckets": organisation.buckets,
            **_epochs_of(organisation),
            "deleting": organisation.is_deleting or None,
            "deleting_since_ms": organisation.deleting_since_ms,
        }
    )


def item_of_mark(key: keys.Key, organisation: Organisation) -> Item:
    """The tombstone of a deleted organisation. No index lists it."""
    return av.to_item(
        {
            keys.PK: key.pk,
            keys.SK: key.sk,
            "id": organisation.id,
            "deleting": True,
            "deleting_since_ms": organisation.deleting_since_ms,
        }
    )


def _epochs_of(organisation: Organisation) -> dict[str, Any]:
    return {
        "live": organisation.live,
        "written": organisation.written,
        "contributions": {str(e): v for e, v in organisation.contributions.items()},
        "bucket_counts": {str(e): n for e, n in organisation.bucket_counts.items()} or None,
    }


def _numbers(attribute: Attribute) -> dict[int, int]:
    return {int(epoch): int(number["N"]) for epoch, number in attribute["M"].items()}


def organisation_of_item(item: Item) -> Organisation:
    """The inverse of `item_of_organisation`, and of `item_of_mark`."""
    is_deleting = av.flag(item, "deleting")
    deleting_since_ms = av.optional_integer(item, "deleting_since_ms")
    if is_deleting and "handle" not in item:
        return Organisation(
            id=av.text(item, "id"),
            handle="",
            name="",
            created_at_ms=0,
            buckets=MAX_BUCKETS,  # the most that it can have had
            written=(),
            contributions={},
            is_deleting=True,
            deleting_since_ms=deleting_since_ms,
        )
    return Organisation(
        id=av.text(item, "id"),
        handle=av.text(item, "handle"),
        name=av.text(item, "name"),
        created_at_ms=av.integer(item, "created_at_ms"),
        buckets=av.integer(item, "buckets"),
        live=av.integer(item, "live"),
        written=tuple(int(epoch["N"]) for epoch in item["written"]["L"]),
        contributions=_numbers(item["contributions"]),
        bucket_counts=_numbers(item.get("bucket_counts", {"M": {}})),
        is_deleting=is_deleting,
        deleting_since_ms=deleting_since_ms,
    )


def token_of_item(item: Item) -> Token:
    """A stored token."""
    return Token(
        id=keys.token_id_of(av.text(item, keys.PK)),
        org_id=av.text(item, "org_id"),
        scopes=tuple(scope["S"] for scope in item["scopes"]["L"]),
        created_at_ms=av.integer(item, "created_at_ms"),
        expires_at_ms=av.optional_integer(item, "expires_at_ms"),
        revoked_at_ms=av.optional_integer(item, "revoked_at_ms"),
        name=av.text(item, "name") if "name" in item else None,
        last_used_ms=av.optional_integer(item, "last_used_ms"),
    )
