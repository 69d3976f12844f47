from collections.abc import Iterator

import pytest

from tests.console.model.problems.watching import Watch, Watched


@pytest.fixture
def watch() -> Iterator[Watch]:
    """Watches a bus; its recorder is closed after the test."""
    watching: list[Watched] = []

    def begin(*args: object, **settings: object) -> Watched:
        watching.append(Watched(*args, **settings))  # type: ignore[arg-type]
        return watching[-1]

    yield begin
    for watched in watching:
        assert watched.recorder.close()
