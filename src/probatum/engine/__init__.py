"""How a target's calls are answered: batches, the one pass, the evidence store."""
