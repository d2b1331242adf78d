"""The editor: a client of the session, which can die without the sound noticing.

What needs no screen stands in files that import no GUI (`link`, `mirror`, `scene`, `viewport`, `hands`, `selection`,
`clipboard`, `keys`, `editing`); `nodegraph.editor.gui` draws it with dearpygui.
"""
