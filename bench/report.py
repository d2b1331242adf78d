"""What a benchmark leaves behind: rows for programs, a table for people."""

import json
import os
import platform
from collections.abc import Iterable
from pathlib import Path
from typing import Final, TypedDict

RESULTS: Final = Path(__file__).parent / "results"


class Row(TypedDict):
    """One thing measured. `value` is None where it could not be, and `against` then says why."""

    claim: str
    value: float | None
    unit: str
    against: str
    runs: int
    machine: str


def row(claim: str, value: float | None, unit: str, against: str = "", runs: int = 1) -> Row:
    """A row for this machine, its value cut to four significant digits."""
    short = None if value is None else float(f"{value:.4g}")
    return Row(claim=claim, value=short, unit=unit, against=against, runs=runs, machine=machine())


def machine() -> str:
    """Processor, cores, system and Python, in one line; nothing that names the machine or its owner."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    system = f"{platform.system()} {platform.machine()}"
    return f"{_processor()}, {cores} cores, {system}, Python {platform.python_version()}"


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or "unknown processor"
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else "unknown processor"


def write(name: str, rows: Iterable[Row]) -> Path:
    """Put the rows into results/NAME.json, replacing those of an earlier run."""
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / f"{name}.json"
    path.write_text(json.dumps({"rows": list(rows)}, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    return path


def show(title: str, rows: Iterable[Row]) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table("claim", "value", "unit", "against", "runs", title=title, title_justify="left")
    table.columns[1].justify = table.columns[4].justify = "right"
    for item in rows:
        value = "missing" if item["value"] is None else f"{item['value']:g}"
        table.add_row(item["claim"], value, item["unit"], item["against"], str(item["runs"]))
    Console().print(table)
