"""The editor: patching with the hands. Its model knows no window; what draws and listens to the mouse stands on it."""
