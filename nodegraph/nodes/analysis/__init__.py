"""Nodes that listen: taggers, pitch, notes, onsets, spectra."""
