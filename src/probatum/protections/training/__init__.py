"""Training that protects what it reads."""
