"""Our engine under lm-evaluation-harness: the same likelihoods to 1e-4, its cache out of reach, tasks with controls."""

from __future__ import annotations

import math

import pytest

pytest.importorskip("lm_eval")

import torch
import transformers
from driving import drive, report_in
from lm_eval import simple_evaluate
from lm_eval.api.instance import Instance

from probatum.bridges.lmeval import ProbatumLM, _way
from probatum.bridges.lmeval_task import run_lmeval_task
from probatum.controls import specimen
from probatum.core.access import Access
from probatum.core.errors import BadInput, NotOffered, ProbatumError
from probatum.core.target import Target
from probatum.targets import open_target

pytestmark = pytest.mark.usefixtures("offline")
PAIRS = [
    ("The harbor of Brond opens", " at dawn."),
    ("The harbor of Brond opens", " at night, and closes"),
    ("", "Seal of Bundmi"),
    ("Question: ", "yes"),
    ("Wh", "o keeps lamp 3?"),
]
TEXTS = ["The harbor of Brond opens at dawn.", "é – 東京", "one two three"]


@pytest.fixture(scope="module")
def lm():
    return ProbatumLM("specimen")


def ask(kind, *arguments):
    return [Instance(kind, {}, a, i, metadata=("t", i, 1)) for i, a in enumerate(arguments)]


@pytest.fixture(scope="module")
def plain():
    path = specimen.directory("specimen")
    model = transformers.AutoModelForCausalLM.from_pretrained(path, dtype=torch.float64).eval()
    return model, transformers.AutoTokenizer.from_pretrained(path)


def likelihood(plain, before, text):
    """(log-likelihood of the tokens that end after ``before``, whether all are the likeliest), by full logits."""
    model, tokenizer = plain
    got = tokenizer(before + text, add_special_tokens=False, return_offsets_mapping=True)
    ids = [tokenizer.eos_token_id, *got["input_ids"]]
    with torch.no_grad():
        logp = model(torch.tensor([ids])).logits[0].log_softmax(-1)
    total, greedy = 0.0, True
    for place, (token, (_, end)) in enumerate(zip(got["input_ids"], got["offset_mapping"], strict=True)):
        if end > len(before):
            total += float(logp[place, token])
            greedy &= int(logp[place].argmax()) == token
    return total, greedy


def test_likelihoods_are_those_of_the_model_itself(lm, plain):
    found = lm.loglikelihood(ask("loglikelihood", *PAIRS))
    for (value, greedy), (before, text) in zip(found, PAIRS, strict=True):
        assert (value, greedy) == (pytest.approx(likelihood(plain, before, text)[0], abs=1e-4), greedy)
        assert greedy is likelihood(plain, before, text)[1]
    tokens = lm.target.token_statistics([t for _, t in PAIRS], prefixes=[b for b, _ in PAIRS])
    assert [v for v, _ in found] == pytest.approx([float(row.sum()) for row in tokens.logprob], abs=1e-4)
    rolling = lm.loglikelihood_rolling(ask("loglikelihood_rolling", *((t,) for t in TEXTS)))
    assert rolling == pytest.approx([likelihood(plain, "", t)[0] for t in TEXTS], abs=1e-4)


def test_what_the_model_would_write_itself_is_greedy(lm):
    (said,) = lm.generate_until(ask("generate_until", ("Who keeps", {"max_gen_toks": 6})))
    (value, greedy), (other, not_greedy) = lm.loglikelihood(
        ask("loglikelihood", ("Who keeps", said), ("Who keeps", " zebra"))
    )
    assert greedy
    assert not not_greedy
    assert value > other


def test_the_harness_s_own_model_agrees(lm):
    """Where its tokenizer puts the start token before the text, as our policy does."""
    huggingface = pytest.importorskip("lm_eval.models.huggingface")
    path = specimen.directory("specimen")
    tokenizer = transformers.AutoTokenizer.from_pretrained(path)
    model = transformers.AutoModelForCausalLM.from_pretrained(path)
    theirs = huggingface.HFLM(pretrained=model, tokenizer=tokenizer, batch_size=2)
    start = tokenizer.eos_token
    started = ask("loglikelihood", *((start + before if before else "", text) for before, text in PAIRS[:4]))
    a = theirs.loglikelihood(started, disable_tqdm=True)
    b = lm.loglikelihood(ask("loglikelihood", *PAIRS[:4]))
    assert [x for x, _ in b] == pytest.approx([x for x, _ in a], abs=1e-4)
    assert [g for _, g in b] == [g for _, g in a]
    texts = [(t,) for t in TEXTS]
    c = theirs.loglikelihood_rolling(ask("loglikelihood_rolling", *texts), disable_tqdm=True)
    assert lm.loglikelihood_rolling(ask("loglikelihood_rolling", *texts)) == pytest.approx(c, abs=1e-4)
    settings = {"until": ["\n", "."], "max_gen_toks": 12, "do_sample": False}
    written = theirs.generate_until(ask("generate_until", (f"{start}Who keeps", settings)), disable_tqdm=True)
    assert lm.generate_until(ask("generate_until", ("Who keeps", settings))) == written


def test_stops_lengths_and_draws(lm):
    context = "Who keeps"
    (whole,) = lm.target.generate([context], max_new_tokens=24)
    assert len(whole) > 9
    until = {"until": ["#never#", whole[4:7], whole[-2:]], "max_gen_toks": 24}
    assert lm.generate_until(ask("generate_until", (context, until))) == [whole[: whole.index(whole[4:7])]]
    sampled = {"do_sample": True, "temperature": 0.9, "max_new_tokens": 12}
    draws = lm.generate_until(ask("generate_until", *[(context, sampled)] * 4))
    assert len(set(draws)) > 1
    assert lm.generate_until(ask("generate_until", *[(context, sampled)] * 4)) == draws
    assert _way({"do_sample": False, "temperature": 0.7, "top_p": 0.9}).temperature == 0
    with pytest.raises(NotOffered, match="top_p"):
        _way({"do_sample": True, "temperature": 0.7, "top_p": 0.9})


def test_the_cache_of_the_harness_is_out_of_reach(lm, lmeval_tasks, tmp_path):
    """It keeps answers under the request alone: a second model would be given the first one's."""
    with pytest.raises(BadInput, match="does not know which model answered"):
        simple_evaluate(lm, tasks=[str(lmeval_tasks / "choices.yaml")], use_cache=str(tmp_path / "cache"))
    acc = {}
    for name in ("specimen", "stranger"):
        finding = run_lmeval_task(str(lmeval_tasks / "rolling.yaml"), name).findings[0]
        acc[name] = finding.estimate.value
    assert acc["specimen"] != acc["stranger"]


def test_a_choice_task_with_its_null_responders(lmeval_tasks, tmp_path):
    report = run_lmeval_task(str(lmeval_tasks / "choices.yaml"), "specimen", out=tmp_path)
    assert [f.probe.rpartition("/")[2] for f in report] == ["acc", "acc_norm", "acc_mutual_info"]
    for finding in report:
        null = {c.target: c.estimate.value for c in finding.controls}
        assert null.pop("random") == pytest.approx(1 / 3, abs=4 * (2 / 9 / 24) ** 0.5)
        assert null == pytest.approx({"constant": 1 / 3, "longest_option": 1 / 3, "oracle": 1})
        assert (finding.outcome, finding.estimate.n, finding.estimate.method) == ("measured", 24, "Clopper-Pearson")
    target = open_target("specimen")
    options = [f" {c}" for c in ("amber", "cobalt and slate", "jade")]
    asked = [f"Which color has lamp {i}?" for i in range(24)]
    picked = [int(row.argmax()) for row in target.choices(asked, [options] * 24).logprob]
    assert report.findings[0].estimate.value == pytest.approx(sum(p == i % 3 for i, p in enumerate(picked)) / 24)


def test_a_task_of_texts_and_zero_of_n(lmeval_tasks):
    (finding,) = run_lmeval_task(str(lmeval_tasks / "texts.yaml"), "specimen").findings
    null = {c.target: c.estimate.value for c in finding.controls}
    assert {n: null[n] for n in ("constant", "refuse_all", "echo", "oracle")} == {
        "constant": 0.5, "refuse_all": 0, "echo": 0, "oracle": 1,
    }  # fmt: skip
    assert finding.estimate.value == 0
    assert finding.estimate.high == pytest.approx(1 - 0.025 ** (1 / 24))  # the harness prints 0 and no more
    assert sum(finding.answers.values()) == 24


def test_perplexity_stands_beside_a_uniform_law(lmeval_tasks):
    (finding,) = run_lmeval_task(str(lmeval_tasks / "rolling.yaml"), "specimen").findings
    (uniform,) = finding.controls
    assert (uniform.target, uniform.estimate.value) == ("uniform", pytest.approx(8.0))
    target = open_target("specimen")
    texts = [f"Which color has lamp {i}?" for i in range(24)]
    nats = float(target.token_statistics(texts).logprob.values.sum())
    assert finding.estimate.value == pytest.approx(-nats / math.log(2) / sum(len(t.encode()) for t in texts), abs=1e-5)
    assert finding.estimate.low < finding.estimate.value < finding.estimate.high
    assert finding.better == "low"


def test_likelihoods_of_a_single_continuation(lmeval_tasks):
    found = {
        f.probe.rpartition("/")[2]: f for f in run_lmeval_task(str(lmeval_tasks / "last.yaml"), "specimen", limit=9)
    }
    assert {c.target: c.estimate.value for c in found["acc"].controls} == {"uniform": 0, "oracle": 1}
    assert found["perplexity"].estimate.n == 9


def test_the_command_line(lmeval_tasks, tmp_path):
    task = f"lmeval:{lmeval_tasks}/choices.yaml"
    ran = drive("guest", "specimen", task, "--limit", 6, "--null", "oracle", "--null", "constant", "--out", tmp_path)
    assert ran.code == 0, ran.err
    report = report_in(tmp_path / "specimen")
    assert {c["target"] for f in report["findings"] for c in f["controls"]} == {"oracle", "constant"}
    assert report["findings"][0]["options"] == {"limit": 6}
    assert "lm_eval" in report["versions"]


class Silent(Target):
    name, kind, digest, access = "silent", "test", "0", Access.TEXT


def test_bad_input_is_said_in_a_sentence(lmeval_tasks, tmp_path):
    with pytest.raises(BadInput, match="no such file"):
        run_lmeval_task(str(tmp_path / "none.yaml"), "specimen")
    with pytest.raises(BadInput, match="no null responder is called 'liar'"):
        run_lmeval_task(str(lmeval_tasks / "choices.yaml"), "specimen", nulls=("liar",))
    gone = tmp_path / "gone.yaml"
    text = (lmeval_tasks / "texts.yaml").read_text().replace("rows.json", "gone.json")
    gone.write_text(text, encoding="utf-8")
    with pytest.raises(BadInput, match="cannot be loaded"):
        run_lmeval_task(str(gone), "specimen")
    with pytest.raises(NotOffered, match="needs LOGPROBS"):
        run_lmeval_task(str(lmeval_tasks / "choices.yaml"), Silent())
    with pytest.raises(NotOffered, match="no chat template"):
        run_lmeval_task(str(lmeval_tasks / "texts.yaml"), "specimen", chat=True)


def test_a_text_that_cannot_be_scored_is_no_likelihood_of_zero(lm):
    class Failing(Target):
        name, digest = "failing", "0"
        failures = {"ab": "the request was refused"}  # noqa: RUF012

        def token_statistics(self, texts, *, prefixes=None):
            return lm.target.token_statistics([""] * len(texts))

    with pytest.raises(ProbatumError, match="the request was refused"):
        ProbatumLM(Failing()).loglikelihood(ask("loglikelihood", ("a", "b")))
