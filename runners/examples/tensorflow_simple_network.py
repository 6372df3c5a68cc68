"""A two-layer classifier of handwritten digits in tf.keras."""

from typing import Annotated, Any

from pydantic import Field

from runners.datasets import Source, load_split
from runners.example import Context, Example, Parameters, Says, at_least
from runners.figures import curves, new_figure
from runners.protocol.catalogue import MetricInfo
from runners.protocol.words import Framework, Text


class Settings(Parameters):
    """What a learner may change."""

    epochs: Annotated[int, Field(ge=1, le=200), Says("训练轮数", "passes over the data")] = 60
    batch_size: Annotated[
        int, Field(ge=8, le=512), Says("每步的图片数", "pictures in one step")
    ] = 16
    learning_rate: Annotated[
        float, Field(ge=0.00001, le=0.1), Says("Adam 的学习率", "learning rate of Adam")
    ] = 0.001
    hidden: Annotated[
        int, Field(ge=4, le=1024), Says("隐藏层的神经元数", "units in the hidden layer")
    ] = 128
    data: Annotated[
        Source,
        Says(
            "图片来源；mnist 需要运行器上有 mnist.npz",
            "which pictures; mnist needs mnist.npz on the runner",
        ),
    ] = "digits"


def run(context: Context, parameters: Settings) -> None:
    """Train 784 → 128 ReLU → 10 softmax with Adam and categorical cross-entropy."""
    import tensorflow as tf

    tf.keras.utils.set_random_seed(parameters.seed)
    tf.config.experimental.enable_op_determinism()

    # A picture's 28 × 28 pixels become 784 inputs; the label 3 becomes 0 0 0 1 0 0 0 0 0 0.
    split = load_split(parameters.data, context.datasets, side=28, seed=parameters.seed)
    train, validation, test = (
        (part.images.reshape(-1, 784), tf.keras.utils.to_categorical(part.labels, 10))
        for part in split
    )

    model = tf.keras.Sequential(
        [
            tf.keras.Input((784,)),
            tf.keras.layers.Dense(parameters.hidden, activation="relu"),
            tf.keras.layers.Dense(10, activation="softmax"),
        ]
    )
    model.compile(
        optimizer=tf.keras.optimizers.Adam(parameters.learning_rate),
        loss="categorical_crossentropy",
        metrics=["accuracy"],
    )

    steps = -(-len(train[0]) // parameters.batch_size) * parameters.epochs

    def report_step(batch: int, logs: Any = None) -> None:  # noqa: ARG001 - Keras names them
        context.progress(int(model.optimizer.iterations.numpy()), steps)

    def report_epoch(epoch: int, logs: Any = None) -> None:
        context.metric(
            step=epoch + 1,
            train_loss=logs["loss"],
            train_accuracy=logs["accuracy"],
            validation_loss=logs["val_loss"],
            validation_accuracy=logs["val_accuracy"],
        )

    history = model.fit(
        *train,
        validation_data=validation,
        epochs=parameters.epochs,
        batch_size=parameters.batch_size,
        callbacks=[
            tf.keras.callbacks.LambdaCallback(
                on_train_batch_end=report_step, on_epoch_end=report_epoch
            )
        ],
        verbose=0,
    ).history

    measured = model.evaluate(*test, verbose=0, return_dict=True)
    loss, accuracy = measured["loss"], measured["accuracy"]
    context.metric(test_loss=loss, test_accuracy=accuracy, parameters=model.count_params())

    train_name, validation_name = "训练 train", "验证 validation"
    with new_figure("两层网络认数字 two layers read digits", panels=2) as (figure, (left, right)):
        curves(
            left,
            "损失 loss",
            {train_name: history["loss"], validation_name: history["val_loss"]},
        )
        curves(
            right,
            "准确率 accuracy",
            {train_name: history["accuracy"], validation_name: history["val_accuracy"]},
        )
    first, last = history["val_loss"][0], history["val_loss"][-1]
    context.figure(
        "curves",
        figure,
        title=Text(zh="损失与准确率", en="Loss and accuracy"),
        alt=Text(
            zh=f"{parameters.epochs} 轮训练中验证损失从 {first:.2f} 变到 {last:.2f}，"
            f"测试集准确率最后是 {accuracy:.1%}。",
            en=f"Over {parameters.epochs} epochs the validation loss goes from {first:.2f} to "
            f"{last:.2f}; in the end {accuracy:.1%} of the test pictures are read right.",
        ),
    )


EXAMPLE = Example(
    id="tensorflow-simple-network",
    framework=Framework.TENSORFLOW,
    title=Text(zh="TensorFlow 两层网络识别手写数字", en="A two-layer TensorFlow network"),
    look_at=Text(
        zh="看两条损失曲线一起降到第几轮，往后只有训练的那条还在降；测试集的图片从未参与训练，"
        "它的准确率才算数。",
        en="See until which epoch both loss curves fall; from there on only the training one does. "
        "The test pictures took no part in the training: theirs is the accuracy that counts.",
    ),
    claims=(at_least("test_accuracy", 0.9),),
    parameters=Settings,
    metrics=(
        MetricInfo(name="train_loss", title=Text(zh="训练损失", en="training loss")),
        MetricInfo(name="train_accuracy", title=Text(zh="训练准确率", en="training accuracy")),
        MetricInfo(name="validation_loss", title=Text(zh="验证损失", en="validation loss")),
        MetricInfo(
            name="validation_accuracy", title=Text(zh="验证准确率", en="validation accuracy")
        ),
        MetricInfo(name="test_loss", title=Text(zh="测试损失", en="test loss")),
        MetricInfo(name="test_accuracy", title=Text(zh="测试准确率", en="test accuracy")),
        MetricInfo(name="parameters", title=Text(zh="参数量", en="parameters")),
    ),
    run=run,
    limit_s=300,
    lower=("batch_size", "hidden"),
)
