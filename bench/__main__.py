"""``python -m bench [NAME] [--rounds N]``: run all benchmarks, or one.

Each prints a table (its own show(rows), or the common one) and writes bench/results/NAME.json.
"""

import argparse
import importlib
import pkgutil
from types import ModuleType

import bench
from bench import report


def benchmarks() -> dict[str, ModuleType]:
    """Every module of this package that has a NAME and a run(rounds)."""
    found = {}
    for item in pkgutil.iter_modules(bench.__path__):
        if item.name.startswith("_"):
            continue
        module = importlib.import_module(f"bench.{item.name}")
        if hasattr(module, "NAME") and hasattr(module, "run"):
            found[module.NAME] = module
    return dict(sorted(found.items()))


def main() -> int:
    found = benchmarks()
    parser = argparse.ArgumentParser(prog="python -m bench", description="Measure nodegraph.")
    parser.add_argument("name", nargs="?", choices=list(found), help="only this one")
    parser.add_argument("--rounds", type=int, default=5, help="how often each thing is measured (5)")
    wanted = parser.parse_args()
    print(f"Machine: {report.machine()}")
    for name in [wanted.name] if wanted.name else found:
        rows = found[name].run(wanted.rounds)
        if hasattr(found[name], "show"):
            found[name].show(rows)
        else:
            report.show(name, rows)
        print(f"Written: {report.write(name, rows).relative_to(report.RESULTS.parents[1])}\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
