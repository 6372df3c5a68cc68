"""Early stopping (Prechelt, 1998): end at the best validation loss and go back to its weights."""

from typing import TYPE_CHECKING, Annotated, Any

from pydantic import Field

from runners.datasets import load_split
from runners.example import Context, Example, Parameters, Says, at_least, at_most
from runners.figures import bars, curves, new_figure
from runners.protocol.catalogue import MetricInfo
from runners.protocol.words import Framework, Text

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


class Settings(Parameters):
    """What a learner may change."""

    examples: Annotated[
        int, Field(ge=20, le=1000), Says("训练图片的张数", "pictures to learn from")
    ] = 200
    noise: Annotated[
        float, Field(ge=0, le=0.8), Says("标错的训练标签比例", "share of wrong training labels")
    ] = 0.2
    hidden: Annotated[
        int, Field(ge=8, le=1024), Says("每个隐藏层的神经元数", "units in each hidden layer")
    ] = 256
    epochs: Annotated[int, Field(ge=2, le=300), Says("最多训练几轮", "passes at most")] = 80
    patience: Annotated[
        int, Field(ge=1, le=50), Says("几轮没有进步就停", "epochs without progress before stopping")
    ] = 10


def run(context: Context, parameters: Settings) -> None:
    """Train one network to the end, stop it too soon, in good time, and with its best weights."""
    import numpy as np
    import tensorflow as tf

    tf.keras.utils.set_random_seed(parameters.seed)
    tf.config.experimental.enable_op_determinism()
    split = load_split("digits", context.datasets, side=28, seed=parameters.seed)
    random = np.random.default_rng(parameters.seed)
    few = split.train.few(parameters.examples // 10)
    x, validation_x, test_x = (
        part.images.reshape(-1, 784) for part in (few, split.validation, split.test)
    )
    # Some labels are wrong, as people's are: who trains for long learns those by heart.
    wrong = random.random(len(x)) < parameters.noise
    y = np.where(wrong, random.integers(0, 10, len(x)), few.labels)
    validation = tf.data.Dataset.from_tensors((validation_x, split.validation.labels))
    test = tf.data.Dataset.from_tensors((test_x, split.test.labels))

    model = tf.keras.Sequential(
        [
            tf.keras.Input((784,)),
            tf.keras.layers.Dense(parameters.hidden, activation="relu"),
            tf.keras.layers.Dense(parameters.hidden, activation="relu"),
            tf.keras.layers.Dense(10, activation="softmax"),
        ]
    )
    # Plain SGD remembers nothing, so the first weights are all that a fresh start needs.
    sgd = tf.keras.optimizers.SGD(learning_rate=0.2)
    model.compile(sgd, "sparse_categorical_crossentropy", metrics=["accuracy"])
    fresh = model.get_weights()

    def stop(patience: int, *, restore: bool) -> tf.keras.callbacks.Callback:
        return tf.keras.callbacks.EarlyStopping(
            monitor="val_loss", patience=patience, restore_best_weights=restore
        )

    variants = {
        "full": [],
        "hasty": [stop(1, restore=True)],
        "stopped": [stop(parameters.patience, restore=False)],  # False is what Keras does unasked
        "restored": [stop(parameters.patience, restore=True)],
    }
    total = len(variants) * parameters.epochs
    curve: dict[str, dict[str, list[float]]] = {}
    ends: dict[str, dict[str, Any]] = {}
    for number, (name, callbacks) in enumerate(variants.items()):

        def report(epoch: int, logs: Any = None, name: str = name, at: int = number) -> None:
            context.progress(at * parameters.epochs + epoch + 1, total)
            context.metric(step=epoch + 1, **{f"{name}_validation_loss": logs["val_loss"]})

        model.set_weights(fresh)
        data = tf.data.Dataset.from_tensor_slices((x, y))
        curve[name] = model.fit(
            data.shuffle(len(x), seed=parameters.seed).batch(20),  # in the same order for all four
            shuffle=False,  # the data set does that
            validation_data=validation,
            epochs=parameters.epochs,
            callbacks=[*callbacks, tf.keras.callbacks.LambdaCallback(on_epoch_end=report)],
            verbose=0,
        ).history
        context.progress((number + 1) * parameters.epochs, total)  # whoever stopped is through too
        # What the model holds now, which need not be what its last epoch left.
        held: Any = model.evaluate(validation, verbose=0)
        judged: Any = model.evaluate(test, verbose=0)
        ends[name] = {
            "epochs": len(curve[name]["loss"]),
            "validation_loss": held[0],
            "test_loss": judged[0],
            "test_accuracy": judged[1],
        }
        context.metric(**{f"{name}_{what}": value for what, value in ends[name].items()})
    losses = curve["restored"]["val_loss"]
    best = losses.index(min(losses)) + 1
    context.metric(best_epoch=best, epochs_saved=parameters.epochs - len(losses))
    draw(context, curve["full"], ends, best)


def draw(
    context: Context,
    full: "Mapping[str, Sequence[float]]",
    ends: "Mapping[str, Mapping[str, Any]]",
    best: int,
) -> None:
    """Show the loss of all epochs, where it was stopped, and what was held at each end."""
    epochs = {name: int(end["epochs"]) for name, end in ends.items()}
    labels = {"full": "练满\nfull", "hasty": "急停\nhasty", "stopped": "早停\nstopped"}
    labels["restored"] = "取回\nrestored"
    with new_figure("何时收手，拿哪份权重 When to stop, and with which weights?", panels=2) as (
        figure,
        (left, right),
    ):
        curves(left, "损失 loss", {"验证 validation": full["val_loss"], "训练 train": full["loss"]})
        marks = {"急停 hasty": epochs["hasty"], "最好 best": best, "停下 stop": epochs["restored"]}
        for (label, epoch), style in zip(marks.items(), ("--", ":", "-"), strict=True):
            left.axvline(epoch, linestyle=style, color="grey", label=f"{label}: {epoch}")
        heights = {labels[name]: end["test_loss"] for name, end in ends.items()}
        bars(right, "测试损失 test loss", heights, "{:.2f}")
    loss = {name: f"{end['test_loss']:.2f}" for name, end in ends.items()}
    lowest, saved = ends["restored"]["validation_loss"], epochs["full"] - epochs["restored"]
    context.figure(
        "stopping",
        figure,
        title=Text(zh="在哪里停，停下来拿什么", en="Where to stop, and with which weights"),
        alt=Text(
            zh=f"早停在第 {epochs['restored']} 轮停下，比练满 {epochs['full']} 轮少 {saved} 轮，"
            f"验证损失第 {best} 轮最低，是 {lowest:.2f}；耐心只有 1 的急停在第 {epochs['hasty']} "
            f"轮就停了。测试损失：练满 {loss['full']}，急停 {loss['hasty']}，停下时 "
            f"{loss['stopped']}，取回最好那轮 {loss['restored']}。",
            en=f"Early stopping ends at epoch {epochs['restored']} and saves {saved} of "
            f"{epochs['full']}; the validation loss was lowest at epoch {best}, {lowest:.2f}. With "
            f"a patience of 1 it ends at epoch {epochs['hasty']} already. Test loss: "
            f"{loss['full']} after all epochs, {loss['hasty']} with a patience of 1, "
            f"{loss['stopped']} at the stop, {loss['restored']} with the best weights restored.",
        ),
    )


_VARIANTS = {
    "full": Text(zh="练满", en="all epochs"),
    "hasty": Text(zh="急停", en="patience 1"),
    "stopped": Text(zh="早停", en="stopped"),
    "restored": Text(zh="早停并取回", en="restored"),
}
_MEASURES = {
    "epochs": Text(zh="训练的轮数", en="epochs trained"),
    "validation_loss": Text(zh="验证损失", en="validation loss"),
    "test_loss": Text(zh="测试损失", en="test loss"),
    "test_accuracy": Text(zh="测试准确率", en="test accuracy"),
}

EXAMPLE = Example(
    id="tensorflow-early-stopping",
    framework=Framework.TENSORFLOW,
    title=Text(zh="早停：何时收手，拿哪份权重", en="Early stopping: when, and with which weights"),
    look_at=Text(
        zh="左图：验证损失边抖边降，过了“最好”就往上走；耐心为 1 的急停被第一次抖动骗住，停得太早。"
        "右图：停下还不够，取回最好那轮的权重，测试损失才最低。",
        en="On the left, the validation loss falls unsteadily and rises after its best epoch; with "
        "a patience of 1 the first bump ends the training too soon. On the right, stopping alone "
        "is not enough: the test loss is lowest with the weights of the best epoch restored.",
    ),
    compares=Text(
        zh="练满、耐心为 1、早停、早停并取回最好权重",
        en="all epochs, patience 1, stopped, best restored",
    ),
    claims=(
        at_most("restored_test_loss", "full_test_loss", times=0.9),
        at_most("restored_test_loss", "stopped_test_loss", times=0.9),
        at_least("epochs_saved", 1),
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
        MetricInfo(name="best_epoch", title=Text(zh="验证损失最低的轮次", en="best epoch")),
        MetricInfo(name="epochs_saved", title=Text(zh="早停省下的轮数", en="epochs saved")),
    ),
    run=run,
    limit_s=300,
)
