"""`POST /violations`: a signed report is answered 2xx when it is on disk, else with what is wrong."""

from collections.abc import Mapping, Sequence

import structlog
from starlette.responses import JSONResponse, Response

from warroom.domain.decision import LoadedPack
from warroom.engine.ports import Clock
from warroom.errors import BadRequest, WarroomError
from warroom.violations import report
from warroom.violations.intake import Intake

log = structlog.get_logger("warroom.violations")


class Door:
    """Answers reports. `secrets` are shared with the reporters, more than one while they are rotated."""

    def __init__(self, intake: Intake, packs: Mapping[str, LoadedPack], secrets: Sequence[str], clock: Clock) -> None:
        self._intake = intake
        self._packs = packs
        self._secrets = secrets
        self._clock = clock

    async def answer(self, body: bytes, signature: str) -> Response:
        """The response to a report with this signature header."""
        try:
            report.verify(body, signature, self._secrets)
            taken = await self._intake.take(report.parse(body, self._packs, self._clock.now()))
        except BadRequest as error:
            log.warning("violation_report_refused", status=error.status, reason=str(error))
            wrong = {"violations": error.problems} if isinstance(error, report.BadReport) else {}
            return JSONResponse({"error": str(error), **wrong}, error.status)
        except WarroomError as error:
            log.error("violation_report_not_written", error=type(error).__name__, reason=str(error))
            return JSONResponse({"error": "The report was not written down: send it again."}, 503)
        return JSONResponse({"accepted": taken.accepted, "duplicates": taken.duplicates})
