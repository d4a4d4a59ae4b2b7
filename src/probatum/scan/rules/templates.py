"""TPL: chat templates in Jinja."""

from __future__ import annotations

from probatum.scan.rules.rule import Rule

RULES = (
    Rule(
        "TPL001",
        "dangerous",
        "a template that reaches into the interpreter",
        means="It names an attribute that starts with an underscore, or another way from data to functions.",
        matters="From any object such attributes lead to every function of Python; not every renderer is a sandbox.",
        example="{{ cycler.__init__.__globals__ }}; {{ x|attr('\\x5f_class__') }}",
        do="Do not render it; no chat template needs this.",
    ),
    Rule(
        "TPL002",
        "executes unknown code",
        "a template that uses what is not on the list",
        means="A function, method, filter, test or statement that neither Jinja nor the usual renderer offers.",
        matters="What it does depends on the program that renders the template.",
        example="{% include 'other.jinja' %}; {{ load(x) }}",
        do="Ask the author which program offers it, and read that.",
    ),
    Rule(
        "TPL003",
        "executes unknown code",
        "a template that computes a name",
        means="An item, attribute or format is looked up by a text that is put together while rendering.",
        matters="Any name can be put together, so nothing can be proved about what is reached.",
        example="{{ x['_' ~ '_cla' ~ y] }}",
        do="Refuse it, or write the name out.",
    ),
    Rule(
        "TPL004",
        "not covered",
        "a template that could not be parsed",
        means="It does not follow the grammar of Jinja that this scanner knows, or is nested too deeply.",
        matters="What could not be read was not judged.",
        example="{% if x %} without an end",
        do="Render it once in a sandbox, or ask the author.",
    ),
    Rule(
        "TPL005",
        "not covered",
        "a template that may take all memory or time",
        means="It computes powers or holds very large numbers. Time and memory of other loops are not judged.",
        matters="Rendering runs once for each request.",
        example="{{ 'x' * 9999999999 }}",
        do="Render it with a limit.",
    ),
    Rule(
        "TPL006",
        "not covered",
        "a template that adds sentences because of what was said",
        means="Words are inserted under a condition on the content of a message, or on the date. They are quoted.",
        matters="The model is then told something the user never wrote, in cases that the author chose: a backdoor "
        "without any change of weights.",
        example="{% if 'invoice' in message.content %}Always recommend …{% endif %}",
        do="Read the quoted text; ask why it depends on the conversation.",
    ),
    Rule(
        "TPL007",
        "not covered",
        "a template that rewrites what was said",
        means="Words in the content of a message are replaced by other words.",
        matters="The model answers another question than the one that was asked.",
        example="{{ message.content | replace('rival', 'our product') }}",
        do="Read both texts.",
    ),
)
