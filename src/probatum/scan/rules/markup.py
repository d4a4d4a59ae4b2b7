"""YML, XML and HTM: YAML, XML with PMML and SVG, and pages for browsers."""

from __future__ import annotations

from probatum.scan.rules.rule import Rule

RULES = (
    Rule(
        "YML001",
        "dangerous",
        "a YAML tag that builds objects",
        means="A tag of a programming language names a class, function or module to build, call or import.",
        matters="yaml.load with a full or unsafe loader runs it; other languages have such loaders too.",
        example="!!python/object/apply:os.system ['…']",
        do="Do not load it; with yaml.safe_load it ends in an error.",
    ),
    Rule(
        "YML002",
        "executes unknown code",
        "a YAML tag of one program",
        means="A local tag, to which the program that reads the file gives a meaning.",
        matters="The meaning may be to build an object or to read a file.",
        example="!include other.yaml; !ENV ${HOME}",
        do="Look up what the program makes of it.",
    ),
    Rule(
        "YML003",
        "not covered",
        "YAML that was not understood",
        means="A part of YAML that this scanner does not read, a key that stands twice, or an error.",
        matters="What was not understood was not judged.",
        example="? a key over several lines",
        do="Write it more simply, for example as JSON.",
    ),
    Rule(
        "YML004",
        "dangerous",
        "a bomb of aliases",
        means="Aliases of aliases grow to a very large document.",
        matters="Whoever walks through it or writes it out runs out of memory or time.",
        example="a: &a [x, x]; b: &b [*a, *a]; c: &c [*b, *b] and so on",
        do="Do not load it.",
    ),
    Rule(
        "XML001",
        "dangerous",
        "XML with a document type or entities",
        means="A DOCTYPE stands in front; it can define entities that grow, or that read files and addresses.",
        matters="Readers that resolve entities leak files or run out of memory.",
        example='<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]>',
        do="Refuse it; no model format needs it.",
    ),
    Rule(
        "XML002",
        "executes unknown code",
        "XML with script or code",
        means="An element or attribute that a reader of this vocabulary runs, or that names a class to build.",
        matters="SVG runs script in a browser; XMLDecoder, XSLT and extension functions run code in Java.",
        example='<script>…</script>; <Apply function="com.example.Function"/>',
        do="Remove it, or read what it names.",
    ),
    Rule(
        "XML003",
        "not covered",
        "XML that was not judged",
        means="It is not well-formed, or of a vocabulary, extension or instruction that this scanner does not know.",
        matters="What a reader does with it is not known.",
        example="<Extension> in PMML; <?xml-stylesheet …?>",
        do="Find out which program reads it.",
    ),
    Rule(
        "HTM001",
        "executes unknown code",
        "a page with script",
        means="A script, an event handler, an address with javascript:, or an embedded page or object.",
        matters="Whoever opens it runs the script, with the rights of the place it was opened from.",
        example="<img src=x onerror=…>",
        do="Read it as text.",
    ),
    Rule(
        "HTM002",
        "not covered",
        "a page that was not proved to be without script",
        means="It holds a tag, attribute or construct that is not on the list of harmless ones.",
        matters="Browsers repair broken pages in many ways, and some of them run script.",
        example="A < that belongs to no tag",
        do="Read it as text.",
    ),
)
