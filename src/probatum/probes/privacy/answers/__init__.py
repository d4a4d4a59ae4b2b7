"""Probes, one file per published method."""
