"""Schemes that store a matrix in few bits: how each is recognized by the names of its tensors, and read as numbers."""
