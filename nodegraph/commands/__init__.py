"""The commands of the command line: each a module with SUMMARY, `arguments` and `run`."""
