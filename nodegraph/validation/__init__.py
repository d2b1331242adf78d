"""Validation of nodes, in the spirit of a plug-in validator: what every kind of node promises is put to the test.

A *check* is one promise ("any cut into blocks gives the same bits"). What breaks it is a *finding*: where, at which
frame, which two values. `nodegraph validate` runs the checks; the contract tests stand on the same machinery.
"""
