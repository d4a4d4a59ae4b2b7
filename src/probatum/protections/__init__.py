"""Protections, one file per published method. Each names the probes that must prove it."""
