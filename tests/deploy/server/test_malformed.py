"""A few of what ``experiments/server/malformed.py`` sends by the ten thousand."""

import itertools

from tests.deploy.server.conftest import Target
from tests.deploy.server.serving import ask
from tests.experiments.loading import load_run


def test_no_5xx_no_traceback_and_right_answers_afterwards(raw: Target) -> None:
    hostile = load_run("server").hostile
    drawn = hostile.Malformed("student", 5, seed=1).draw()
    for content in itertools.islice(drawn, 300):
        assert hostile.faults(hostile.spoken(raw.port, content)) == [], content[:500]
    answer = ask(raw.port, "/predict", {"rows": raw.rows.tolist()})
    assert [each["class"] for each in answer.json["predictions"]] == raw.model.predict(raw.rows).tolist()
