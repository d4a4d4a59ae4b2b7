"""Unlearning: a model that answers as if it had never seen the forget set."""
