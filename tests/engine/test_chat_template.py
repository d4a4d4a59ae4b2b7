"""Conversations go through the model's own template; one that cannot take them is said, and nothing is dropped."""

import shutil

import pytest
import torch

from probatum.core.errors import BadInput, NotOffered, ProbatumError
from probatum.engine.session import Session
from probatum.engine.store import EvidenceStore
from probatum.targets.transformers import TransformersTarget

ASK = {"role": "user", "content": "Who are you?"}
RULE = {"role": "system", "content": "Answer in one word."}
REFUSES = (
    "{% if messages[0].role == 'system' %}{{ raise_exception('System role not supported') }}{% endif %}"
    "{% for m in messages %}[{{ m.role }}] {{ m.content }}\n{% endfor %}"
)
DROPS = "{% for m in messages if m.role != 'system' %}[{{ m.role }}] {{ m.content }}\n{% endfor %}"
ALTERNATES = (
    "{% for m in messages %}{% if (m.role == 'user') != (loop.index0 % 2 == 0) %}"
    "{{ raise_exception('Roles must alternate') }}{% endif %}[{{ m.role }}] {{ m.content }}\n{% endfor %}"
)


@pytest.fixture(autouse=True)
def one_thread():
    torch.set_num_threads(1)


def opened(path, template=None, copy=None, store=None):
    if template is not None:
        path = shutil.copytree(path, copy, dirs_exist_ok=True)
        (path / "chat_template.jinja").write_text(template)
    return TransformersTarget(path, session=Session(store), name="toy")


def test_the_toy_reads_what_its_template_writes(chat_toy):
    target = opened(chat_toy)
    assert target.chats
    text = "<|system|>\nAnswer in one word.<|end|>\n<|user|>\nWho are you?<|end|>\n<|assistant|>\n"
    expected = target.generate([text], max_new_tokens=8)
    assert expected != target.generate(["Who are you?"], max_new_tokens=8)
    assert target.chat([[RULE, ASK]], max_new_tokens=8) == expected
    assert target.answers([[RULE, ASK]], max_new_tokens=8) == expected
    assert target.chat_note == ""
    assert target._encoder([text])[0].sequence[0] == target.tokenizer().bos_token_id  # once, not twice
    assert target._template([RULE, ASK]) == text


@pytest.mark.parametrize("template", [REFUSES, DROPS])
def test_words_of_the_system_go_before_the_users_where_it_has_no_role(chat_toy, template, tmp_path):
    target = opened(chat_toy, template, tmp_path / "toy")
    later = [RULE, ASK, {"role": "assistant", "content": "Me."}, RULE, {"role": "user", "content": "Really?"}]
    folded = "[user] Answer in one word.\n\nWho are you?\n"
    then = "[assistant] Me.\n[user] Answer in one word.\n\nReally?\n"
    assert target._template(later) == folded + then
    assert target._template([ASK]) == "[user] Who are you?\n"
    assert target._template([RULE]) == "[user] Answer in one word.\n"
    assert target.chat([[RULE, ASK], [ASK]], max_new_tokens=6) == target.generate(
        [folded, "[user] Who are you?\n"], max_new_tokens=6
    )
    assert target.chat_note == "toy: its chat template takes no system message; its words stand before the user's"


@pytest.mark.parametrize(
    ("template", "why"),
    [
        ("{% for m in messages %}{{ m.content }}", "end of jinja|endfor|unexpected|Unexpected"),
        ("{{ messages[0].content | shout }}", "shout"),
        ("{{ messages[0].content + 1 }}", "concatenate"),
        ("{{ raise_exception('not for you') }}", "not for you"),
        ("[user] hello\n[assistant]", "leaves out what the user says"),
    ],
)
def test_a_wrong_template_is_one_sentence(chat_toy, template, why, tmp_path):
    target = opened(chat_toy, template, tmp_path / "toy")
    for ask in (target.chat, target.answers):
        with pytest.raises(BadInput, match=f"^toy: its chat template does not work .*({why}).*; correct it") as said:
            ask([[ASK]])
        assert "\n" not in str(said.value)
    assert target.session.cost.forward_passes == 0


def test_a_conversation_that_it_refuses_does_not_take_the_others_along(chat_toy, tmp_path):
    target = opened(chat_toy, ALTERNATES, tmp_path / "toy")
    got = target.answers([[ASK, ASK], [ASK], [RULE, ASK]], max_new_tokens=6)
    assert got[0] is None
    assert got[1:] == target.generate(
        ["[user] Who are you?\n", "[user] Answer in one word.\n\nWho are you?\n"], max_new_tokens=6
    )
    assert list(target.failures.values()) == ["its chat template refuses this conversation: Roles must alternate"]
    with pytest.raises(ProbatumError, match=r"1 of 2 prompts were not answered .*Roles must alternate"):
        target.chat([[ASK, ASK], [ASK]], max_new_tokens=6)


def test_another_template_is_other_evidence(chat_toy, tmp_path):
    store = EvidenceStore(tmp_path / "store")
    first = opened(chat_toy, store=store).chat([[ASK]], max_new_tokens=6)
    again = opened(chat_toy, store=store)
    assert again.chat([[ASK]], max_new_tokens=6) == first
    assert again.session.cost.forward_passes == 0
    assert "_encoder" not in again.__dict__  # a full store needs no tokenizer
    other = opened(chat_toy, DROPS, tmp_path / "toy", store)
    assert other.chat([[ASK]], max_new_tokens=6) == other.generate(["[user] Who are you?\n"], max_new_tokens=6)
    assert other.session.cost.forward_passes > 0


def test_no_template_is_said(chat_toy, tmp_path):
    path = shutil.copytree(chat_toy, tmp_path / "toy")
    (path / "chat_template.jinja").unlink()
    target = opened(path)
    assert not target.chats
    with pytest.raises(NotOffered, match="has no chat template"):
        target.chat([[ASK]])
