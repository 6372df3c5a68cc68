"""Data parallelism with tf.distribute: the same batch on one replica and on two."""

import time
from typing import Annotated

from pydantic import Field

from runners.datasets import load_split
from runners.example import Context, Example, Parameters, Says, at_most
from runners.figures import bars, curves, new_figure
from runners.protocol.catalogue import MetricInfo
from runners.protocol.words import Framework, Text


class Settings(Parameters):
    """What a learner may change."""

    epochs: Annotated[int, Field(ge=2, le=30), Says("训练轮数", "passes over the data")] = 5
    global_batch_size: Annotated[
        int,
        Field(ge=16, le=512, multiple_of=2),
        Says("全局批大小，平分给各副本", "global batch, shared out among the replicas"),
    ] = 128
    hidden: Annotated[
        int, Field(ge=16, le=2048), Says("隐藏层的神经元数", "units in the hidden layer")
    ] = 512
    learning_rate: Annotated[
        float, Field(ge=0.001, le=1), Says("SGD 的学习率", "learning rate of SGD")
    ] = 0.1


def run(context: Context, parameters: Settings) -> None:
    """Train one network on one replica, then on two that share each batch."""
    import tensorflow as tf

    tf.config.experimental.enable_op_determinism()
    kind = "GPU" if len(tf.config.list_physical_devices("GPU")) > 1 else "CPU"
    if kind == "CPU":  # without two GPUs, one processor plays two devices
        (cpu, *_) = tf.config.list_physical_devices("CPU")
        two = [tf.config.LogicalDeviceConfiguration()] * 2
        tf.config.set_logical_device_configuration(cpu, two)

    train, _, test = load_split("digits", context.datasets, side=28, seed=parameters.seed)
    # Only full batches: so every replica has the same share, and both runs see the same steps.
    steps = len(train.labels) // parameters.global_batch_size
    size = steps * parameters.global_batch_size
    x, y = train.images.reshape(-1, 784)[:size], train.labels[:size]

    def train_on(replicas: int) -> tuple[list[float], float, float]:
        """The mean loss of each epoch, the test accuracy, and pictures a second."""
        tf.keras.utils.set_random_seed(parameters.seed)  # the same first weights
        strategy = tf.distribute.MirroredStrategy(
            [f"/{kind}:{number}" for number in range(replicas)],
            cross_device_ops=tf.distribute.ReductionToOneDevice(),
        )
        with strategy.scope():  # variables made here live on every replica
            model = tf.keras.Sequential(
                [
                    tf.keras.Input((784,)),
                    tf.keras.layers.Dense(parameters.hidden, activation="relu"),
                    tf.keras.layers.Dense(10, activation="softmax"),
                ]
            )
            model.compile(
                tf.keras.optimizers.SGD(parameters.learning_rate),
                "sparse_categorical_crossentropy",
                metrics=["accuracy"],
            )
        data = tf.data.Dataset.from_tensor_slices((x, y))
        data = data.shuffle(size, seed=parameters.seed).batch(parameters.global_batch_size)
        losses, seconds = [], []
        for epoch in range(parameters.epochs):
            began = time.perf_counter()
            losses.append(model.fit(data, shuffle=False, verbose=0).history["loss"][0])
            seconds.append(time.perf_counter() - began)
            done = (replicas - 1) * parameters.epochs + epoch + 1
            context.progress(done, 2 * parameters.epochs)
            context.metric(step=epoch + 1, **{f"loss_{replicas}": losses[-1]})
        measured = model.evaluate(
            test.images.reshape(-1, 784), test.labels, verbose=0, return_dict=True
        )
        # The first epoch also traces the graph and does not count.
        return losses, measured["accuracy"], size / (sum(seconds[1:]) / len(seconds[1:]))

    one, accuracy_one, speed_one = train_on(1)
    two_losses, accuracy_two, speed_two = train_on(2)
    apart = max(abs(a - b) for a, b in zip(one, two_losses, strict=True))
    context.metric(
        accuracy_1=accuracy_one,
        accuracy_2=accuracy_two,
        throughput_1=speed_one,
        throughput_2=speed_two,
        speedup=speed_two / speed_one,
        largest_loss_difference=apart,
    )

    names = "1 个副本 replica", "2 个副本 replicas"
    speeds = {names[0]: speed_one, names[1]: speed_two}
    with new_figure("同一批数据，分给两个副本 one batch, two replicas", panels=2) as (figure, axes):
        curves(axes[0], "损失 loss", {names[0]: one}, dashed={names[1]: two_losses})
        bars(axes[1], "每秒图片数 pictures a second", speeds)
    context.figure(
        "parallel",
        figure,
        title=Text(zh="损失与吞吐", en="Loss and throughput"),
        alt=Text(
            zh=f"两条损失曲线最多相差 {apart:.1e}；一个副本每秒 {speed_one:,.0f} 张，"
            f"两个副本每秒 {speed_two:,.0f} 张（{kind}），是 {speed_two / speed_one:.2f} 倍。",
            en=f"The two loss curves differ by at most {apart:.1e}; one replica does "
            f"{speed_one:,.0f} pictures a second, two do {speed_two:,.0f} ({kind}), "
            f"{speed_two / speed_one:.2f} times as many.",
        ),
    )


EXAMPLE = Example(
    id="tensorflow-data-parallel",
    framework=Framework.TENSORFLOW,
    title=Text(zh="数据并行：一个副本对两个副本", en="Data parallelism: one replica against two"),
    look_at=Text(
        zh="两条损失曲线应当重合：梯度取平均后，两个副本走的是同一步。"
        "吞吐要真有两块 GPU 才会接近翻倍，"
        "同一个 CPU 上的两个多半更慢。",
        en="Both loss curves should coincide: with averaged gradients two replicas take the same "
        "step. Only two real GPUs come near twice the throughput; two replicas on one processor "
        "are mostly slower.",
    ),
    compares=Text(zh="1 个副本与 2 个副本", en="1 replica and 2 replicas"),
    claims=(at_most("largest_loss_difference", 1e-3),),
    parameters=Settings,
    metrics=(
        MetricInfo(name="loss_1", title=Text(zh="1 副本：损失", en="1 replica: loss")),
        MetricInfo(name="loss_2", title=Text(zh="2 副本：损失", en="2 replicas: loss")),
        MetricInfo(name="accuracy_1", title=Text(zh="1 副本：准确率", en="1 replica: accuracy")),
        MetricInfo(name="accuracy_2", title=Text(zh="2 副本：准确率", en="2 replicas: accuracy")),
        MetricInfo(
            name="throughput_1", title=Text(zh="1 副本：吞吐", en="1 replica: speed"), unit="img/s"
        ),
        MetricInfo(
            name="throughput_2", title=Text(zh="2 副本：吞吐", en="2 replicas: speed"), unit="img/s"
        ),
        MetricInfo(name="speedup", title=Text(zh="吞吐之比", en="speed, 2 over 1"), unit="×"),
        MetricInfo(
            name="largest_loss_difference",
            title=Text(zh="损失最大差", en="largest loss gap"),
        ),
    ),
    run=run,
    limit_s=300,
    cards=2,
    lower=("global_batch_size", "hidden"),
)
