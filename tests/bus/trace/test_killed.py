from tests.bus.trace.killed import kill_at_random


def test_a_kill_costs_only_what_happened_last(tmp_path, figure):
    """`kill -9` at ten random moments: what is lost is the end, never something in between, and one line may be cut."""
    kills = kill_at_random(tmp_path, 10, seed=1)
    figure(f"kill -9: oldest lost call, ms: {sorted(round(kill.lost_age / 1e6, 1) for kill in kills)}")
    assert all(kill.made > 0 for kill in kills)
    assert sum(kill.gaps for kill in kills) == 0
    assert all(kill.damaged <= 1 for kill in kills)
    assert sum(kill.lost for kill in kills) < sum(kill.made for kill in kills)
