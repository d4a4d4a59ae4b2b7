"""SEC: secrets and personal data in text. They run nothing, so they leave the verdict alone."""

from __future__ import annotations

from probatum.scan.rules.rule import Rule

RULES = (
    Rule(
        "SEC001",
        "proved inert",
        "a secret in text",
        means="A private key, a cloud key or token with its documented prefix, or a password in an address.",
        matters="Whoever downloads the model can use it.",
        example="-----BEGIN PRIVATE KEY-----; hf_…; https://user:password@host",
        do="Revoke it at its issuer; removing it from the file is not enough.",
        severity="warning",
    ),
    Rule(
        "SEC002",
        "proved inert",
        "personal data in text",
        means="E-mail addresses, phone numbers, IBANs, card numbers or public IP addresses. Values are not shown.",
        matters="It may be a contact of the author, or data that should not have been published.",
        example="An IBAN with a valid check number in training examples",
        do="Look at the place; remove what nobody agreed to publish.",
    ),
    Rule(
        "SEC003",
        "proved inert",
        "a long text that was searched for secrets in part",
        means="The search ends after a fixed number of bytes.",
        matters="Secrets further on are not reported.",
        example="A tokenizer of 30 MB",
        do="Split the file to search all of it.",
    ),
)
