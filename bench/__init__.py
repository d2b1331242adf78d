"""Benchmarks: `python -m bench [NAME]`. Each module here with a NAME and a run(rounds) is one of them."""
