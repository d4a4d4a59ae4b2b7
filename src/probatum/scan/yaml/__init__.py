"""A reader of the part of YAML that model directories use. What it does not understand it says."""
