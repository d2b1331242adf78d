"""MIDI: bytes and what they mean, ports that come and go, learned knobs, the door between ports and a playing patch.

`messages`, `parsing`, `words`, `gathering`, `mpe`, `holding` and `files` know bytes only, and are what nodes build on;
`ports`, `lines`, `door`, `learning` and `session` know a running patch.
"""
