"""Chart of docs/models/flexibility.md: `python docs/plots flexibility` writes it."""  # noqa: INP001

from chart import Curve, chart
from test_flexibility_demonstrations import full_hall

from cosim.core.activations import promised
from cosim.core.flexibility import Activate

UNTIL_S, SHOWN_S = 150, 3


def promise_chart() -> str:
    """Power of a full hall through a promise, with the promise and what was reached in London."""
    hall, inputs, before_mw = full_hall()
    order = Activate(p_mw=-0.3 * before_mw, duration_s=60.0)
    promise = promised(hall.flexibility(1.0, order.duration_s, inputs), 1.0, 0, order)
    hall.command(1.0, 0, "activate", order)
    seconds = range(UNTIL_S)
    delivered = [hall.step(1.0 + t_s, 1.0, inputs)["p_mw"][0] / before_mw for t_s in seconds]
    wanted = [(promise.baseline_mw + promise.mean_mw(1.0 + t_s, 1.0)) / before_mw for t_s in seconds]
    return chart(
        "time after the order [s]",
        "power at the meter, of that before [pu]",
        [
            Curve("promised", [t_s + 0.5 for t_s in seconds], wanted, 5, "dashes"),
            Curve("delivered", [t_s + 0.5 for t_s in seconds[::SHOWN_S]], delivered[::SHOWN_S], 0),
            Curve("London, published", [30.0, 30.0], [0.70, 0.65], 1, "dots"),
        ],
    )


CHARTS = {"flexibility_promise.svg": promise_chart}
