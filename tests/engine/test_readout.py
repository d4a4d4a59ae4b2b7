"""What a vector says and back: exact where it can be, the nearest where it cannot."""

import pytest

from probatum.core.errors import BadInput
from probatum.engine.readout import Readout

torch = pytest.importorskip("torch")
llama = pytest.importorskip("transformers.models.llama.modeling_llama")
WIDTH = 12


def norms():
    layer, rms = torch.nn.LayerNorm(WIDTH), llama.LlamaRMSNorm(WIDTH)
    with torch.no_grad():
        layer.weight.copy_(torch.rand(WIDTH) + 0.5)
        layer.bias.copy_(torch.randn(WIDTH))
        rms.weight.copy_(torch.rand(WIDTH) + 0.5)
    return [layer, rms]


def head(vocabulary, orthogonal=False):
    made = torch.nn.Linear(WIDTH, vocabulary, bias=False)
    if orthogonal:
        torch.nn.init.orthogonal_(made.weight)
    return made


@pytest.fixture(params=[0, 1], ids=["LayerNorm", "RMSNorm"])
def norm(request):
    torch.manual_seed(0)
    return norms()[request.param]


def test_it_says_what_the_model_says(norm):
    unembed, x = head(40), torch.randn(5, WIDTH)
    with torch.no_grad():
        expected = unembed(norm(x))
    torch.testing.assert_close(Readout(norm, unembed).logits(x).float(), expected, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("vocabulary", [WIDTH, 40])
def test_there_and_back_is_exact(norm, vocabulary):
    """W⁺ W is the identity where W has full column rank, so with every vocabulary that is no smaller than the width."""
    readout, x = Readout(norm, head(vocabulary, orthogonal=vocabulary == WIDTH)), torch.randn(5, WIDTH).double()
    torch.testing.assert_close(readout.back(readout.logits(x), x), x, rtol=1e-9, atol=1e-9)


def test_with_an_orthogonal_unembedding_only_the_lowered_token_moves(norm):
    unembed, x = head(WIDTH, orthogonal=True), torch.randn(5, WIDTH).double()
    readout = Readout(norm, unembed)
    first = readout.logits(x)
    wanted = first.clone()
    wanted[:, 4] -= 3.0
    moved = readout.back(wanted, x)
    mean = x.mean(-1, keepdim=True) if isinstance(norm, torch.nn.LayerNorm) else 0.0
    spread = ((x - mean).square().mean(-1, keepdim=True) + readout._epsilon).sqrt()
    bias = norm.bias if isinstance(norm, torch.nn.LayerNorm) else 0.0
    with torch.no_grad():  # read with the mean and the spread that x had
        read = ((moved - mean) / spread * norm.weight + bias) @ unembed.weight.double().T
    torch.testing.assert_close(read, wanted, rtol=1e-5, atol=1e-5)


def test_the_rank_counts_what_is_likelier(norm):
    readout, x = Readout(norm, head(40)), torch.randn(3, WIDTH)
    logits = readout.logits(x)
    for token in (0, 17):
        order = logits.argsort(-1, descending=True)
        assert readout.rank(x, token).tolist() == [row.tolist().index(token) for row in order]


def test_another_norm_is_refused():
    class Other(torch.nn.Module):
        eps = 1e-6
        weight = torch.nn.Parameter(torch.ones(WIDTH))

        def forward(self, x):
            return x.clamp(-1, 1)

    with pytest.raises(BadInput, match="neither a LayerNorm nor an RMSNorm"):
        Readout(Other(), head(40))
