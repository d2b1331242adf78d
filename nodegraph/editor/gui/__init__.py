"""The window of the editor, drawn with dearpygui. Only this package imports it."""
