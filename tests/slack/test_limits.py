"""Rate limits: every effect draws on buckets that exist, and they keep within Slack's tiers."""

from fnmatch import fnmatchcase

import pytest
from tests.slack.support import a_job, with_room

from warroom.slack.gateway import Gateway
from warroom.slack.limits import LIMITS, buckets


def test_a_post_draws_on_the_workspace_s_and_its_channel_s_bucket() -> None:
    assert buckets(a_job("slack.post", to="war_room")) == (
        "slack:chat.postMessage",
        "slack:chat.postMessage:#war-room",
    )
    assert buckets(a_job("slack.post", with_room("C1"), to="room"))[1] == "slack:chat.postMessage:C1"


@pytest.mark.parametrize("kind", sorted(Gateway.kinds))
def test_every_bucket_is_in_the_table(kind: str) -> None:
    for bucket in buckets(a_job(kind)):
        assert any(fnmatchcase(bucket, pattern) for pattern in LIMITS)


@pytest.mark.parametrize(
    ("bucket", "per_minute"),
    [
        ("slack:conversations.create", 20),
        ("slack:conversations.invite", 50),
        ("slack:chat.update", 50),
        ("slack:files.completeUploadExternal", 100),
        ("slack:chat.postMessage", 300),
    ],
)
def test_no_minute_lets_more_through_than_slack_does(bucket: str, per_minute: int) -> None:
    capacity, refill = LIMITS[bucket]
    assert capacity + refill * 60 == pytest.approx(per_minute)


def test_a_topic_that_marks_the_room_draws_on_both_limits() -> None:
    marks = a_job("slack.topic", with_room("C1"), topic="x", mark=True)
    assert buckets(marks) == ("slack:conversations.setTopic", "slack:conversations.setPurpose")
