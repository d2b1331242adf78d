"""MIDI: bytes and what they mean, ports that come and go, learned knobs, the door between ports and a playing patch.

`messages`, `parsing`, `words`, `gathering`, `holding` and `files` know bytes only, and are what nodes build on; `ports`,
`door` and `learning` know a running patch.
"""
