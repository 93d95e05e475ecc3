"""Costs of another currency are refused, so that a sum of costs is one of a single currency."""

from __future__ import annotations

import json

import pytest

HEAD = "Sid,Status,StartTime,Duration,Price,{unit}"
ROW = 'CA{n},completed,"Fri, 20 Nov 2026 08:01:47 +0000",11,{price},{currency}'


@pytest.fixture
def imported(api, rollcall, tmp_path):
    def run(rows, *options, unit="PriceUnit"):
        file = tmp_path / "calls.csv"
        lines = [ROW.format(n=n, price=p, currency=c) for n, (p, c) in enumerate(rows)]
        file.write_text("\n".join([HEAD.format(unit=unit), *lines]))
        target = ["--api", api.url, "--token", "good"]
        done = rollcall("import", file, "--from", "twilio-csv", *target, *options)
        return done, {record["id"]: record.get("cost") for record in api.taken}

    return run


@pytest.mark.parametrize("unit", ["PriceUnit", "priceUnit", "price_unit", "Price Unit"])
def test_a_price_in_another_currency_is_rejected(imported, tmp_path, unit):
    rows = [("-0.0085", "USD"), ("-0.0085", "EUR"), ("", "EUR"), ("-0.01", "usd"), ("-1", "")]
    done, costs = imported(rows, unit=unit)
    assert done.status == 1
    assert costs == {"CA0": 0.0085, "CA2": None, "CA3": 0.01, "CA4": 1}
    (entry,) = map(json.loads, (tmp_path / "calls.csv.rejected.jsonl").read_text().splitlines())
    assert entry["line"] == 3
    assert entry["faults"] == [
        {
            "column": "Price",
            "field": "cost",
            "message": f'"-0.0085" is in EUR by the column {unit}, and the map has USD;'
            " --currency EUR takes EUR alone",
        }
    ]


def test_the_currency_may_be_chosen(imported):
    done, costs = imported([("-0.0085", "EUR"), ("-0.0085", "USD")], "--currency", "EUR")
    assert done.status == 1
    assert costs == {"CA0": 0.0085}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--from", "twilio-csv", "--currency", "Euro"], "--currency: Euro is no code"),
        (["--from", "vapi-json", "--currency", "EUR"], "--currency: vapi-json reads no currency"),
        (["--currency", "EUR"], "--currency needs --map or --from"),
    ],
)
def test_a_currency_that_does_not_fit_is_refused(rollcall, tmp_path, options, message):
    done = rollcall("import", tmp_path / "x", *options, "--dry-run")
    assert done.status == 2
    assert message in done.err


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('[fields.cost]\nfrom = "a"\ncurrency = "b"\n', "needs the currency of the map"),
        (
            'currency = "USD"\n[fields.outcome]\nfrom = "a"\ncurrency = "b"\n',
            "fields.outcome.currency must be left out",
        ),
    ],
)
def test_a_map_says_which_currency_it_takes(rollcall, tmp_path, text, message):
    chosen = tmp_path / "own.toml"
    chosen.write_text(text + '[fields.id]\nfrom = "id"\n')
    done = rollcall("import", chosen, "--map", chosen, "--dry-run")
    assert done.status == 2
    assert message in done.err
