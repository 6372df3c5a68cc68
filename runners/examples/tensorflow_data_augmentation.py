"""Data augmentation: pictures moved at random stand in for those that nobody labelled."""

from typing import TYPE_CHECKING, Annotated, Any

from pydantic import Field

from runners.datasets import load_split
from runners.example import Context, Example, Parameters, Says, at_least, at_most
from runners.figures import curves, new_figure
from runners.protocol.catalogue import MetricInfo
from runners.protocol.words import Framework, Text

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy as np
    import tensorflow as tf
    from numpy.typing import NDArray


class Settings(Parameters):
    """What a learner may change."""

    labels_each: Annotated[
        int, Field(ge=1, le=50), Says("每个数字有几张标注", "labelled pictures of each digit")
    ] = 5
    shift: Annotated[
        float,
        Field(ge=0, le=0.4),
        Says("最多平移边长的几分之几", "farthest shift, as a share of the side"),
    ] = 0.1
    rotation: Annotated[
        int, Field(ge=0, le=180), Says("最多旋转几度", "largest turn in degrees")
    ] = 20
    epochs: Annotated[
        int, Field(ge=2, le=40), Says("训练轮数，每轮看十遍", "epochs, of ten passes each")
    ] = 15


def run(context: Context, parameters: Settings) -> None:
    """Train one network on few digits three ways: as they are, moved at random, upside down."""
    import tensorflow as tf

    tf.keras.utils.set_random_seed(parameters.seed)
    tf.config.experimental.enable_op_determinism()
    split = load_split("digits", context.datasets, side=28, seed=parameters.seed)
    # Split first, augment after: no version of a test picture is ever trained on.
    few = split.train.few(parameters.labels_each)
    data = tf.data.Dataset.from_tensor_slices((few.images[..., None], few.labels))
    learned, validation, test = (
        tf.data.Dataset.from_tensor_slices((part.images[..., None], part.labels)).batch(500)
        for part in (few, split.validation, split.test)
    )
    layers = tf.keras.layers

    def moves(degrees: int) -> "list[tf.keras.layers.Layer]":
        """Another random move each time that a picture is shown, and none outside of training."""
        return [
            layers.RandomTranslation(parameters.shift, parameters.shift, fill_mode="constant"),
            layers.RandomRotation(degrees / 360, fill_mode="constant"),
        ]

    variants = {
        "bare": [],
        "augmented": moves(parameters.rotation),
        "upside_down": moves(180),  # a 6 becomes a 9 and is still called 6
    }
    accuracy: dict[str, list[float]] = {name: [] for name in variants}
    ends: dict[str, dict[str, Any]] = {}
    for number, (name, augment) in enumerate(variants.items()):
        tf.keras.utils.set_random_seed(parameters.seed)  # all three start from the same weights
        model = tf.keras.Sequential(
            [
                tf.keras.Input((28, 28, 1)),
                *augment,
                layers.Conv2D(16, 3, activation="relu"),
                layers.MaxPooling2D(),
                layers.Conv2D(32, 3, activation="relu"),
                layers.MaxPooling2D(),
                layers.Flatten(),
                layers.Dense(10, activation="softmax"),
            ]
        )
        model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])

        def report(epoch: int, logs: Any = None, name: str = name, at: int = number) -> None:
            accuracy[name].append(logs["val_accuracy"])
            context.metric(step=epoch + 1, **{f"{name}_validation_accuracy": accuracy[name][-1]})
            context.progress(at * parameters.epochs + epoch + 1, len(variants) * parameters.epochs)

        model.fit(
            data.shuffle(len(few.labels), seed=parameters.seed).repeat(10).batch(10),
            shuffle=False,  # the data set does that
            validation_data=validation,
            epochs=parameters.epochs,
            callbacks=[tf.keras.callbacks.LambdaCallback(on_epoch_end=report)],
            verbose=0,
        )
        # Judged on pictures as they are: only training moves them.
        (_, train), (_, judged) = (model.evaluate(each, verbose=0) for each in (learned, test))
        ends[name] = {"train_accuracy": train, "test_accuracy": judged, "gap": train - judged}
        context.metric(**{f"{name}_{what}": value for what, value in ends[name].items()})
    draw(context, parameters, montage(few.images[0], variants["augmented"]), accuracy, ends)


def draw(
    context: Context,
    parameters: Settings,
    views: "NDArray[np.float32]",
    accuracy: "Mapping[str, Sequence[float]]",
    ends: "Mapping[str, Mapping[str, Any]]",
) -> None:
    """Show what the augmented network saw of one picture, and how each one fared."""
    labels = {
        "bare": "原样 bare",
        "augmented": "增强 augmented",
        "upside_down": "转过头 upside down",
    }
    title = f"每类 {parameters.labels_each} 张标注 labels a class"
    with new_figure(title, panels=2) as (figure, (left, right)):
        left.imshow(views, cmap="gray_r")
        left.set_title("一张图的十六个样子 16 views of one picture")
        left.set_axis_off()
        validation = {labels[name]: values for name, values in accuracy.items()}
        curves(right, "验证准确率 validation accuracy", validation)
    test, gap = (
        {name: f"{end[what]:.1%}" for name, end in ends.items()}
        for what in ("test_accuracy", "gap")
    )
    context.figure(
        "augmentation",
        figure,
        title=Text(zh="增强后的图片与准确率", en="Augmented pictures and accuracy"),
        alt=Text(
            zh=f"每类 {parameters.labels_each} 张标注，测试准确率：原样 {test['bare']}，"
            f"随机平移旋转 {test['augmented']}，转到上下颠倒 {test['upside_down']}。"
            f"训练与测试的差距：原样 {gap['bare']}，增强 {gap['augmented']}。",
            en=f"With {parameters.labels_each} labels a class the test accuracy is {test['bare']} "
            f"bare, {test['augmented']} with random shifts and turns and {test['upside_down']} "
            f"with turns as far as upside down. The gap between training and test is {gap['bare']} "
            f"bare and {gap['augmented']} augmented.",
        ),
    )


def montage(
    picture: "NDArray[np.float32]", augment: "list[tf.keras.layers.Layer]"
) -> "NDArray[np.float32]":
    """Four rows of four versions of ``picture``, as the network is shown them."""
    import numpy as np

    views: Any = np.repeat(picture[None, ..., None], 16, axis=0)
    for layer in augment:
        views = layer(views, training=True)
    rows = np.asarray(views).reshape(4, 4, *picture.shape)
    return np.block([list(row) for row in rows])


_VARIANTS = {
    "bare": Text(zh="原样", en="bare"),
    "augmented": Text(zh="增强", en="augmented"),
    "upside_down": Text(zh="转过头", en="upside down"),
}
_MEASURES = {
    "validation_accuracy": Text(zh="验证准确率", en="validation accuracy"),
    "train_accuracy": Text(zh="训练准确率", en="training accuracy"),
    "test_accuracy": Text(zh="测试准确率", en="test accuracy"),
    "gap": Text(zh="训练与测试之差", en="gap training to test"),
}

EXAMPLE = Example(
    id="tensorflow-data-augmentation",
    framework=Framework.TENSORFLOW,
    title=Text(zh="数据增强：一张图当许多张用", en="Data augmentation: one picture as many"),
    look_at=Text(
        zh="标注少时，随机平移旋转应当让测试准确率更高、与训练的差距更小。"
        "转到上下颠倒就过头了：6 成了 9，标签却还是 6，准确率反而下跌。",
        en="With few labels, random shifts and turns should raise the test accuracy and narrow its "
        "gap to training. Turns as far as upside down go too far: a 6 becomes a 9 that is still "
        "called 6, and accuracy drops.",
    ),
    compares=Text(zh="原样、增强、转过头", en="bare, augmented, turned too far"),
    claims=(
        at_least("augmented_test_accuracy", "bare_test_accuracy", plus=0.01),
        at_most("augmented_gap", "bare_gap"),
        at_most("upside_down_test_accuracy", "augmented_test_accuracy", plus=-0.05),
    ),
    parameters=Settings,
    metrics=tuple(
        MetricInfo(
            name=f"{variant}_{measure}",
            title=Text(zh=f"{who.zh}：{what.zh}", en=f"{who.en}: {what.en}"),
        )
        for measure, what in _MEASURES.items()
        for variant, who in _VARIANTS.items()
    ),
    run=run,
    limit_s=300,
)
