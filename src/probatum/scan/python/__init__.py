"""Python files, by their syntax tree: nothing is imported or executed (P180)."""
