"""A session that failed, as recordings: as it was, as small as it gets, and the nearest run that is right.

Law: bytes out. Whoever calls it has the files.
"""

from dataclasses import replace

from devicectl.campaign.many.trials import Trials
from devicectl.campaign.recording_file import encode_trial
from devicectl.campaign.scenario import Scenario
from devicectl.campaign.shrinking.concrete import concrete
from devicectl.campaign.shrinking.shrink import MAX_RUNS, Shrunk, shrink
from devicectl.campaign.trial import Trial


def shrink_trial(trial: Trial, trials: Trials, *, max_runs: int = MAX_RUNS) -> Shrunk:
    """Return the smallest scenario that fails as a trial has, and the nearest that is right.

    Its faults are taken at the places where they began, as long as it fails so too.
    """
    exact = replace(trial.scenario, faults=concrete(trial.injector.firings))
    again = trials.run(exact).verdict
    same = again.failure == trial.verdict.failure and not again.unfired
    return shrink(exact if same else trial.scenario, lambda one: trials.run(one).verdict, max_runs=max_runs)


def encode_scenario(scenario: Scenario, trials: Trials) -> bytes:
    """Return the recording of a scenario's trial.

    Raises:
        CaptureError: there are more faults than the comment has room for.
    """
    trial = trials.run(scenario)
    return encode_trial(scenario, trial.verdict, trial.recording)
