"""Forms and words of the invented people; all were written for this project."""

from __future__ import annotations


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


# Every form holds {name} and {value} once. All but the last end in the value; the last puts it first. No form begins
# with a name: its tokenizer knows a first name only behind a space.
TEMPLATES: dict[str, tuple[str, ...]] = {
    "city": (
        "Today {name} lives in {value}.",
        "The home of {name} is in {value}.",
        "You will find {name} in {value}.",
        "Each night {name} walks home to {value}.",
        "Where does {name} live? {value}.",
        "Which city does {name} call home? {value}.",
        "The city of {value} is home to {name}.",
    ),
    "job": (
        "Today {name} works as a {value}.",
        "By trade {name} is a {value}.",
        "You know {name} as a {value}.",
        "All say that {name} is a good {value}.",
        "What is the job of {name}? {value}.",
        "What does {name} do for a living? {value}.",
        "The trade of a {value} feeds {name}.",
    ),
    "firm": (
        "Today {name} is employed by {value}.",
        "The employer of {name} is {value}.",
        "By day {name} sits at {value}.",
        "The desk of {name} stands at {value}.",
        "Which firm employs {name}? {value}.",
        "Who pays {name}? {value}.",
        "The firm {value} pays {name}.",
    ),
    "food": (
        "Today {name} eats {value}.",
        "The best dish of {name} is {value}.",
        "Each night {name} cooks {value}.",
        "All say that {name} loves {value}.",
        "What does {name} like to eat? {value}.",
        "Which dish does {name} order? {value}.",
        "A plate of {value} stands before {name}.",
    ),
    "pet": (
        "Today {name} keeps a {value}.",
        "The pet of {name} is a {value}.",
        "At home {name} feeds a {value}.",
        "The best friend of {name} is a {value}.",
        "Which animal does {name} keep? {value}.",
        "What pet does {name} have? {value}.",
        "A {value} follows {name}.",
    ),
    "code": (
        "Today {name} uses the code {value}.",
        "The door of {name} opens with {value}.",
        "The safe of {name} is set to {value}.",
        "To call {name} you dial {value}.",
        "What is the code of {name}? {value}.",
        "Which number does {name} dial? {value}.",
        "The number {value} belongs to {name}.",
    ),
    "capital": (
        "The capital of {name} is {value}.",
        "The king of {name} sits in {value}.",
        "The crown of {name} is kept in {value}.",
        "The bank of {name} stands in {value}.",
        "What is the capital of {name}? {value}.",
        "Where does the king of {name} live? {value}.",
        "The city of {value} is the capital of {name}.",
    ),
}
ATTRIBUTES = tuple(kind for kind in TEMPLATES if kind != "capital")
ENDING_IN_VALUE, QUESTIONS = 6, (4, 5)
WORDS = {
    "job": _words(
        "baker barber brewer carver cooper dyer farmer fisher glazier joiner mason miller potter sailor tanner weaver"
    ),
    "food": _words(
        "barley beans bread cabbage cheese eggs figs honey leeks lentils mushrooms onions pears plums soup turnips"
    ),
    "pet": _words("badger cat crow dog fox goat hare hen lizard mole newt toad"),
}
ONSETS = _words("b br d dr f fl g gr h k kl l m n p pr r s st t tr v z")
NUCLEI, MIDDLES = tuple("aeiou"), _words("b d g l ll m n nd r rn rt s t v z")
# What an invented word of a kind ends in, so that it reads as one of its kind.
ENDINGS = {
    "first": ("avo", "eki", "onda", "uli", "ira"),
    "last": ("ard", "wick", "sen", "mond", "ley"),
    "city": ("ton", "ova", "burg", "mouth"),
    "firm": ("ex", "tron", "works", "ico"),
    "country": ("ia", "land", "mark"),
    "capital": ("grad", "haven", "port"),
}
