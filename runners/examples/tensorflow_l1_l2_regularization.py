"""L1 makes weights exactly zero, L2 only shrinks them (Tibshirani, 1996)."""

from itertools import count
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

from pydantic import Field

from runners.datasets import load_split
from runners.example import Context, Example, Parameters, Says, at_least, at_most
from runners.figures import curves, new_figure
from runners.protocol.catalogue import MetricInfo
from runners.protocol.words import Framework, Text

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy as np
    from numpy.typing import NDArray


class Settings(Parameters):
    """What a learner may change."""

    examples: Annotated[
        int, Field(ge=50, le=1000), Says("训练图片的张数", "pictures to learn from")
    ] = 200
    useless: Annotated[
        int,
        Field(ge=0, le=2000),
        Says("64 个像素之外再掺几个纯随机的输入", "inputs of pure chance beside the 64 pixels"),
    ] = 448
    strengths: Annotated[
        int,
        Field(ge=2, le=9),
        Says("惩罚 λ 从 0.001 到 0.1 试几档", "how many λ to try from 0.001 to 0.1"),
    ] = 5
    steps: Annotated[
        int, Field(ge=50, le=5000), Says("每次训练走几步", "steps of each training")
    ] = 500
    learning_rate: Annotated[
        float, Field(ge=0.001, le=0.2), Says("SGD 的学习率", "learning rate of SGD")
    ] = 0.1


class Fitted(NamedTuple):
    """What one training gave."""

    validation_accuracy: float
    test_accuracy: float
    weights: "NDArray[np.float32]"

    @property
    def zeros(self) -> int:
        """How many weights are 0 to the last bit."""
        return int((self.weights == 0).sum())

    def measures(self, name: str) -> dict[str, Any]:
        """What is reported of it, under ``name``."""
        return {
            f"{name}_zeros": self.zeros,
            f"{name}_mean_weight": abs(self.weights).mean(),
            f"{name}_test_accuracy": self.test_accuracy,
        }


def run(context: Context, parameters: Settings) -> None:
    """Fit one layer under L1 and L2 of several strengths, and count the weights that are 0."""
    import numpy as np
    import tensorflow as tf

    tf.config.experimental.enable_op_determinism()
    split = load_split("digits", context.datasets, side=8, seed=parameters.seed)
    few, random = split.train.few(parameters.examples // 10), np.random.default_rng(parameters.seed)
    train, *others = (
        # Beside its 64 pixels each picture gets numbers that say nothing about the digit.
        np.hstack(
            [part.images.reshape(-1, 64), random.random((len(part.labels), parameters.useless))]
        )
        for part in (few, split.validation, split.test)
    )
    # One λ for all weights is fair only among inputs of one scale, so they are standardised;
    # 0.1 at least, for a pixel that is nearly always blank.
    mean, scale = train.mean(0), np.maximum(train.std(0), 0.1)
    x, validation, test = ((each - mean) / scale for each in (train, *others))
    data = tf.data.Dataset.from_tensors((x, few.labels)).repeat()  # every step sees all of it
    done = count(1)

    def fit(**penalty: Any) -> Fitted:
        tf.keras.utils.set_random_seed(parameters.seed)
        layer = tf.keras.layers.Dense(10, **penalty)
        model = tf.keras.Sequential([tf.keras.Input((x.shape[1],)), layer])
        model.compile(
            tf.keras.optimizers.SGD(parameters.learning_rate),
            tf.keras.losses.SparseCategoricalCrossentropy(from_logits=True),
            steps_per_execution=parameters.steps,  # so small that the calls would take the time
        )
        model.fit(data, steps_per_epoch=parameters.steps, shuffle=False, verbose=0)
        right = [
            float((np.argmax(model(inputs), axis=1) == part.labels).mean())
            for inputs, part in ((validation, split.validation), (test, split.test))
        ]
        context.progress(next(done), 2 * parameters.strengths + 2)
        return Fitted(*right, weights=layer.kernel.numpy())

    def soft_threshold(strength: float) -> Any:
        """L1 as a proximal step after each of SGD: all weights go towards 0 and stop there."""
        distance = parameters.learning_rate * strength
        return lambda weights: tf.sign(weights) * tf.maximum(tf.abs(weights) - distance, 0)

    ladder = np.geomspace(0.001, 0.1, parameters.strengths)
    bare, tried = fit(), {"l1": [], "l2": []}
    for step, strength in enumerate(ladder, 1):
        tried["l1"].append(fit(kernel_constraint=soft_threshold(strength)))
        tried["l2"].append(fit(kernel_regularizer=tf.keras.regularizers.L2(strength)))
        for name, (*_, last) in tried.items():
            context.metric(step=step, **last.measures(name))

    best = {"bare": bare}
    for name, each in tried.items():
        chosen = int(np.argmax([one.validation_accuracy for one in each]))
        best[name], strength = each[chosen], ladder[chosen]
        context.metric(**{f"{name}_strength": strength})
        if name == "l1":  # once more as a term of the loss, whose gradient is ±λ right up to 0
            as_term = tf.keras.regularizers.L1(strength)
            best["l1_by_gradient"] = fit(kernel_regularizer=as_term)
    for name, each in best.items():
        context.metric(**each.measures(name))
    draw(context, best, tried)


def draw(
    context: Context, best: "Mapping[str, Fitted]", tried: "Mapping[str, Sequence[Fitted]]"
) -> None:
    """Show zeros against accuracy, and the weights by size."""
    import numpy as np

    bare, l1, l2, by_gradient = (best[name] for name in ("bare", "l1", "l2", "l1_by_gradient"))
    count_of_weights = bare.weights.size
    fits = {"不加 bare": [bare], "L1": tried["l1"], "L2": tried["l2"]}
    title = f"{count_of_weights:,} 个权重 weights"
    with new_figure(title, panels=2) as (figure, (left, right)):
        sizes = {
            label: np.percentile(np.abs(each.weights), range(99, -1, -1)).tolist()
            for label, each in zip(fits, (bare, l1, l2), strict=True)
        }
        curves(right, "|w|，从大到小 in order of size", sizes, x="名次 rank, %")
        for line, (label, each) in zip(right.lines, fits.items(), strict=True):
            zeros = [100 * one.zeros / count_of_weights for one in each]
            accuracy = [one.test_accuracy for one in each]
            left.plot(zeros, accuracy, marker="o", color=line.get_color(), label=label)
        left.set_title("测试准确率 test accuracy")
        left.set_xlabel("正好为 0 的权重 weights of exactly 0, %")
    context.figure(
        "zeros",
        figure,
        title=Text(zh="零权重与准确率", en="Zero weights against accuracy"),
        alt=Text(
            zh=f"{count_of_weights:,} 个权重里正好为 0 的：不加惩罚 {bare.zeros:,} 个，"
            f"L2 {l2.zeros:,} 个，L1 {l1.zeros:,} 个；L1 只当损失里的一项、不做软阈值时 "
            f"{by_gradient.zeros:,} 个。测试准确率：不加 {bare.test_accuracy:.1%}，"
            f"L2 {l2.test_accuracy:.1%}，L1 {l1.test_accuracy:.1%}。",
            en=f"Of {count_of_weights:,} weights, exactly 0 are: bare {bare.zeros:,}, under L2 "
            f"{l2.zeros:,}, under L1 {l1.zeros:,}, and {by_gradient.zeros:,} where L1 is a mere "
            f"term of the loss, without soft threshold. Test accuracy: bare "
            f"{bare.test_accuracy:.1%}, L2 {l2.test_accuracy:.1%}, L1 {l1.test_accuracy:.1%}.",
        ),
    )


_VARIANTS = {
    "bare": Text(zh="不加惩罚", en="bare"),
    "l1": Text(zh="L1", en="L1"),
    "l1_by_gradient": Text(zh="L1 只走梯度", en="L1 by gradient"),
    "l2": Text(zh="L2", en="L2"),
}
_MEASURES = {
    "zeros": Text(zh="正好为 0 的权重", en="weights of exactly 0"),
    "mean_weight": Text(zh="权重的平均大小", en="mean size of a weight"),
    "test_accuracy": Text(zh="测试准确率", en="test accuracy"),
}

EXAMPLE = Example(
    id="tensorflow-l1-l2-regularization",
    framework=Framework.TENSORFLOW,
    title=Text(zh="L1 归零，L2 只变小", en="L1 makes zeros, L2 only shrinks"),
    look_at=Text(
        zh="左图：L1 越往右，为 0 的权重越多，准确率先升后降；L2 的点都在 0 那一列。"
        "右图：L1 的曲线早早贴到 0，L2 只是整体比不加时低。",
        en="On the left, L1 has more zero weights the further right and its accuracy rises, then "
        "falls, while all points of L2 stand at 0. On the right, the curve of L1 soon lies on 0, "
        "that of L2 is merely lower than the bare one.",
    ),
    compares=Text(zh="不加惩罚、L1、L2", en="bare, L1, L2"),
    claims=(
        at_least("l1_zeros", 100),
        at_most("l1_by_gradient_zeros", "l1_zeros", times=0.01),
        at_most("l2_mean_weight", "bare_mean_weight", times=0.6),
        at_least("l1_test_accuracy", "bare_test_accuracy", plus=0.05),
    ),
    parameters=Settings,
    metrics=(
        *(
            MetricInfo(
                name=f"{variant}_{measure}",
                title=Text(zh=f"{who.zh}：{what.zh}", en=f"{who.en}: {what.en}"),
            )
            for measure, what in _MEASURES.items()
            for variant, who in _VARIANTS.items()
        ),
        *(
            MetricInfo(
                name=f"{name}_strength",
                title=Text(
                    zh=f"{_VARIANTS[name].zh}：验证集选中的 λ",
                    en=f"{_VARIANTS[name].en}: λ by validation",
                ),
            )
            for name in ("l1", "l2")
        ),
    ),
    run=run,
    limit_s=300,
)
