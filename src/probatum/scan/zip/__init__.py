"""Zip archives, read by our own reader: what the central directory says, what the local headers say, and whether
both say the same. `directory` finds and parses, `check` compares, `unpack` inflates within the budget."""
