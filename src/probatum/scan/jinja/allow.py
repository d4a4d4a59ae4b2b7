"""What a chat template may use: the names of Jinja 3 and of the sandbox that transformers renders with."""

from __future__ import annotations

from probatum.scan.words import words

#: Global functions. ``caller`` and ``loop`` exist inside of macros and loops.
CALLS = words("raise_exception strftime_now namespace range dict cycler joiner lipsum caller loop")
#: Filters of Jinja without ``attr``, and what transformers adds.
FILTERS = words(
    """
    abs batch capitalize center count d default dictsort e escape filesizeformat first float forceescape format
    groupby indent int items join last length list lower map max min pprint random reject rejectattr replace reverse
    round safe select selectattr slice sort string striptags sum title tojson trim truncate unique upper urlencode
    urlize wordcount wordwrap xmlattr from_json
    """
)
#: Filters that take the name of an attribute, and where it stands when it is not named.
ATTRIBUTE = {"selectattr": 0, "rejectattr": 0, "groupby": 0, "map": -1, "join": 1, "sum": 0, "sort": 2, "unique": 1,
             "min": 1, "max": 1}  # fmt: skip
TESTS = words(
    """
    boolean callable defined divisibleby eq equalto escaped even false filter float ge greaterthan gt in integer
    iterable le lessthan lower lt mapping ne none number odd sameas sequence string test true undefined upper
    """
)
#: Tests and filters that say what kind a value is, or whether it is there, and nothing of what it says.
KIND_TESTS = words("boolean defined false float integer iterable mapping none number sequence string true undefined")
KIND_FILTERS = words("length count trim default d list first last string safe")
#: Methods of texts, lists and dictionaries that compute or add. ``format`` is judged by its text.
METHODS = words(
    """
    items keys values get strip lstrip rstrip split rsplit splitlines partition rpartition startswith endswith replace
    lower upper title capitalize casefold swapcase join count index find rfind rindex isdigit isalpha isalnum isspace
    isnumeric isdecimal isupper islower istitle append extend pop insert update copy setdefault remove reverse sort
    clear zfill ljust rjust center removeprefix removesuffix strftime isoformat cycle changed next reset encode
    """
)
#: Attributes without an underscore in front that lead into the interpreter.
INSIDE = words(
    """
    mro func_globals func_code func_closure func_defaults im_func im_self im_class gi_frame gi_code gi_yieldfrom
    cr_frame cr_code cr_await ag_frame ag_code f_globals f_locals f_builtins f_back f_code tb_frame tb_next
    co_code co_consts format_map
    """
)
#: Whole numbers above this make a template that never ends or fills memory, if they are counts.
LARGE = 10_000_000
