"""A decoder that writes token by token, with and without a cache of keys and values.

Its shape is that of today's language models: a norm before each part, and at will fewer heads for
keys and values than for queries (Ainslie et al., "GQA", 2023). Its weights are random: what a
cache saves doesn't depend on them.
"""

import time
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import Field

from runners.example import Context, Example, Parameters, Says, at_least
from runners.figures import curves, new_figure
from runners.protocol.catalogue import MetricInfo
from runners.protocol.words import Framework, Text

if TYPE_CHECKING:
    from torch import Tensor, nn

_VOCABULARY, _HEADS, _HEAD_SIZE = 256, 8, 32


class Settings(Parameters):
    """What a learner may change."""

    longest: Annotated[
        int, Field(ge=32, le=2048), Says("写到多少个 token", "tokens to write up to")
    ] = 512
    layers: Annotated[int, Field(ge=1, le=16), Says("层数", "layers")] = 3
    kv_heads: Annotated[
        Literal["1", "2", "4", "8"],
        Says("键和值的头数；查询有 8 个头", "heads of keys and values; queries have 8"),
    ] = "8"


def run(context: Context, parameters: Settings) -> None:
    """Write the same text with and without a cache; count tokens a second and bytes."""
    import torch

    torch.manual_seed(parameters.seed)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    model = build_decoder(parameters.layers, int(parameters.kv_heads), parameters.longest)
    model = model.to(device).requires_grad_(requires_grad=False)

    class Cache:
        """The keys and values of all tokens so far, layer by layer."""

        def __init__(self) -> None:
            self.layers: dict[int, tuple[Tensor, Tensor]] = {}

        def extended(self, layer: int, k: "Tensor", v: "Tensor") -> "tuple[Tensor, Tensor]":
            """Keep the new ones and give them all; a past query is never asked for again."""
            if layer in self.layers:
                old_k, old_v = self.layers[layer]
                k, v = torch.cat([old_k, k], dim=2), torch.cat([old_v, v], dim=2)
            self.layers[layer] = k, v
            return k, v

        def length(self) -> int:
            return self.layers[0][0].shape[2] if self.layers else 0

        def size(self) -> float:
            return sum(k.nbytes + v.nbytes for k, v in self.layers.values()) / 2**20

    lengths = [parameters.longest // 2**halvings for halvings in (4, 3, 2, 1, 0)]
    speed: dict[str, list[float]] = {"cached": [], "uncached": []}
    sizes: list[float] = []
    through = {"cached": 0, "uncached": 0}  # tokens that went through the layers
    texts: list[list[int]] = []
    answers: list[Tensor] = []
    model(torch.tensor([[0]], device=device), None)  # the first call of all is slow
    for name, speeds in speed.items():
        cache = Cache() if name == "cached" else None
        text, logits = [0], []
        for step, length in enumerate(lengths, 1):
            start, before = time.perf_counter(), len(text)
            while len(text) < length:
                # Earlier tokens don't see later ones, so what the cache has of them stays true.
                new = text[-1:] if cache else text
                through[name] += len(new)
                logits.append(model(torch.tensor([new], device=device), cache)[0, -1])
                text.append(int(logits[-1].argmax()))
            speeds.append((length - before) / (time.perf_counter() - start))
            context.metric(step, **{f"{name}_speed": speeds[-1]})
            if cache:
                sizes.append(cache.size())
                context.metric(step, length=length, cache_size=sizes[-1])
            done = length if cache else parameters.longest + length
            context.progress(done, 2 * parameters.longest)
        texts.append(text)
        answers.append(torch.stack(logits))

    equal = sum(one == other for one, other in zip(*texts, strict=True))
    difference = (answers[0] - answers[1]).abs().max().item()
    last = {name: values[-1] for name, values in speed.items()}
    faster = last["cached"] / last["uncached"]
    context.metric(cached_speed=last["cached"], uncached_speed=last["uncached"], speedup=faster)
    context.metric(cached_through=through["cached"], uncached_through=through["uncached"])
    context.metric(cache_size=sizes[-1], bytes_a_token=sizes[-1] * 2**20 / (len(texts[0]) - 1))
    context.metric(equal_tokens=equal / len(texts[0]), largest_difference=difference)

    title = "有无 KV 缓存 with and without a cache"
    with new_figure(title, panels=2) as (figure, (left, right)):
        named = {"有缓存 cached": speed["cached"], "没有 without": speed["uncached"]}
        curves(left, "每秒 token 数 a second", named, x="写到的长度 length")
        curves(right, "缓存 cache, MiB", {"键和值 keys, values": sizes}, x="写到的长度 length")
        for axes in (left, right):
            axes.set_yscale("log", base=2)
            axes.yaxis.set_major_formatter("{x:g}")
            axes.set_xticks(range(1, len(lengths) + 1), [str(length) for length in lengths])
    context.figure(
        "speed",
        figure,
        title=Text(zh="速度与缓存大小随长度的变化", en="Speed and cache size by length"),
        alt=Text(
            zh=f"写到第 {parameters.longest} 个 token 时，有缓存每秒 {last['cached']:.0f} 个，是没"
            f"有缓存（{last['uncached']:.0f} 个）的 {faster:.1f} 倍；经过各层的 token 各有 "
            f"{through['cached']:,} 和 {through['uncached']:,} 个。缓存 {sizes[-1]:.2f} MiB。"
            f"两段有 {equal / len(texts[0]):.0%} 的 token 相同，得分最多相差 {difference:.1e}。",
            en=f"Near token {parameters.longest}, {last['cached']:.0f} tokens a second are written "
            f"with the cache and {last['uncached']:.0f} without, {faster:.1f} times as many; "
            f"{through['cached']:,} and {through['uncached']:,} tokens went through the layers. "
            f"The cache takes {sizes[-1]:.2f} MiB. {equal / len(texts[0]):.0%} of the tokens are "
            f"the same, and the scores differ by {difference:.1e} at most.",
        ),
    )


def build_decoder(layers: int, kv_heads: int, longest: int) -> "nn.Module":
    """A decoder for texts of at most ``longest`` tokens.

    It takes tokens of shape (1, n) and a cache or None, and gives the scores of each next token,
    (1, n, vocabulary). With a cache, the tokens are the next ones after those it has.
    """
    import torch
    from torch import nn
    from torch.nn.functional import scaled_dot_product_attention

    width = _HEADS * _HEAD_SIZE

    class Layer(nn.Module):
        """x + attention(norm(x)), and that x + mlp(norm(x))."""

        def __init__(self, number: int) -> None:
            super().__init__()
            self.number = number
            self.attention_norm, self.mlp_norm = nn.RMSNorm(width), nn.RMSNorm(width)
            self.query = nn.Linear(width, width)
            self.key = nn.Linear(width, kv_heads * _HEAD_SIZE)
            self.value = nn.Linear(width, kv_heads * _HEAD_SIZE)
            self.output = nn.Linear(width, width)
            self.mlp = nn.Sequential(
                nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width)
            )

        def forward(self, x: "Tensor", cache: Any) -> "Tensor":
            normed = self.attention_norm(x)
            q, k, v = (
                linear(normed).unflatten(-1, (-1, _HEAD_SIZE)).transpose(1, 2)
                for linear in (self.query, self.key, self.value)
            )
            if cache is not None:
                k, v = cache.extended(self.number, k, v)
            # A single new token may see all that is there; among several, none sees a later one.
            mixed = scaled_dot_product_attention(
                q, k, v, is_causal=q.shape[2] > 1, enable_gqa=kv_heads < _HEADS
            )
            x = x + self.output(mixed.transpose(1, 2).flatten(2))
            return x + self.mlp(self.mlp_norm(x))

    class Decoder(nn.Module):
        """Embedded tokens and places through all layers."""

        def __init__(self) -> None:
            super().__init__()
            self.tokens = nn.Embedding(_VOCABULARY, width)
            self.places = nn.Embedding(longest, width)
            self.layers = nn.ModuleList([Layer(number) for number in range(layers)])
            self.scores = nn.Sequential(nn.RMSNorm(width), nn.Linear(width, _VOCABULARY))

        def forward(self, tokens: "Tensor", cache: Any = None) -> "Tensor":
            first = cache.length() if cache is not None else 0
            places = torch.arange(first, first + tokens.shape[1], device=tokens.device)
            x = self.tokens(tokens) + self.places(places)
            for layer in self.layers:
                x = layer(x, cache)
            return self.scores(x)

    return Decoder()


EXAMPLE = Example(
    id="pytorch-kv-cache",
    framework=Framework.PYTORCH,
    title=Text(zh="KV 缓存：生成快多少、占多大", en="KV cache: how much faster, how large"),
    look_at=Text(
        zh="左图：没有缓存，每个 token 都要重算整段，越写越慢；有缓存的速度几乎不变，"
        "内容一字不差。右图是代价：缓存随长度成正比地变大，试试 kv_heads=2 能小多少。",
        en="On the left: without a cache each token takes the whole text again and writing slows "
        "down; with it the speed hardly changes, and every token is the same. On the right is the "
        "price: the cache grows with the length; try kv_heads=2 to see how much smaller it gets.",
    ),
    compares=Text(zh="有缓存与每步重算整段", en="with a cache, and computing all again each time"),
    claims=(
        at_least("cached_speed", "uncached_speed", times=2),
        at_least("equal_tokens", 0.95),
    ),
    parameters=Settings,
    metrics=(
        MetricInfo(
            name="cached_speed", title=Text(zh="有缓存", en="with the cache"), unit="tokens/s"
        ),
        MetricInfo(name="uncached_speed", title=Text(zh="没有缓存", en="without"), unit="tokens/s"),
        MetricInfo(name="speedup", title=Text(zh="快几倍", en="times as fast")),
        MetricInfo(
            name="cached_through",
            title=Text(zh="有缓存：算过的", en="with: computed"),
            unit="tokens",
        ),
        MetricInfo(
            name="uncached_through",
            title=Text(zh="没有：算过的", en="without: computed"),
            unit="tokens",
        ),
        MetricInfo(name="cache_size", title=Text(zh="缓存大小", en="cache"), unit="MiB"),
        MetricInfo(
            name="bytes_a_token", title=Text(zh="每个 token", en="each token"), unit="bytes"
        ),
        MetricInfo(name="equal_tokens", title=Text(zh="相同的比例", en="share of equal tokens")),
        MetricInfo(
            name="largest_difference", title=Text(zh="得分最大相差", en="largest difference")
        ),
        MetricInfo(name="length", title=Text(zh="写到的长度", en="length")),
    ),
    run=run,
    limit_s=300,
    lower=("longest", "layers"),
)
