"""Between incidents: what one incident tells another is an input to that one, like everything else that reaches it.

Every input changes one incident only. What concerns a second one is therefore an effect of the first, carried out here.
"""

from collections.abc import Awaitable, Callable, Mapping

from warroom.domain import on_lifted
from warroom.domain.inputs import Input
from warroom.engine.ports import Clock, Job
from warroom.engine.work import DecisionFailedError, Receipt
from warroom.errors import Refused, StoreError, TryAgain

SOURCE = "incident"


class Between:
    """Performs incident.lifted. Doing it again is harmless: the input has the effect's own name, and is taken once."""

    kinds = frozenset({on_lifted.KIND})

    def __init__(self, submit: Callable[[Input], Awaitable[Receipt]], clock: Clock) -> None:
        self._submit = submit
        self._clock = clock

    def buckets(self, job: Job) -> tuple[str, ...]:
        """None: it does not leave the house."""
        return ()

    async def find(self, job: Job) -> Mapping[str, object] | None:
        """Always None: it is simply told again."""
        return None

    async def perform(self, job: Job) -> Mapping[str, object]:
        """Returns when the other incident has it on disk. Raises TryAgain or Refused."""
        told = Input(
            source=SOURCE,
            source_id=f"{job.incident.id}:{job.effect.key}",
            received=self._clock.now(),
            body=on_lifted.heard(job.incident.id, job.effect.data),
        )
        try:
            await self._submit(told)
        except StoreError as error:
            raise TryAgain(str(error)) from error
        except DecisionFailedError as error:
            raise Refused(str(error)) from error
        return {}
