"""The abstract pickle machine: what would loading these bytes do, for every loader there is?

``read_streams(source, context)`` is the way in. `machine` runs one stream over the values of `values`; `allow` says
what may be named and called; `streams` follows several streams and the views of different loaders; `carried` finds
payloads inside the data.
"""

from __future__ import annotations

from probatum.scan.pickle.carried import is_pickle, probe
from probatum.scan.pickle.streams import Streams, read_streams

__all__ = ["Streams", "is_pickle", "probe", "read_streams"]
