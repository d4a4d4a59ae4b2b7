"""A mask-filling model gives what a naive computation gives, word by word, and nothing that it cannot know."""

import json
import shutil

import numpy as np
import pytest
import tokenizers
import torch
import transformers

from probatum.core.data import Members
from probatum.core.draws import keyed
from probatum.core.errors import BadInput, BudgetSpent, NotOffered
from probatum.engine.session import Session
from probatum.engine.store import EvidenceStore
from probatum.probes.privacy.membership.neighborhood import neighborhood
from probatum.runner import Runner
from probatum.targets import open_target
from probatum.targets.masked import MaskedTarget
from probatum.targets.transformers import TransformersTarget

TEXTS = [
    "The quick brown fox jumps over the lazy dog, and then it sleeps.",
    "A dog sleeps over the fox.",
    "brown",
    "Quick [MASK] foxes <mask> jump, then the dog sleeps.",
    "naïve café 東京",
]
SIZE = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4, "intermediate_size": 64}


@pytest.fixture(autouse=True)
def one_thread():
    torch.set_num_threads(1)


def wordpiece():
    """Lower case, as BERT's; trained on the spot."""
    made = tokenizers.BertWordPieceTokenizer(lowercase=True)
    made.train_from_iterator(
        [*TEXTS, "unlikely jumping sleeper"] * 5, vocab_size=120, min_frequency=1, show_progress=False
    )
    return transformers.BertTokenizerFast(tokenizer_object=made._tokenizer)


def byte_level():
    """As RoBERTa's: a space belongs to the word after it, and the mask takes it along."""
    made = tokenizers.ByteLevelBPETokenizer()
    special = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]
    made.train_from_iterator(TEXTS * 5, vocab_size=400, min_frequency=1, show_progress=False, special_tokens=special)
    return transformers.RobertaTokenizerFast(tokenizer_object=made._tokenizer)


def save(kind, folder, context=48):
    made = byte_level() if kind == "roberta" else wordpiece()
    common = {"vocab_size": len(made), "pad_token_id": made.pad_token_id}
    config = {
        "bert": lambda: transformers.BertConfig(**common, **SIZE, max_position_embeddings=context),
        "roberta": lambda: transformers.RobertaConfig(**common, **SIZE, max_position_embeddings=context),
        "distilbert": lambda: transformers.DistilBertConfig(
            **common, dim=32, n_layers=2, n_heads=4, hidden_dim=64, max_position_embeddings=context
        ),
    }[kind]()
    torch.manual_seed(0)
    model = transformers.AutoModelForMaskedLM.from_config(config)
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.ndim > 1:
                parameter.mul_(10)  # so that one filling is clearly likelier than another
    model.save_pretrained(folder)
    made.save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    root = tmp_path_factory.mktemp("masked")
    return {kind: save(kind, root / kind) for kind in ("bert", "roberta", "distilbert")}


def spans(text):
    begin = 0
    for word in text.split(" "):
        yield begin, begin + len(word.rstrip(".,"))
        begin += len(word) + 1


def asked():
    return [(text, span) for text in TEXTS for span in spans(text)]


def fill(target, pairs, top=5):
    return target.fill([text for text, _ in pairs], [span for _, span in pairs], top=top)


def naive(folder, text, begin, end, top):
    """By the tokenizer's own special tokens and the full softmax, one text at a time; no code shared with ours."""
    made = transformers.AutoTokenizer.from_pretrained(folder)
    model = transformers.AutoModelForMaskedLM.from_pretrained(folder).eval()
    marked = made(text[:begin] + made.mask_token + text[end:], return_offsets_mapping=True, return_tensors="pt")
    ids, ends = marked["input_ids"], marked["offset_mapping"][0][:, 1]
    place = next(i for i in range(ids.shape[1])
                 if ids[0, i] == made.mask_token_id and ends[i] == begin + len(made.mask_token))  # fmt: skip
    with torch.no_grad():
        order = model(input_ids=ids).logits[0, place].argsort(descending=True).tolist()
    found = []
    for token in order:
        piece, word = made.convert_ids_to_tokens(token), made.decode([token]).strip()
        starts = piece.startswith("Ġ") if "roberta" in str(folder) else not piece.startswith("##")
        if token not in made.all_special_ids and starts and any(c.isalnum() for c in word):
            found.append(word)
    return found[:top]


@pytest.mark.parametrize("kind", ["bert", "roberta", "distilbert"])
def test_fillings_are_those_of_a_naive_computation(models, kind):
    target = open_target(models[kind], session=Session(batch_tokens=64))
    assert isinstance(target, MaskedTarget)
    got = fill(target, asked())
    for (text, (begin, end)), words in zip(asked(), got, strict=True):
        assert words == naive(models[kind], text, begin, end, 5)
        assert len(words) == len(set(words)) == 5


def test_fillings_do_not_depend_on_the_company(models):
    together = fill(open_target(models["bert"]), asked())
    target = open_target(models["bert"])
    for pair, words in reversed(list(zip(asked(), together, strict=True))):
        assert fill(target, [pair]) == [words]


def test_a_filling_is_a_whole_word(models):
    for kind in ("bert", "roberta"):
        every = {word for words in fill(open_target(models[kind]), asked(), top=1000) for word in words}
        assert every
        assert not {word for word in every if "#" in word or "[" in word or "<" in word or word != word.strip()}
        assert all(any(c.isalnum() for c in word) for word in every)


def test_a_text_longer_than_the_context_is_read_around_the_word(models):
    """What lies further away than fits has no say; what lies near has."""
    target = open_target(models["bert"])
    far, near = "dog " * 200, "the quick brown fox"
    text = far + near + " sleeps " + near + " dog" * 200
    begin = text.index("sleeps")
    one = target.fill([text], [(begin, begin + 6)])
    other = text.replace("dog dog dog", "fox fox fox", 1)
    assert target.fill([other], [(begin, begin + 6)]) == one
    same = "dog " * 40 + near + " sleeps " + near + " dog" * 40
    assert target.fill([same], [(same.index("sleeps"), same.index("sleeps") + 6)]) == one
    changed = text.replace("fox sleeps", "dog sleeps")
    assert target.fill([changed], [(begin, begin + 6)]) != one
    for at in (0, len(text) - 3):  # at either end there is one side only
        assert len(target.fill([text], [(at, at + 3)])[0]) == 10


def test_a_roberta_reads_two_tokens_fewer_than_its_positions(models):
    """It counts them from 2; a token more would have no position."""
    text = " ".join(["dog"] * 100)
    assert len(open_target(models["roberta"]).fill([text], [(0, 3)])[0]) == 10


def test_evidence_is_kept_and_told_apart(models, tmp_path):
    store = EvidenceStore(tmp_path)
    first = MaskedTarget(models["bert"], session=Session(store))
    got = fill(first, asked())
    assert first.session.cost.forward_passes > 0
    again = MaskedTarget(models["bert"], session=Session(store))
    assert fill(again, asked()) == got
    assert again.session.cost.forward_passes == 0
    assert "_model" not in again.__dict__  # nothing was loaded
    assert fill(again, asked(), top=3) == [words[:3] for words in got]
    assert again.session.cost.forward_passes > 0
    assert fill(MaskedTarget(models["distilbert"], session=Session(store)), asked()) != got


def test_equal_questions_are_asked_once(models):
    target = open_target(models["bert"])
    pair = asked()[0]
    assert len({tuple(words) for words in fill(target, [pair] * 5)}) == 1
    assert target.session.cost.forward_tokens == len(target._masked(pair[0], *pair[1])[0])


def test_a_budget_ends_it(models):
    session = Session()
    session.budget.limit = 10
    with pytest.raises(BudgetSpent):
        fill(open_target(models["bert"], session=session), asked())


def test_what_a_language_model_does_is_refused(models):
    target = open_target(models["bert"])
    calls = [
        lambda: target.token_statistics(TEXTS), lambda: target.encode(TEXTS), lambda: target.generate(TEXTS),
        lambda: target.choices(["a"], [["b", "c"]]), lambda: target.hidden(TEXTS, [0]),
        lambda: target.gradient_norms(TEXTS), lambda: target.sequences(TEXTS), lambda: target.module().__enter__(),
    ]  # fmt: skip
    for call in calls:
        with pytest.raises(NotOffered):
            call()
    assert len(target.weights()) > 10


def test_as_a_subject_it_runs_no_language_model_probe(models):
    target = open_target(models["bert"])
    runner = Runner(target, {"Members": Members.from_rows([{"text": "a", "member": True}])}, {}, target.session)
    finding = runner.run(neighborhood.method, {}).finding
    assert finding.outcome == "not run"
    assert finding.reason == "needs LOGPROBS, this mask-filling model gives WEIGHTS, BYTES"


def test_it_makes_neighbors_of_a_text_for_a_language_model(models):
    specimen, filler = open_target("specimen"), open_target(models["bert"])
    texts = Members.from_rows({"id": str(i), "text": text} for i, text in enumerate(TEXTS))
    scores = neighborhood(specimen, texts, rng=keyed("any"), filler=filler, neighbors=3)
    assert scores.scored.all()
    assert np.abs(scores.values).min() > 0
    again = neighborhood(specimen, texts, rng=keyed("any"), filler=filler, neighbors=3)
    assert np.array_equal(scores.values, again.values)


def test_a_language_model_is_no_filler():
    specimen = open_target("specimen")
    assert type(specimen) is TransformersTarget
    texts = Members.from_rows([{"text": "one two three"}])
    with pytest.raises(
        BadInput, match="specimen is a language model and fills no masks; expected a mask-filling model"
    ):
        neighborhood(specimen, texts, rng=keyed("any"), filler=specimen)


# What cannot be opened.


def test_code_that_comes_with_a_model_is_never_run(models, tmp_path):
    folder = shutil.copytree(models["bert"], tmp_path / "custom")
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | {"auto_map": {"AutoModelForMaskedLM": "evil.Model"}}))
    (folder / "evil.py").write_text("raise SystemExit('it ran')")
    with pytest.raises(BadInput, match="auto_map"):
        open_target(folder)
    allowed = open_target(folder, session=Session(trust_remote_code=True))
    assert fill(allowed, asked()[:2]) == fill(open_target(models["bert"]), asked()[:2])  # transformers' own class


def test_pickles_are_not_loaded(tmp_path):
    folder = save("bert", tmp_path / "pickled")
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")
    with pytest.raises(BadInput, match="pickle"):
        open_target(folder)


def test_missing_weights_are_not_made_up(tmp_path):
    from safetensors.torch import load_file, save_file

    folder = save("bert", tmp_path / "headless")
    kept = {k: v for k, v in load_file(folder / "model.safetensors").items() if "predictions.transform" not in k}
    save_file(kept, folder / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(BadInput, match=r"weights are missing .* is it a masked language model, and complete"):
        fill(open_target(folder), asked())


def test_a_tokenizer_without_a_mask_cannot_be_asked(tmp_path):
    folder = save("bert", tmp_path / "maskless")
    made = tokenizers.Tokenizer(tokenizers.models.WordLevel({"[UNK]": 0, "dog": 1}, unk_token="[UNK]"))
    for file in folder.glob("*token*"):
        file.unlink()
    transformers.PreTrainedTokenizerFast(tokenizer_object=made, unk_token="[UNK]").save_pretrained(folder)
    with pytest.raises(BadInput, match="no mask token"):
        fill(open_target(folder), asked())
