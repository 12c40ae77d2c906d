"""What an effect says, also when it waited in the database while its message changed."""

from pathlib import Path

from tests.outlets.conftest import a_job

from warroom.domain.views import VIEWS
from warroom.rendering import Catalog
from warroom.slack.compose import Composer

COMPOSER = Composer(Catalog.load(Path(__file__).parents[2] / "messages"), VIEWS)


def test_an_outcome_written_before_its_message_had_more_fields_is_told_all_the_same() -> None:
    old = {"action": "Halt all trading", "outcome": "confirmed", "scope": "all", "by": "Rita", "reason": "bad prices"}
    said = COMPOSER.message(a_job("slack.post", message="action_settled", context=old)).plain
    assert "Halt all trading: CONFIRMED. Trading is halted (all)." in said
    assert "send no new orders until you read here that trading resumes" in said
    assert "failed" not in said
