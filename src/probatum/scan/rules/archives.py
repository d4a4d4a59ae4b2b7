"""ZIP: what an archive hides or does when it is unpacked."""

from __future__ import annotations

from probatum.scan.rules.rule import Rule

RULES = (
    Rule(
        "ZIP001",
        "dangerous",
        "two readers see two different archives",
        means="Local headers and the central directory disagree in name, size, method, flags or checksum.",
        matters="A scanner reads one of them, the program that loads the other.",
        example="Local name data.pkl, central name notes.txt.",
        do="Do not load it.",
    ),
    Rule(
        "ZIP002",
        "not covered",
        "encrypted members",
        means="A member says that it is encrypted; it was not read.",
        matters="What was not read was not judged. Some loaders ignore the flag.",
        example="Bit 0 of the flags set on a member that is stored in clear.",
        do="Decrypt it first and scan again.",
    ),
    Rule(
        "ZIP003",
        "dangerous",
        "a member leaves the folder",
        means="A name is absolute, holds '..', a drive, a backslash or a NUL, or the member is a link that leads out.",
        matters="Unpacking writes outside the folder that you chose.",
        example="../../.bashrc",
        do="Do not unpack it.",
    ),
    Rule(
        "ZIP004",
        "dangerous",
        "the same name twice",
        means="Two members have the same name.",
        matters="Which of them is read depends on the reader.",
        example="Two archive/data.pkl.",
        do="Do not load it.",
    ),
    Rule(
        "ZIP005",
        "dangerous",
        "a bomb",
        means="A member inflates beyond its declared size or the allowed ratio, or members overlap.",
        matters="Opening it fills memory or disk.",
        example="42.zip",
        do="Do not open it.",
    ),
    Rule(
        "ZIP006",
        "not covered",
        "a broken archive",
        means="Headers are cut off, point outside the file, or a member's checksum is wrong.",
        matters="Readers differ in what they do with it; some read on.",
        example="A CRC of 0 on a member that Python's reader checks and another does not.",
        do="Get the file again.",
    ),
    Rule(
        "ZIP007",
        "not covered",
        "a compression that was not read",
        means="A member uses a method other than stored, deflate, bzip2 or LZMA.",
        matters="It was not judged.",
        example="Zstandard (method 93).",
        do="Repack it and scan again.",
    ),
    Rule(
        "ZIP008",
        "not covered",
        "bytes outside the members",
        means="There are bytes before the archive, between members, or after its end that no header explains.",
        matters="They may be another format for another loader.",
        example="An executable with an archive appended.",
        do="Ask how the file was written.",
    ),
)
