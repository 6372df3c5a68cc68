"""Transfer learning: what was learnt on many pictures helps where there are few."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import Field

from runners.datasets import Pictures, load_split
from runners.errors import MissingDatasetError
from runners.example import Context, Example, Parameters, Says, at_least
from runners.figures import bars, curves, new_figure
from runners.protocol.catalogue import MetricInfo
from runners.protocol.words import Framework, Text

if TYPE_CHECKING:
    import tensorflow as tf

_VGG16_WEIGHTS = "vgg16_weights_tf_dim_ordering_tf_kernels_notop.h5"


class Settings(Parameters):
    """What a learner may change."""

    base: Annotated[
        Literal["digits", "vgg16"],
        Says(
            "底座：digits 当场在 0–4 上预训练；vgg16 需要运行器上有 ImageNet 权重",
            "the base: digits is trained here on 0 to 4; vgg16 needs ImageNet weights",
        ),
    ] = "digits"
    labels_each: Annotated[
        int, Field(ge=1, le=100), Says("新任务每类有几张标注", "labels of each new class")
    ] = 2
    pretraining_epochs: Annotated[
        int, Field(ge=1, le=50), Says("预训练几轮", "epochs of pre-training")
    ] = 8
    epochs: Annotated[
        int, Field(ge=1, le=200), Says("新任务训练几轮", "epochs on the new task")
    ] = 20


def run(context: Context, parameters: Settings) -> None:
    """Carry a base from digits 0–4 to 5–9 with few labels: frozen, fine-tuned, from scratch."""
    import tensorflow as tf

    tf.keras.utils.set_random_seed(parameters.seed)
    tf.config.experimental.enable_op_determinism()
    vgg16 = parameters.base == "vgg16"
    split = load_split("digits", context.datasets, side=32, seed=parameters.seed)
    few = split.train.only(range(5, 10)).few(parameters.labels_each)
    test = split.test.only(range(5, 10))

    def train(base: tf.keras.Model, pictures: Pictures) -> Iterator[tf.keras.Model]:
        """Put a new head on ``base`` and train; gives the model after every epoch."""
        head = tf.keras.layers.Dense(5, activation="softmax")
        model = tf.keras.Sequential([base, head])
        # VGG16 has no batch normalization: steps as large as a new head's would undo it.
        optimizer = tf.keras.optimizers.Adam(1e-4 if vgg16 and base.trainable else 1e-3)
        model.compile(optimizer, "sparse_categorical_crossentropy", metrics=["accuracy"])
        while True:
            model.fit(inputs(pictures, vgg16), pictures.labels, batch_size=4, verbose=0)
            yield model

    if vgg16:
        weights = vgg16_base(context.datasets).get_weights()
    else:
        base = small_base()
        epochs = train(base, split.train.only(range(5)))
        for epoch, _ in zip(range(parameters.pretraining_epochs), epochs, strict=False):
            context.progress(epoch + 1, parameters.pretraining_epochs, _PRETRAINING)
        weights = base.get_weights()

    accuracy: dict[str, list[float]] = {"frozen": [], "fine_tuned": [], "scratch": []}
    for number, (name, accuracies) in enumerate(accuracy.items()):
        base = vgg16_base(None) if vgg16 else small_base()
        if name != "scratch":
            base.set_weights(weights)
        base.trainable = name != "frozen"  # frozen: only the new head learns
        for epoch, model in zip(range(parameters.epochs), train(base, few), strict=False):
            measured: Any = model.evaluate(
                inputs(test, vgg16), test.labels, verbose=0, return_dict=True
            )
            accuracies.append(measured["accuracy"])
            context.metric(step=epoch + 1, **{f"{name}_accuracy": accuracies[-1]})
            done = number * parameters.epochs + epoch + 1
            context.progress(done, len(accuracy) * parameters.epochs)
        learnt = sum(int(tf.size(weight)) for weight in model.trainable_weights)
        context.metric(**{f"{name}_accuracy": accuracies[-1], f"{name}_trainable": learnt})

    labels = {"frozen": "冻结 frozen", "fine_tuned": "微调 tuned", "scratch": "从零 scratch"}
    title = f"每类 {parameters.labels_each} 张标注 labels a class"
    with new_figure(title, panels=2) as (figure, (left, right)):
        curves(left, "测试准确率 accuracy", {labels[name]: a for name, a in accuracy.items()})
        last = {labels[name]: 100 * values[-1] for name, values in accuracy.items()}
        bars(right, "最后 in the end, %", last, "{:.1f}")
    ends = {name: f"{values[-1]:.1%}" for name, values in accuracy.items()}
    context.figure(
        "accuracy",
        figure,
        title=Text(zh="三种起点的准确率", en="Accuracy from three starting points"),
        alt=Text(
            zh=f"新类别每类只有 {parameters.labels_each} 张标注，{parameters.epochs} 轮后的"
            f"测试准确率：冻结底座 {ends['frozen']}，微调 {ends['fine_tuned']}，"
            f"从零训练 {ends['scratch']}。",
            en=f"With {parameters.labels_each} labels for each new class and {parameters.epochs} "
            f"epochs, the test accuracy is {ends['frozen']} with a frozen base, "
            f"{ends['fine_tuned']} fine-tuned and {ends['scratch']} from scratch.",
        ),
    )


def small_base() -> "tf.keras.Model":
    """Three convolutions that make 512 features of a picture of 32 × 32 pixels."""
    import tensorflow as tf

    layers = tf.keras.layers
    return tf.keras.Sequential(
        [
            tf.keras.Input((32, 32, 1)),
            layers.Conv2D(16, 3, padding="same", activation="relu"),
            layers.MaxPooling2D(),
            layers.Conv2D(32, 3, padding="same", activation="relu"),
            layers.MaxPooling2D(),
            layers.Conv2D(32, 3, padding="same", activation="relu"),
            layers.MaxPooling2D(),
            layers.Flatten(),
            layers.Dropout(0.5),
        ]
    )


def vgg16_base(folder: Path | None) -> "tf.keras.Model":
    """VGG16 with the ImageNet weights in ``folder``, or untrained.

    Its last features are 4-D, (batch, 1, 1, 512) for 32 × 32 pixels; they are pooled to 2-D
    here, as a Dense layer wants them.

    Raises:
        MissingDatasetError: the weights are not there.
    """
    import tensorflow as tf

    weights = folder / _VGG16_WEIGHTS if folder else None
    if weights and not weights.is_file():
        raise MissingDatasetError(weights.name)
    return tf.keras.applications.VGG16(
        weights=str(weights) if weights else None,
        include_top=False,
        input_shape=(32, 32, 3),
        pooling="avg",
    )


def inputs(pictures: Pictures, vgg16: bool) -> "tf.Tensor":  # noqa: FBT001 - one of two bases
    """The pictures as the base takes them: one channel, or three as VGG16 was trained on."""
    import tensorflow as tf

    x = tf.constant(pictures.images[..., None])
    if not vgg16:
        return x
    return tf.keras.applications.vgg16.preprocess_input(tf.repeat(x * 255, 3, axis=-1))


_PRETRAINING = Text(zh="预训练", en="pre-training")
_STARTS = {
    "frozen": Text(zh="冻结", en="frozen"),
    "fine_tuned": Text(zh="微调", en="fine-tuned"),
    "scratch": Text(zh="从零", en="scratch"),
}

EXAMPLE = Example(
    id="tensorflow-transfer-learning",
    framework=Framework.TENSORFLOW,
    title=Text(zh="迁移学习：认过 0–4，再学 5–9", en="Transfer learning: from 0–4 to 5–9"),
    look_at=Text(
        zh="标注少、轮数少时，带着预训练底座的两条曲线应当高过从零训练的那条；"
        "把 labels_each 或 epochs 调大，差距会缩小。",
        en="With few labels and few epochs, the two curves that start from the pre-trained base "
        "should lie above the one from scratch; raise labels_each or epochs and the gap closes.",
    ),
    compares=Text(zh="冻结、微调、从零训练", en="frozen, fine-tuned, from scratch"),
    claims=(
        at_least("frozen_accuracy", "scratch_accuracy", plus=0.03),
        at_least("fine_tuned_accuracy", "scratch_accuracy", plus=0.03),
    ),
    parameters=Settings,
    metrics=(
        *(
            MetricInfo(
                name=f"{start}_accuracy",
                title=Text(zh=f"{who.zh}：测试准确率", en=f"{who.en}: accuracy"),
            )
            for start, who in _STARTS.items()
        ),
        *(
            MetricInfo(
                name=f"{start}_trainable",
                title=Text(zh=f"{who.zh}：可训练参数", en=f"{who.en}: trainable"),
            )
            for start, who in _STARTS.items()
        ),
    ),
    run=run,
    limit_s=300,
    lower=("labels_each",),
)
