"""The checks, one file for each sort of promise. `nodegraph.validation.catalogue` lists them.

A check is a generator: it is given a `Subject` and yields findings and notes. The first line of its docstring is the
promise, as a sentence.
"""
