"""Overfitting, and what dropout and early stopping do about it."""

from typing import Annotated, Any

from pydantic import Field

from runners.datasets import load_split
from runners.example import Context, Example, Parameters, Says, at_most
from runners.figures import curves, new_figure
from runners.protocol.catalogue import MetricInfo
from runners.protocol.words import Framework, Text


class Settings(Parameters):
    """What a learner may change."""

    examples: Annotated[
        int, Field(ge=20, le=1000), Says("训练图片的张数", "pictures to learn from")
    ] = 100
    epochs: Annotated[int, Field(ge=2, le=300), Says("最多训练几轮", "passes at most")] = 120
    hidden: Annotated[
        int, Field(ge=8, le=1024), Says("每个隐藏层的神经元数", "units in each hidden layer")
    ] = 512
    dropout: Annotated[
        float, Field(ge=0, le=0.9), Says("Dropout 丢掉的比例", "share that dropout drops")
    ] = 0.5
    noise: Annotated[
        float, Field(ge=0, le=0.8), Says("标错的训练标签比例", "share of wrong training labels")
    ] = 0.2
    patience: Annotated[
        int, Field(ge=1, le=50), Says("几轮没有进步就停", "epochs without progress before stopping")
    ] = 5


def run(context: Context, parameters: Settings) -> None:
    """Train one network three ways on few pictures: bare, with dropout, and stopping early."""
    import numpy as np
    import tensorflow as tf

    tf.config.experimental.enable_op_determinism()
    split = load_split("digits", context.datasets, side=28, seed=parameters.seed)
    random = np.random.default_rng(parameters.seed)
    few = split.train.few(parameters.examples // 10)
    x = few.images.reshape(-1, 784)
    # Some labels are wrong, as people's are: only a network that memorises can learn those.
    wrong = random.random(len(x)) < parameters.noise
    y = np.where(wrong, random.integers(0, 10, len(x)), few.labels)
    validation = (split.validation.images.reshape(-1, 784), split.validation.labels)
    test = (split.test.images.reshape(-1, 784), split.test.labels)

    def build(dropout: float) -> tf.keras.Model:
        tf.keras.utils.set_random_seed(parameters.seed)
        return tf.keras.Sequential(
            [
                tf.keras.Input((784,)),
                tf.keras.layers.Dense(parameters.hidden, activation="relu"),
                tf.keras.layers.Dropout(dropout),
                tf.keras.layers.Dense(parameters.hidden, activation="relu"),
                tf.keras.layers.Dropout(dropout),
                tf.keras.layers.Dense(10, activation="softmax"),
            ]
        )

    stop = tf.keras.callbacks.EarlyStopping(
        monitor="val_loss", patience=parameters.patience, restore_best_weights=True
    )
    variants: dict[str, tuple[float, list[tf.keras.callbacks.Callback]]] = {
        "bare": (0.0, []),
        "dropout": (parameters.dropout, []),
        "early_stopping": (parameters.dropout, [stop]),
    }

    train_loss, validation_loss, accuracy = {}, {}, {}
    for number, (name, (dropout, callbacks)) in enumerate(variants.items()):

        def report(epoch: int, logs: Any = None, name: str = name, at: int = number) -> None:
            context.progress(at * parameters.epochs + epoch + 1, len(variants) * parameters.epochs)
            context.metric(step=epoch + 1, **{f"{name}_validation_loss": logs["val_loss"]})

        model = build(dropout)
        model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
        history = model.fit(
            x,
            y,
            validation_data=validation,
            epochs=parameters.epochs,
            batch_size=20,
            callbacks=[*callbacks, tf.keras.callbacks.LambdaCallback(on_epoch_end=report)],
            verbose=0,
        ).history
        # Whoever stopped early is through as well.
        context.progress((number + 1) * parameters.epochs, len(variants) * parameters.epochs)
        train_loss[name], validation_loss[name] = history["loss"], history["val_loss"]
        measured: Any = model.evaluate(*test, verbose=0, return_dict=True)
        accuracy[name] = measured["accuracy"]
        context.metric(**{f"{name}_test_{what}": value for what, value in measured.items()})
    context.metric(epochs_until_stop=len(train_loss["early_stopping"]))

    labels = {"bare": "不加 bare", "dropout": "Dropout", "early_stopping": "Dropout + 早停 stop"}
    with new_figure(f"{len(x)} 张图片，谁在背题 who memorises?") as (figure, (axes,)):
        curves(
            axes,
            "损失：实线验证，虚线训练 loss: solid validation, dashed training",
            {labels[name]: values for name, values in validation_loss.items()},
            dashed={f"{labels[name]} 训练 train": values for name, values in train_loss.items()},
        )
    best, last = min(validation_loss["bare"]), validation_loss["bare"][-1]
    turn, stopped = validation_loss["bare"].index(best) + 1, len(train_loss["early_stopping"])
    context.figure(
        "curves",
        figure,
        title=Text(zh="三种训练的损失曲线", en="Loss curves of the three trainings"),
        alt=Text(
            zh=f"不加任何办法时验证损失第 {turn} 轮最低，是 {best:.2f}，最后是 {last:.2f}；"
            f"早停在第 {stopped} 轮停下。测试准确率：不加 {accuracy['bare']:.1%}，"
            f"Dropout {accuracy['dropout']:.1%}，加早停 {accuracy['early_stopping']:.1%}。",
            en=f"Bare, the validation loss is lowest at epoch {turn}, {best:.2f}, and {last:.2f} "
            f"in the end; early stopping stops at epoch {stopped}. Test accuracy: bare "
            f"{accuracy['bare']:.1%}, dropout {accuracy['dropout']:.1%}, with early stopping "
            f"{accuracy['early_stopping']:.1%}.",
        ),
    )


_VARIANTS = {
    "bare": Text(zh="不加", en="bare"),
    "dropout": Text(zh="Dropout", en="dropout"),
    "early_stopping": Text(zh="早停", en="stopping"),
}
_MEASURES = {
    "test_accuracy": Text(zh="测试准确率", en="test accuracy"),
    "test_loss": Text(zh="测试损失", en="test loss"),
    "validation_loss": Text(zh="验证损失", en="validation loss"),
}

EXAMPLE = Example(
    id="tensorflow-overfitting",
    framework=Framework.TENSORFLOW,
    title=Text(zh="看着模型背题：过拟合与对策", en="Watch a network overfit"),
    look_at=Text(
        zh="找实线（验证）从哪一轮开始回升：从那里起就是在背题。再看 Dropout 和早停把它压到多低。",
        en="Find the epoch where a solid line (validation) turns up: from there on it is "
        "memorising. Then see how far dropout and early stopping hold it down.",
    ),
    compares=Text(zh="不加办法、Dropout、Dropout 加早停", en="bare, dropout, dropout and stopping"),
    claims=(
        at_most("early_stopping_test_loss", "bare_test_loss", times=0.8),
        at_most("early_stopping_test_loss", "dropout_test_loss", times=0.9),
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
        MetricInfo(
            name="epochs_until_stop", title=Text(zh="早停前的轮数", en="epochs until the stop")
        ),
    ),
    run=run,
    limit_s=300,
    lower=("hidden", "examples"),
)
