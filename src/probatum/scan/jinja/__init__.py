"""Chat templates: a tokenizer and parser of Jinja, and a judge that knows what is allowed. Nothing is rendered."""
