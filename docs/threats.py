"""Writes docs/threats.md: what can go wrong with an open model, what the attacker needs, and what here looks for it.

The threats are those of P127 (Hintersdorf et al. 2023) and P084 (leaderboards as a channel), and what P180, P085 and
the scanner's own rules add. ``make docs`` runs this script; tests/scan/test_threats.py checks that every probe and rule
that is named exists, that every rule of the scanner stands in a row, and that the page is the one this script writes.
"""

from __future__ import annotations

from typing import NamedTuple

from probatum.scan.rules import RULES


class Threat(NamedTuple):
    """One row: what the attacker needs, the probes and rules that look, and what is left open."""

    name: str
    weights: str
    data: str
    code: str
    probes: str = ""
    rules: str = ""
    open: str = ""


YES, NO = "yes", "-"
CAN = "or its outputs"
GROUPS: dict[str, tuple[Threat, ...]] = {
    "Who the model was trained on (P127)": (
        Threat("membership inference", CAN, "candidates", NO,
               "loss min_k_prob min_k_plus_plus zlib_entropy recall wbc reference_ratio gradient_norm "
               "quantile_regression dataset_inference attack_ensemble"),
        Threat("memorized training data comes out", CAN, "prefixes", NO,
               "discoverable_extraction near_verbatim_extraction probabilistic_extraction exposure "
               "code_memorization knowledge_bits budget_extraction"),
        Threat("model inversion: what a class or a person looks like", YES, NO, NO,
               open="no probe reconstructs inputs"),
        Threat("attributes or properties of the training data", CAN, "some", NO, open="no probe"),
        Threat("secrets and personal data in the files themselves", NO, NO, NO, "", "SEC*",
               "inside compressed formats that are only recognized"),
    ),
    "What the model does (P127)": (
        Threat("adversarial inputs, found on open weights and transferred", YES, NO, NO,
               "advglue adv_instruction surface_consistency jailbreak", "",
               "attacks by gradient on this very model; images and sound"),
        Threat("poisoned data or a backdoor in the weights", YES, "to poison", NO,
               "trigger_response weight_lineage", "",
               "a trigger that no probe tries: weights hide it, and no file shows it"),
        Threat("safety tuned away in open weights", YES, "little", NO, "misuse harmbench jailbreak over_refusal"),
        Threat("instructions inside the input take over", NO, NO, NO, "prompt_injection rules rules_decoded_leak"),
        Threat("weights that are another's", YES, NO, NO, "weight_lineage fingerprint_match"),
        Threat("copying a model through its outputs", NO, "queries", NO, open="no probe"),
    ),
    "What opening it does (P127, P180)": (
        Threat("a pickle, array or checkpoint runs code", NO, NO, "in the file", "code_on_load",
               "PKL001 PKL002 PKL003 PKL004 PKL005 PKL006 PKL007 PKL008 PKL009 PKL010 PKL013 PKL014 PKL015 PKL017 "
               "PKL018 NPY* TOR*"),
        Threat("a layer, operator or graph runs code or reaches out", NO, NO, "in the file", "code_on_load",
               "KER* ONX* TFS* SKO* HDF*"),
        Threat("a configuration names code to import", NO, NO, "beside the file", "code_on_load",
               "CFG001 CFG004 CFG005 CFG006 CFG007 YML001 YML002 YML003 XML*"),
        Threat("scripts, notebooks and packages beside the model", NO, NO, "beside the file", "code_on_load",
               "PYC* NBK* SHL* GIT* REQ* HTM* FIL003"),
        Threat("compiled code", NO, NO, "in the file", "code_on_load", "EXE*", "what the code does"),
        Threat("a chat template reaches into the interpreter", NO, NO, "in a text", "code_on_load",
               "TPL001 TPL002 TPL003 TPL004 CFG002"),
        Threat("two readers see two things; a scanner is led astray", NO, NO, "in the file", "code_on_load",
               "PKL011 PKL012 PKL019 ZIP001 ZIP004 TAR004 TAR008 FIL002 IMG* SFT* CFG003 GGF* MSG* SPM* TAR006 TAR007 "
               "ZIP006 ZIP007 ZIP008 CMP002 CMP003 CMP004 TAR005"),
        Threat("memory, time or disk run out", NO, NO, "in the file", "code_on_load",
               "PKL016 ZIP005 CMP001 YML004 TPL005 BUD*"),
        Threat("files written or read outside of the folder", NO, NO, "in the file", "code_on_load",
               "ZIP003 TAR001 TAR002 TAR003 DIR001 DIR002 DIR004"),
        Threat("what was not read", NO, NO, "anywhere", "code_on_load", "FIL001 FIL004 DIR003 FMT* CMP005 ZIP002",
               "formats that are recognized only, and encrypted members"),
    ),
    "Leaderboards as a channel (P084)": (
        Threat("harm behind a trigger, while the score stays high", YES, NO, NO, "trigger_response weight_lineage", "",
               "a trigger outside the list that is tried"),
        Threat("harm planted by the chat template: sentences added for certain messages", NO, NO, "in a text",
               "code_on_load", "TPL006 TPL007"),
        Threat("the items of the leaderboard were trained on", YES, "the items", NO, "option_order benchmark_ngrams",
               "", "ranks on held-out items beside ranks on public ones"),
        Threat("an answer that tells its own author, to stuff votes", NO, NO, NO, open="no probe"),
        Threat("a card that claims what does not hold", NO, NO, NO,
               "card_claims card_completeness release_checklist openness"),
    ),
}  # fmt: skip

HEAD = """# Threats

What can go wrong with a model that others trained, what the attacker needs of it, and what here looks for it. A row is
covered as far as the probes and rules in it reach, and no further; a model is never scored on rows that were not run.
`probatum explain NAME` says what a probe measures or a rule means. **not covered** is said where nothing looks.

The columns *weights*, *data* and *code* say what an attacker must hold or plant. Findings in files are those of
`probatum scan`; the others are probes of `probatum audit`.
"""
P084 = """
What files can show of a model that climbed a leaderboard to spread (P084): a template that adds or rewrites sentences
(TPL006, TPL007), configuration and code beside the weights, and, against the base that it names, which tensors moved
(`weight_lineage`; honest fine-tunes move some as well, so this alone is no evidence). A behavior that lies in the
weights alone shows in no file: it takes probes that run the model.
"""


def ids(rules: str) -> list[str]:
    """The rules of a row; ``KER*`` stands for all that begin so."""
    out: list[str] = []
    for word in rules.split():
        found = [id for id in RULES if id.startswith(word[:-1])] if word.endswith("*") else [word]
        if not found:
            raise ValueError(f"no rule begins with {word[:-1]}")
        out += found
    return sorted(out)


def short(rules: str) -> str:
    """Rules for reading: neighbors as one range."""
    runs: list[list[str]] = []
    for id in ids(rules):
        last = runs[-1][-1] if runs else ""
        if last[:3] == id[:3] and int(last[3:]) + 1 == int(id[3:]):
            runs[-1].append(id)
        else:
            runs.append([id])
    return ", ".join(f"{r[0]} to {r[-1][3:]}" if len(r) > 2 else ", ".join(r) for r in runs)


def page() -> str:
    """The whole page."""
    out = [HEAD]
    for title, threats in GROUPS.items():
        out.append(f"\n## {title}\n\n| threat | weights | data | code | looked for by | not covered |\n{'|---' * 6}|\n")
        for t in threats:
            by = ", ".join([*(f"`{p}`" for p in t.probes.split()), *([short(t.rules)] if t.rules else [])])
            open = t.open or ("" if by else "nothing looks")
            left = f"**not covered**: {open}" if not by else open
            out.append(f"| {t.name} | {t.weights} | {t.data} | {t.code} | {by or '-'} | {left or '-'} |\n")
    return "".join(out) + P084


if __name__ == "__main__":
    print(page(), end="")
