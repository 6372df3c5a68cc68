"""LoRA (Hu et al., 2022) against full fine-tuning and a frozen encoder, on a task new to it.

The encoder was trained for meaning and cares little for the order of words: to tell a question
from one with its words shuffled, it has something to learn. The topics of questions, on the
other hand, it tells apart about as well as it is.
"""

import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, NamedTuple

from pydantic import Field

from runners.bank_texts import load_questions
from runners.encoder_model import encode, load_encoder
from runners.example import Context, Example, Parameters, Says, at_least, at_most
from runners.figures import bars, new_figure
from runners.protocol.catalogue import MetricInfo
from runners.protocol.words import Framework, Text
from runners.saved_bytes import SavedBytes

if TYPE_CHECKING:
    from torch import Tensor

_TOPICS = ("startup", "tensorflow", "training")
_SOME = 16
"""How many texts are encoded at once where nothing is learnt."""


class Settings(Parameters):
    """What a learner may change."""

    task: Annotated[
        Literal["order", "topic"],
        Says(
            "order：词序有没有被打乱；topic：创业、TensorFlow、训练中的哪个主题",
            "order: are the words shuffled; topic: startup, TensorFlow or training",
        ),
    ] = "order"
    rank: Annotated[int, Field(ge=1, le=64), Says("LoRA 的秩 r", "LoRA's rank r")] = 8
    examples: Annotated[int, Field(ge=32, le=2000), Says("训练用几句", "texts to learn from")] = 256
    tests: Annotated[int, Field(ge=32, le=1000), Says("测试用几句", "texts to judge by")] = 200
    epochs: Annotated[
        int,
        Field(ge=1, le=20),
        Says("训练轮数；只训头时乘以 5", "passes over the data; 5 times as many for a head alone"),
    ] = 1
    batch_size: Annotated[int, Field(ge=2, le=32), Says("每步的句数", "texts in one step")] = 4
    learning_rate: Annotated[
        float,
        Field(ge=1e-6, le=1e-2),
        Says("全量微调的学习率；LoRA 用它的十倍", "of full fine-tuning; LoRA takes ten times it"),
    ] = 1e-4


def run(context: Context, parameters: Settings) -> None:
    """Teach an encoder a new task: by a new head alone, with LoRA, and by tuning its layers."""
    import copy
    import time

    import torch

    device = "cuda" if torch.cuda.is_available() else "cpu"
    tokenizer, base = load_encoder(context.encoder)
    base = base.to(device)
    train, test = load_texts(context.bank, tokenizer, parameters)
    frozen = encode_all(tokenizer, base, train.texts)
    centre = frozen.mean(0)  # e5's vectors nearly point one way: what tells them apart is the rest
    labels = torch.tensor(train.labels, device=device)
    results: dict[str, dict[str, float]] = {}
    for number, way in enumerate(_WAYS):
        torch.manual_seed(parameters.seed)
        head = torch.nn.Linear(len(centre), max(train.labels) + 1, device=device)
        torch.nn.init.zeros_(head.weight)  # a random head would first bend a good encoder
        encoder = copy.deepcopy(base).requires_grad_(requires_grad=False)
        epochs, rate = parameters.epochs, parameters.learning_rate
        if way == "head":  # vectors that never change are computed once: its passes are cheap
            epochs = 5 * epochs
        elif way == "lora":  # W + (α/r)·B·A in the place of each W; only A and B learn
            encoder, rate = with_lora(encoder, parameters.rank), 10 * rate
        else:  # all but the table of words: few texts touch few of its rows
            encoder.encoder.requires_grad_(requires_grad=True)
        batches = draw_batches(len(labels), parameters.batch_size, epochs, parameters.seed)
        steps = len(batches)
        tuned = [each for each in encoder.parameters() if each.requires_grad]
        learning = [*tuned, *head.parameters()]
        optimizer = torch.optim.AdamW(
            [{"params": tuned, "lr": rate}, {"params": head.parameters(), "lr": 0.005}]
        )
        schedule = torch.optim.lr_scheduler.LambdaLR(  # a warm-up, then down to 0
            optimizer, lambda step, steps=steps: min(5 * (step + 1) / steps, 1) * (1 - step / steps)
        )

        began = time.perf_counter()
        for step, batch in enumerate(batches, 1):
            with torch.autocast(device, torch.bfloat16, enabled=device == "cuda"):
                texts = [train.texts[place] for place in batch]
                vectors = frozen[batch] if way == "head" else encode(tokenizer, encoder, texts)
                scores = head(20 * (vectors - centre))
                loss = torch.nn.functional.cross_entropy(scores, labels[batch])
            optimizer.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(learning, 1)  # one odd batch shall not spoil the rest
            optimizer.step()
            schedule.step()
            context.metric(step=step, **{f"{way}_loss": loss.item()})
            context.progress(100 * number + 100 * step // steps or 1, 100 * len(_WAYS))
        seconds = time.perf_counter() - began

        answers = head(20 * (encode_all(tokenizer, encoder, test.texts) - centre)).argmax(1)
        adam = [value for each in learning for value in optimizer.state[each].values()]
        memory = sum(each.nbytes for each in (*adam, *(each.grad for each in learning)))
        count = sum(each.numel() for each in learning)
        results[way] = {
            "accuracy": (answers.cpu() == torch.tensor(test.labels)).double().mean().item(),
            "trainable": count,
            "share": 100 * count / sum(each.numel() for each in {*encoder.parameters(), *learning}),
            "training_mb": memory / 1e6,
            "activations_mb": activations(tokenizer, encoder, train.texts[-_SOME:]) / 1e6,
            "seconds": seconds,
        }
        context.metric(None, **{f"{way}_{name}": each for name, each in results[way].items()})

    show(context, results, f"{len(train.texts)} 句 texts, r = {parameters.rank}")


def show(context: Context, results: dict[str, dict[str, float]], title: str) -> None:
    """Accuracy and memory of the three ways."""
    names = dict(zip(_WAYS, ("冻结 frozen", "LoRA", "全量 full"), strict=True))
    with new_figure(title, panels=3) as (figure, axes):
        for panel, name, y, scale in (
            (0, "accuracy", "准确率 accuracy, %", 100),
            (1, "training_mb", "梯度与 Adam, MB", 1),
            (2, "activations_mb", "激活 activations, MB", 1),
        ):
            heights = {names[way]: scale * results[way][name] for way in _WAYS}
            bars(axes[panel], y, heights, "{:.1f}")
    head, lora, full = (results[way] for way in _WAYS)
    context.figure(
        "ways",
        figure,
        title=Text(zh="冻结、LoRA、全量微调", en="Frozen, LoRA, full fine-tuning"),
        alt=Text(
            zh=f"测试准确率：冻结编码器只训头 {head['accuracy']:.1%}，LoRA {lora['accuracy']:.1%}，"
            f"全量微调 {full['accuracy']:.1%}。LoRA 训练 {lora['share']:.2f}% 的参数，"
            f"梯度与 Adam 状态 {lora['training_mb']:.1f} MB，全量 {full['training_mb']:.1f} MB；"
            f"激活分别是 {lora['activations_mb']:.1f} MB 和 {full['activations_mb']:.1f} MB。",
            en=f"Test accuracy: {head['accuracy']:.1%} with a head on a frozen encoder, "
            f"{lora['accuracy']:.1%} with LoRA, {full['accuracy']:.1%} fully tuned. LoRA trains "
            f"{lora['share']:.2f}% of the parameters; gradients and Adam's states take "
            f"{lora['training_mb']:.1f} MB against {full['training_mb']:.1f} MB, activations "
            f"{lora['activations_mb']:.1f} MB against {full['activations_mb']:.1f} MB.",
        ),
    )


class Labelled(NamedTuple):
    """Texts, the short ones first, and the number of the class of each."""

    texts: list[str]
    labels: list[int]


def draw_batches(count: int, size: int, epochs: int, seed: int) -> list[list[int]]:
    """The places of the texts of each step: at random, but always two neighbours together.

    So a question meets its shuffled self in the same step: what the two share, the topic, cannot
    hide the order of words, in which they differ.
    """
    import numpy as np

    draw = np.random.default_rng(seed)
    return [
        [place for pair in pairs[start : start + size // 2] for place in (2 * pair, 2 * pair + 1)]
        for pairs in (draw.permutation(count // 2).tolist() for _ in range(epochs))
        for start in range(0, count // 2, size // 2)
    ]


def load_texts(bank: Path, tokenizer: Any, settings: Settings) -> tuple[Labelled, Labelled]:
    """Texts to learn from and to judge by; no entry of the bank has questions in both."""
    import numpy as np

    draw = np.random.default_rng(settings.seed)
    questions = load_questions(bank, "zh")
    if settings.task == "topic":
        questions = [each for each in questions if each.topic in _TOPICS]
    entries = draw.permutation(sorted({each.entry for each in questions}))
    first = set(entries[: len(entries) // 2])
    parts: list[Labelled] = []
    for learnt, count in ((True, settings.examples), (False, settings.tests)):
        pool = [each for each in questions if (each.entry in first) == learnt]
        chosen = draw.permutation(len(pool))[: count if settings.task == "topic" else count // 2]
        # neighbours of like length need little padding
        asked = sorted((pool[place] for place in chosen), key=lambda each: len(each.text))
        if settings.task == "topic":
            pairs = [(each.text, _TOPICS.index(each.topic)) for each in asked]
        else:  # each question as it is, and shuffled
            words = [tokenizer.tokenize("".join(each.text.split())) for each in asked]
            both = [(each, draw.permutation(each)) for each in words]
            pairs = [
                ("".join(order), shuffled) for each in both for shuffled, order in enumerate(each)
            ]
        texts = [f"query: {text.replace('▁', '')}" for text, _ in pairs]  # e5 expects the prefix
        parts.append(Labelled(texts, [label for _, label in pairs]))
    return parts[0], parts[1]


def with_lora(encoder: Any, rank: int) -> Any:
    """The encoder with LoRA on all its linear layers; everything else is frozen."""
    from peft import LoraConfig, get_peft_model

    config = LoraConfig(r=rank, lora_alpha=2 * rank, target_modules="all-linear")
    with warnings.catch_warnings():  # peft asks transformers by a name that goes out of use
        warnings.filterwarnings("ignore", "`is_gradient_checkpointing`", FutureWarning)
        return get_peft_model(encoder, config)


def encode_all(tokenizer: Any, encoder: Any, texts: Sequence[str]) -> "Tensor":
    """The vectors of any number of texts, with nothing kept to learn from."""
    import torch

    with torch.no_grad():
        starts = range(0, len(texts), _SOME)
        return torch.cat([encode(tokenizer, encoder, texts[at : at + _SOME]) for at in starts])


def activations(tokenizer: Any, encoder: Any, texts: Sequence[str]) -> int:
    """Bytes that a forward pass keeps for the backward pass, without the weights."""
    from torch.autograd.graph import saved_tensors_hooks

    saved = SavedBytes(encoder.parameters())
    with saved_tensors_hooks(saved.pack, saved.unpack):
        encode(tokenizer, encoder, texts)
    return saved.peak


_WAYS = {
    "head": Text(zh="冻结", en="frozen"),
    "lora": Text(zh="LoRA", en="LoRA"),
    "full": Text(zh="全量", en="full"),
}

EXAMPLE = Example(
    id="pytorch-lora",
    framework=Framework.PYTORCH,
    title=Text(zh="LoRA、全量微调、冻结编码器", en="LoRA, full fine-tuning, a frozen encoder"),
    look_at=Text(
        zh="LoRA 只训不到 1% 的参数，梯度和 Adam 状态少得多，准确率接近全量，高过只训头；"
        "激活却没怎么省。换成 task=topic，编码器本来就会，动它也没有稳定的提升。",
        en="LoRA trains less than 1% of the parameters and needs far less for gradients and Adam, "
        "yet comes near full tuning and above the head alone; activations are hardly saved. With "
        "task=topic, which the encoder knows already, tuning it brings no steady gain.",
    ),
    compares=Text(
        zh="冻结只训头、LoRA、全量微调", en="a head on a frozen encoder, LoRA, full fine-tuning"
    ),
    claims=(
        at_least("lora_accuracy", "head_accuracy", plus=0.03),
        at_least("lora_accuracy", "full_accuracy", plus=-0.1),
        at_most("lora_training_mb", "full_training_mb", times=0.1),
    ),
    parameters=Settings,
    metrics=(
        *(
            MetricInfo(
                name=f"{way}_{name}", title=Text(zh=f"{who.zh}：{zh}", en=f"{who.en}: {en}"), unit=u
            )
            for name, u, zh, en in (
                ("accuracy", "", "测试准确率", "test accuracy"),
                ("trainable", "", "可训练参数", "trainable parameters"),
                ("share", "%", "可训练比例", "share that is trained"),
                ("training_mb", "MB", "梯度与 Adam 状态", "gradients and Adam's states"),
                ("activations_mb", "MB", "16 句的激活", "activations of 16 texts"),
                ("seconds", "s", "所有训练步的用时", "time of all steps"),
                ("loss", "", "训练损失", "training loss"),
            )
            for way, who in _WAYS.items()
        ),
    ),
    run=run,
    limit_s=300,
    lower=("batch_size",),
)
