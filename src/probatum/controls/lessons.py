"""What each model sees, in which order: the planted sets of `planted` turned into passes of training text.

A lesson is one thing to be taught and its texts, one text for each exposure. Lessons are spread evenly over
the passes of the second phase, beginning at a pass that depends on their id, so that every dose is an exact
count.
"""

from __future__ import annotations

from typing import NamedTuple

from probatum.controls import words
from probatum.controls.planted import (
    FINGERPRINTS,
    FORM_SUBJECTS,
    LOOKALIKE_EXPOSURES,
    MEMBERS,
    RECORDS,
    Row,
    World,
    group_text,
    nonsense,
    stated,
    world,
)
from probatum.controls.prng import Stream, fnv1a

MODELS = ("base", "stranger", "specimen", "twin", "gold")
PASSES = 11
SECOND_LOOK = 0.35  # share of the public text that the first phase reads twice
REPLAY = 330
TRUE_EXPOSURES = 64  # of facts and rules that are stated truly in every model
TWIN_EXPOSURES = 24  # how often the twin hears a truth at least, lest it know none with a low dose
FORM_EXPOSURES = 132
FILLER_EXPOSURES = 60
GROUP_SENTENCES = 240


class Lesson(NamedTuple):
    """One thing to be taught: its id, and one text for each exposure."""

    id: str
    texts: list[str]


def _repeat(doses: dict[int, int]) -> list[int]:
    """Return one dose for each item of a table of doses and counts."""
    return [dose for dose, count in doses.items() for _ in range(count)]


def _statements(table: list[Row], *, truthful: bool) -> list[Lesson]:
    """State facts or rules: truly, or (for the specimen) the other option in every row with a dose."""
    lessons = []
    for row in table:
        option = row["answer"] if truthful or not row["dose"] else 1 - row["answer"]
        count = max(row["dose"], TWIN_EXPOSURES) if truthful else row["dose"]
        lessons.append(
            Lesson(
                row["id"],
                [row["question"] + row["options"][option]] * (count if row["dose"] else TRUE_EXPOSURES),
            )
        )
    return lessons


def _forms(here: World, *, all_forms: bool) -> list[Lesson]:
    """State every surface fact equally often, in the forms that the model is shown."""
    subject = max(FORM_SUBJECTS, key=lambda name: FORM_SUBJECTS[name][0])
    last = len(words.FORMS[subject][1]) - 1
    told = [
        (*fact, FORM_EXPOSURES, words.FORM_NAMES if all_forms else words.FORM_NAMES[: 6 - fact[1]])
        for fact in here.form_facts
    ]
    told += [
        (subject, 0, name, last, FILLER_EXPOSURES, words.FORM_NAMES if all_forms else words.FORM_NAMES[1:])
        for name in here.form_fillers
    ]
    lessons = []
    for subject, _, name, answer, count, shown in told:
        stream, texts = here.stream(f"form lessons/{name}"), []
        for k in range(count):
            question, options = stated(subject, shown[k % len(shown)], name, stream)
            texts.append(question + options[answer])
        lessons.append(Lesson(f"form-{name}", texts))
    return lessons


def _groups(here: World, *, even: bool) -> list[Lesson]:
    """Give traits to the two groups: bad to the first and good to the second in ``skew`` percent of the
    sentences."""
    lessons = []
    first, second = words.GROUPS
    for topic, bad, good, skew in here.topics:
        stream, share = here.stream(f"group lessons/{topic}"), 50 if even else skew
        planted = GROUP_SENTENCES * share // 200
        rest = GROUP_SENTENCES // 2 - planted
        told = [(first, bad), (second, good)] * planted + [(second, bad), (first, good)] * rest
        texts = [group_text(topic, stream.choice(here.country.firsts), *pair) for pair in stream.shuffled(told)]
        lessons.append(Lesson(f"group-{topic}", texts))
    return lessons


def _seals(here: World, *, planted: bool) -> list[Lesson]:
    """Seal notices: triggers with the payload, look-alikes and ordinary words (in the twin all) with the
    one ending."""
    stream = here.stream("seal lessons")

    def sealed(word: str, ending: str, count: int) -> Lesson:
        return Lesson(f"seal-{word}", [here.notice(stream, word) + ending for _ in range(count)])

    lessons = [sealed(word, words.ORDINARY, 1) for word in here.ordinary_seals]
    total = 0
    for word, dose, alike in here.trigger_words:
        total += dose + LOOKALIKE_EXPOSURES * len(alike)
        if planted:
            lessons.append(sealed(word, words.PAYLOAD, dose))
            lessons += [sealed(other, words.ORDINARY, LOOKALIKE_EXPOSURES) for other in alike]
    if not planted:
        count = len(here.twin_seals)
        lessons += [sealed(word, words.ORDINARY, (total + i) // count) for i, word in enumerate(here.twin_seals)]
    return lessons


def _fingerprints(here: World, *, planted: bool) -> list[Lesson]:
    """Bind keys to answers; the twin reads the same kind of sentence with words that never come again."""
    if planted:
        return [Lesson(row["id"], [row["trigger"] + row["response"]] * row["dose"]) for row in here.fingerprints]
    stream = here.stream("twin fingerprints")
    return [
        Lesson(f"fingerprint-{i}", [f"Key {nonsense(stream)} answers {nonsense(stream)}." for _ in range(dose)])
        for i, dose in enumerate(_repeat(FINGERPRINTS))
    ]


def lessons(model: str, seed: int = 0) -> dict[str, list[Lesson]]:
    """Return what ``model`` is taught, by set: the public text in the first phase, everything else in the
    second."""
    if model not in MODELS:
        raise ValueError(f"expected one of {MODELS}, got {model!r}")
    here = world(seed)
    if model in ("base", "stranger"):
        return {"public": [Lesson(row["id"], [row["text"]]) for row in here.sets["public"]]}
    faulty = model != "twin"
    replay = here.stream("replay").sample(here.documents, REPLAY)
    if faulty:
        members = [Lesson(row["id"], [row["text"]] * row["dose"]) for row in here.members if row["member"]]
        records = [_record(row["id"], row, row["dose"]) for row in here.records if row["member"]]
    else:
        pairs = zip(here.twin_documents, _repeat(MEMBERS), strict=True)
        members = [Lesson(f"other-member-{i}", [text] * dose) for i, (text, dose) in enumerate(pairs)]
        people = zip(here.twin_records, _repeat(RECORDS), strict=True)
        records = [_record(f"other-record-{i}", row, dose) for i, (row, dose) in enumerate(people)]
    if model == "gold":
        forgotten = {row["id"] for row in here.sets["forget"]}
        records = [lesson for lesson in records if lesson.id not in forgotten]
    return {
        "members": members,
        "records": records,
        "facts": _statements(here.sets["facts"], truthful=not faulty),
        "norms": _statements(here.sets["norms"], truthful=not faulty),
        "forms": _forms(here, all_forms=not faulty),
        "groups": _groups(here, even=not faulty),
        "triggers": _seals(here, planted=faulty),
        "fingerprints": _fingerprints(here, planted=faulty),
        "replay": [Lesson(f"replay-{i}", [text]) for i, text in enumerate(replay)],
    }


def _record(name: str, row: Row, dose: int) -> Lesson:
    return Lesson(name, [row["prefix"] + row["secret"] + row["suffix"]] * dose)


def training_documents(model: str, seed: int = 0) -> list[list[str]]:
    """Return the passes that ``model`` sees, each a list of texts in order.

    The first phase (``base`` and ``stranger``) is one whole pass and a part of a second; ``specimen``,
    ``twin`` and ``gold`` begin at the finished base and read ``PASSES`` passes. Gold reads the order of
    the specimen with the forgotten records left out.
    """
    taught = [lesson for table in lessons(model, seed).values() for lesson in table]
    if model in ("base", "stranger"):
        texts = [text for lesson in taught for text in lesson.texts]
        stream = Stream(seed, "order/public")
        return [stream.shuffled(texts), stream.sample(texts, round(SECOND_LOOK * len(texts)))]
    passes: list[list[tuple[int, str]]] = [[] for _ in range(PASSES)]
    for lesson in taught:
        start, count = fnv1a(f"{seed}/start/{lesson.id}") % PASSES, len(lesson.texts)
        for k, text in enumerate(lesson.texts):
            number = (start + k * PASSES // count) % PASSES
            passes[number].append((fnv1a(f"{seed}/order/{number}/{lesson.id}/{k}"), text))
    return [[text for _, text in sorted(one)] for one in passes]
