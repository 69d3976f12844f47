"""The bus beside its model, for longer."""

from tests.bus.machine import run


def test_bus_is_as_the_model_says() -> None:
    """Each promise ends once, as it has to; each event is heard once; names resolve; a closed bus refuses."""
    run(examples=3_000)
