"""Results as tables, on a terminal and on the page about performance."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

BEGIN, END = "<!-- measured: {} -->", "<!-- end of {} -->"

_COLUMNS = {
    "requests": "requests",
    "records": "records",
    "bytes_down": "bytes down",
    "bytes_up": "bytes up",
    "hub_statements": "statements, hub",
    "device_statements": "statements, device",
    "hub_cpu": "CPU s, hub",
    "database_cpu": "CPU s, database server",
    "device_cpu": "CPU s, device",
    "wall": "wall s",
}


def rewrite(page: Path, results: dict[str, Any]) -> None:
    """Put the tables of a result where the page has those of an earlier one.

    :raises ValueError: when the page has no place for one of them
    """
    text = page.read_text()
    tables = {
        "goals": goals(results),
        "one device": _syncs(results["small"], ("case",)),
        "growth": _syncs(results["growth"], ("collections", "case")),
        "at once": _at_once(results["at_once"]),
    }
    for name, table in tables.items():
        before, begin, rest = text.partition(BEGIN.format(name))
        _, end, after = rest.partition(END.format(name))
        if not begin or not end:
            raise ValueError(f"{page} has no place for the table {name!r}")
        text = f"{before}{begin}\n\n{table}\n\n{end}{after}"
    page.write_text(text)


def goals(results: dict[str, Any]) -> str:
    """The few numbers that matter most, stock beside ours."""
    rows = []
    for database in dict.fromkeys(row["database"] for row in results["small"]):
        stock, ours = (_by_case(results["small"], database, way) for way in ("stock", "ours"))
        for case, measure in (
            ("no-op pull, new session", "requests"),
            ("no-op pull, resumed session", "requests"),
            ("no-op push and pull, resumed session", "requests"),
            ("no-op pull, resumed session", "hub_statements"),
            ("no-op pull, resumed session", "bytes_down"),
            ("no-op pull, resumed session", "hub_cpu"),
            ("no-op pull, resumed session", "wall"),
            ("first pull", "device_statements"),
        ):
            rows.append(
                (
                    database,
                    f"{case}: {_COLUMNS[measure]}",
                    stock.get(case, {}).get(measure, "fails"),
                    ours.get(case, {}).get(measure, "fails"),
                )
            )
        for size in dict.fromkeys(row["collections"] for row in results["growth"]):
            rows.append(
                (database, f"no-op pull, {size} collections: bytes down, statements on the hub, CPU s of the hub")
            )
            rows[-1] += tuple(_growth(results, database, way, size) for way in ("stock", "ours"))
        for size in dict.fromkeys(row["devices"] for row in results["at_once"]):
            rows.append((database, f"{size} devices at once: completed, syncs a second"))
            rows[-1] += tuple(_completed(results, database, way, size) for way in ("stock", "ours"))
    return _table(("hub on", "", "stock", "ours"), rows)


def _by_case(rows: Iterable[dict[str, Any]], database: str, way: str) -> dict[str, dict[str, Any]]:
    return {row["case"]: row for row in rows if (row["database"], row["way"]) == (database, way)}


def _growth(results: dict[str, Any], database: str, way: str, size: int) -> str:
    rows = [row for row in results["growth"] if row["collections"] == size]
    cases = _by_case(rows, database, way)
    if not cases:
        return "not tried"
    row = cases.get("no-op pull", cases["first pull"])
    return (
        str(row["failed"]) if "failed" in row else f"{row['bytes_down']:,}; {row['hub_statements']:,}; {row['hub_cpu']}"
    )


def _completed(results: dict[str, Any], database: str, way: str, size: int) -> str:
    for row in results["at_once"]:
        if (row["database"], row["way"], row["devices"]) == (database, way, size):
            return f"{row['completed']} of {size}; {row['a_second']}"
    return "not tried"


def _syncs(rows: Sequence[dict[str, Any]], names: tuple[str, ...]) -> str:
    columns = [column for column in _COLUMNS if any(column in row for row in rows)]
    return _table(
        ("hub on", "way", *names, *(_COLUMNS[column] for column in columns)),
        [
            (
                row["database"],
                row["way"],
                *(row[name] for name in names),
                *([row["failed"]] if "failed" in row else (row.get(column, "") for column in columns)),
            )
            for row in rows
        ],
    )


def _at_once(rows: Iterable[dict[str, Any]]) -> str:
    return _table(
        ("hub on", "way", "devices", "completed", "wall s", "syncs a second", "why others did not"),
        [
            (
                row["database"],
                row["way"],
                row["devices"],
                row["completed"],
                row["wall"],
                row["a_second"],
                "; ".join(row["reasons"]),
            )
            for row in rows
        ],
    )


def _table(head: tuple[str, ...], rows: Iterable[tuple[Any, ...]]) -> str:
    lines = [head, tuple("---" for _ in head), *(row + ("",) * (len(head) - len(row)) for row in rows)]
    return "\n".join("| " + " | ".join(_cell(cell) for cell in line) + " |" for line in lines)


def _cell(value: Any) -> str:
    if isinstance(value, int):
        return f"{value:,}"
    return str(value).replace("|", "/")
