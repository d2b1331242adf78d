"""The network's side of a session: the protocol over a WebSocket, OSCQuery, the performer's panel. Nothing here is
loaded unless somebody asks for a server."""
