"""Planted truth: models, texts and files in which the property to be measured is present in a known dose."""
