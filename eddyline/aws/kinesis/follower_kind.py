"""What channels and queues answer alike, as followers of an on-demand stream.

Each is found by its ARN, counted by its stream, has tags and a policy, is listed by name in pages,
and is gone a while after it was deleted.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic

from eddyline.aws.errors import AwsError
from eddyline.aws.followers import F, Follower, Followers
from eddyline.aws.instant import Instant
from eddyline.aws.kinesis import tokens
from eddyline.aws.kinesis.context import KinesisContext
from eddyline.aws.kinesis.naming import name_in
from eddyline.aws.kinesis.resources import Resource, Tags
from eddyline.log import Stream, StreamInfo, StreamMode

A_PAGE = 100


@dataclass(frozen=True, slots=True)
class FollowerKind(Generic[F]):
    """One kind of followers. ``place``: how one stands in its ARN."""

    store: Callable[[KinesisContext], Followers[F]]
    noun: str
    place: Callable[[F], str]

    @property
    def title(self) -> str:
        """The kind as the model's members begin with it."""
        return self.noun.capitalize()

    def arn(self, context: KinesisContext, follower: F) -> str:
        """A follower's ARN."""
        return context.names.arn(self.noun, self.place(follower))

    def find(self, context: KinesisContext, arn: str) -> F:
        """The one an ARN names. Raises AwsError ``ResourceNotFoundException``."""
        local = context.names.local(arn)
        for follower in self.store(context).all():
            if self.arn(context, follower) == local:
                return follower
        words = f"{self.title} {arn} under account {context.names.account} not found."
        raise AwsError("ResourceNotFoundException", words)

    def count(self, context: KinesisContext, stream: str) -> int:
        """How many a stream has; those of an earlier one of its name do not count."""
        there = self.store(context).all()
        if not there:
            return 0
        stream_id = context.stream_named(stream).stream_id
        return sum(f.stream_id == stream_id for f in there)

    def resource(self, context: KinesisContext, arn: str) -> Resource | None:
        """The one an ARN names as a thing that has tags and a policy."""
        try:
            follower = self.find(context, arn)
        except AwsError:
            return None
        store = self.store(context)

        def change_tags(new: Callable[[Tags], Tags]) -> None:
            store.change(follower.id, tags=new(self.find(context, arn).tags))

        def set_policy(text: str | None) -> None:
            store.change(follower.id, policy=text)

        return Resource(
            self.arn(context, follower),
            tags=lambda: self.find(context, arn).tags,
            change_tags=change_tags,
            policy=lambda: self.find(context, arn).policy,
            set_policy=set_policy,
        )

    def stream(self, context: KinesisContext, source: Any) -> tuple[Stream, StreamInfo]:
        """The stream to follow. Raises AwsError unless it is active and on demand."""
        stream = context.stream(source)
        info = stream.info()
        context.check_active(info)
        if info.mode is not StreamMode.ON_DEMAND:
            words = (
                f"{self.title}s are only supported for ON_DEMAND streams; "
                f"{stream.name} is PROVISIONED."
            )
            raise AwsError("ValidationException", words)
        return stream, info

    def begun(
        self, context: KinesisContext, name: str, tags: Tags | None, stream: Stream
    ) -> dict[str, Any]:
        """The fields that every new one has."""
        now_ms = context.clock.now_ms()
        return {
            "id": uuid.uuid4().hex,
            "name": name,
            "stream": stream.name,
            "stream_id": stream.stream_id,
            "stream_created_ms": stream.info().created_ms,
            "created_ms": now_ms,
            "active_ms": now_ms + context.settings.stream_delay_ms,
            "tags": tags or {},
        }

    def add(self, context: KinesisContext, follower: F, places: dict[int, int]) -> None:
        """Keep a new one. Raises AwsError ``ResourceInUseException`` if its name is taken."""
        if not self.store(context).add(follower, places):
            account = context.names.account
            words = f"{self.title} {follower.name} under account {account} already exists."
            raise AwsError("ResourceInUseException", words)

    def delete(self, context: KinesisContext, arn: str) -> None:
        """Let one go. Raises AwsError ``ResourceNotFoundException``."""
        follower = self.find(context, arn)
        if follower.gone_ms is None:
            gone_ms = context.clock.now_ms() + context.settings.stream_delay_ms
            self.store(context).change(follower.id, gone_ms=gone_ms)

    def page(self, context: KinesisContext, request: Any) -> tuple[list[F], dict[str, str]]:
        """The page of a listing that is asked for, and the member that leads to the next one."""
        after, listing = "", f"{self.noun}s"
        if request.NextToken is not None:
            (after,) = tokens.page_of(listing, request.NextToken, context.clock)
        there = self.store(context).all()
        followers = [f for f in there if f.name > after and _passes(f, request.StreamFilter)]
        page = followers[: min(request.MaxResults or A_PAGE, A_PAGE)]
        if len(followers) == len(page):
            return page, {}
        return page, {"NextToken": tokens.page(listing, [page[-1].name], context.clock)}

    def named(self, context: KinesisContext, follower: F) -> dict[str, Any]:
        """What every answer about a follower begins with."""
        return {
            f"{self.title}Name": follower.name,
            f"{self.title}ARN": self.arn(context, follower),
            f"{self.title}Status": follower.status(context.clock.now_ms()),
            f"{self.title}CreationTimestamp": Instant(follower.created_ms),
        }


def only_source(request: Any) -> Any:
    """The one stream that is to be followed. Raises AwsError ``ValidationException``."""
    if len(request.StreamConfigurationList) != 1:
        words = "StreamConfigurationList must have exactly one entry."
        raise AwsError("ValidationException", words)
    return request.StreamConfigurationList[0]


def followed(context: KinesisContext, follower: Follower) -> dict[str, Any]:
    """The stream of a follower, as a listing has it."""
    return {
        "StreamARN": context.names.stream_arn(follower.stream),
        "StreamCreationTimestamp": Instant(follower.stream_created_ms),
    }


def _passes(follower: Follower, filter_: Any) -> bool:
    """Whether it is on one of the streams asked for."""
    if not filter_:
        return True
    return any(
        name_in(w.StreamARN) == follower.stream
        and w.StreamCreationTimestamp in (None, follower.stream_created_ms / 1000)
        for w in filter_
    )
