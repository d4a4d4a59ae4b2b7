"""A method on the invented people, with its defaults: what the repaired model still writes, by set of facts."""

from probatum.controls import people
from probatum.controls.forgetting import people_sets
from probatum.core.catalogue import load
from probatum.core.data import Records
from probatum.core.draws import keyed
from probatum.core.likelihood import written
from probatum.engine.session import Session
from probatum.protect import save
from probatum.targets import open_target


def recall(target, table, column):
    """Share of the facts' prompts after which greedy decoding writes the secret."""
    rows = [
        {"id": f"{row['id']} {n}", "prefix": prefix, "secret": row["secret"]}
        for row in people.rows()[f"people_{table}"]
        for n, prefix in enumerate(row[column])
    ]
    told, _ = written(target, Records.from_rows(rows))
    return float(told.mean())


def repaired(name, folder, **options):
    """Recall of forget and retain, as trained and in other words, and of the world, after the method ran."""
    sets, target = people_sets(), open_target("people", session=Session())
    change = load(name).function(target, sets["Forget"], sets["Retain"], rng=keyed(0, name), **options)
    save(change, target, folder / "out", {})
    after = open_target(folder / "out", session=Session())
    asked = {
        "forget": ("forget", "trained"),
        "forget in other words": ("forget", "paraphrases"),
        "retain": ("retain", "trained"),
        "retain in other words": ("retain", "paraphrases"),
        "world": ("world", "trained"),
    }
    return {name: recall(after, *which) for name, which in asked.items()}
