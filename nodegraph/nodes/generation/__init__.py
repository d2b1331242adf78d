"""Nodes that generate sound with models."""
