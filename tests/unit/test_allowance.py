"""What a run's analytics may take: prompts and epochs from seconds."""

import pytest

from easymodel_nb.train.analytics.allowance import Costs, decide, spread

EPOCHS = [1.0, 2.0, 3.0, 4.0]
CHEAP = Costs(forward=1e-6, answer=0.001, judging=0.001)


def test_a_cheap_run_is_measured_after_every_epoch():
    found = decide(CHEAP, share=0.1, seconds=100, available=200, epochs=EPOCHS)
    assert (found.prompts, found.epochs, found.noise_prompts) == (64, EPOCHS, 32)
    assert found.sentence == "64 prompts at base and after every epoch: about 1 % of the run."
    assert found.due(2.0)
    assert not found.due(2.5)


def test_what_costs_more_is_measured_at_fewer_epochs_and_at_the_last():
    costs = Costs(forward=1.0, answer=1.0, judging=0.0)
    found = decide(costs, share=0.1, seconds=2600, available=200, epochs=EPOCHS)
    # 260 s: base and last take 128, the noise floor 64, one more epoch 64.
    assert (found.prompts, found.epochs, found.noise_prompts) == (64, [2.0, 4.0], 32)
    assert found.seconds_expected == 256
    assert found.sentence == "64 prompts at base, epoch 2 and epoch 4: about 10 % of the run."


def test_before_there_are_fewer_epochs_there_are_no_fewer_prompts_than_base_and_last_allow():
    costs = Costs(forward=1.0, answer=1.0, judging=0.0)
    found = decide(costs, share=0.1, seconds=700, available=200, epochs=EPOCHS)
    assert (found.prompts, found.epochs, found.noise_prompts) == (32, [4.0], 0)


def test_many_epochs_are_counted_not_named():
    epochs = [float(number) for number in range(1, 1001)]
    costs = Costs(forward=1.0, answer=1.0, judging=0.0)
    found = decide(costs, share=0.1, seconds=64_000, available=200, epochs=epochs)
    assert len(found.epochs) > 90
    said = f"64 prompts at base and after {len(found.epochs)} of 1,000 epochs: about 10 % of"
    assert found.sentence.startswith(said)


def test_too_little_says_what_would_be_needed():
    costs = Costs(forward=1.0, answer=16.0, judging=1.0)
    found = decide(costs, share=0.1, seconds=600, available=200, epochs=EPOCHS)
    assert (found.prompts, found.epochs) == (0, [])
    assert not found.due(4.0)
    assert found.reason == (
        "16 prompts would take 9 min, more than 10 % of this run: raise the analytics budget."
    )


@pytest.mark.parametrize("seconds", [0.0, 1.0])
def test_short_runs_are_measured_too(seconds: float):
    found = decide(CHEAP, share=0.1, seconds=seconds, available=64, epochs=EPOCHS)
    assert found.epochs == EPOCHS
    assert (": about 1 s." if seconds == 0 else " of the run.") in found.sentence
    assert found.sentence.endswith("it may take 30 s for this.")
    long = decide(CHEAP, share=0.1, seconds=1e6, available=64, epochs=EPOCHS)
    assert "it may take" not in long.sentence


def test_a_time_budget_has_no_floor():
    costs = Costs(forward=1.0, answer=0.5, judging=0.0)
    assert decide(costs, share=0.1, seconds=10, available=64, epochs=EPOCHS).prompts > 0
    limited = decide(costs, share=0.1, seconds=10, available=64, epochs=EPOCHS, limit=60)
    assert limited.reason is not None


def test_nothing_is_asked_without_a_budget_or_without_prompts():
    assert "budget is 0" in str(decide(CHEAP, share=0, seconds=1, available=9, epochs=[1]).reason)
    assert "no prompt" in str(decide(CHEAP, share=1, seconds=1, available=0, epochs=[1]).reason)


def test_few_validation_rows_are_all_asked():
    assert decide(CHEAP, share=0.1, seconds=1, available=5, epochs=EPOCHS).prompts == 5


@pytest.mark.parametrize(
    ("count", "chosen"), [(1, [4.0]), (2, [2.0, 4.0]), (3, [2.0, 3.0, 4.0]), (4, EPOCHS)]
)
def test_epochs_are_spread_and_the_last_is_among_them(count: int, chosen: list[float]):
    assert spread(EPOCHS, count) == chosen
