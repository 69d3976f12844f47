import shutil

import pytest

from tests.bus.trace.full_disk import NotPermittedError, run


def test_a_disk_that_fills_up_stops_the_recording_and_nothing_else(tmp_path, figure):
    """The program goes on and is told once; what is on the disk opens, without the line that was cut."""
    if shutil.which("unshare") is None:
        pytest.skip("a tiny file system needs a mount namespace, and there is no unshare(1) to make one")
    try:
        outcome = run(str(tmp_path))
    except NotPermittedError as error:
        pytest.skip(f"a tiny file system needs a mount namespace, which is not permitted here: {error}")
    figure(f"full disk: p50, p99 of a call in ns: before {outcome.before}, afterwards {outcome.after}")
    (said,) = outcome.said
    assert "recording to" in said
    assert "No space left on device; what is there can be opened" in said
    assert outcome.records > 100
    assert outcome.damaged <= 1
