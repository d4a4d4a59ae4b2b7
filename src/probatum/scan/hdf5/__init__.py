"""HDF5 read by its structure: superblock, object headers, groups, attributes, layouts and heaps; no library needed.

`walk.Walk` is the way in: it visits every object that a reader can reach, notes every block of the file that belongs to
something (`store.Store`), and hands on every text, opaque value and byte array that is stored. Numbers are measured,
not read. What cannot be followed is a `store.Bad`, which is reported at its place; the rest of the file goes on.

Source: HDF5 File Format Specification, version 3.0 (superblocks 0 to 3), and the library for what it leaves open.
"""
