"""The state of a system at the end of a run, as its public APIs tell it; what it
is made of stands in checker.py.
"""

import time

import stage
from client import version_of
from load import row_of, word

# Longest wait for feeds and copies to have come to what is listed.
_PATIENCE = 20.0


def feed_of(client, service):
    rows, token = [], ""
    while True:
        answer = client.read(service, "ListChanges", after_token=token, page_size=1000)
        rows += [row_of(one) for one in answer.changes]
        token = answer.next_token
        if not answer.more:
            return rows


def _cohorts(client):
    for name in stage.COHORTS:
        cohort = client.read("enrolment", "GetCohort", name=name)
        yield {"name": name, "capacity": cohort.capacity, "held_count": cohort.held_count,
               "waitlisted_count": cohort.waitlisted_count}


def _applications(client):
    for cohort in stage.COHORTS:
        for one in client.read_all("enrolment", "ListApplications", parent=cohort):
            yield {"name": one.name, "cohort": cohort, "email": one.candidate.email,
                   "rank": one.rank, "place": word(one, "place_state", "PLACE_STATE_"),
                   "review": word(one, "review_state", "REVIEW_STATE_"),
                   "version": version_of(one.etag)}


def _enrolments(client):
    for cohort in stage.COHORTS:
        for one in client.read_all("enrolment", "ListEnrolments", parent=cohort):
            yield {"name": one.name, "application": one.application,
                   "state": word(one, "state", "STATE_"), "version": version_of(one.etag)}


def _roster(client, service):
    return [{"name": one.name, "enrolment": one.enrolment, "state": one.state}
            for cohort in stage.COHORTS
            for one in client.read_all(service, "ListRosterEntries", parent=cohort)]


def _entries(client, half_days):
    for half_day in half_days:
        for one in client.read_all("scheduling", "ListAttendanceEntries", parent=half_day):
            yield {"name": one.name, "half_day": half_day, "signer": one.signer,
                   "role": word(one, "signer_role", "SIGNER_ROLE_"),
                   "act": word(one, "act", "ACT_"), "about": one.about}


def _decisions(client):
    for cohort in stage.JURIES:
        jury = cohort + "/juries/jury"
        for one in client.read_all("evaluation", "ListDecisions", parent=jury):
            yield {"name": one.name, "jury": jury, "enrolment": one.enrolment,
                   "version": version_of(one.etag)}


def _chains(client, system, half_days):
    code, said = system.parcours("audit", "verify")
    yield {"name": "audit trails", "valid": code == 0, "text": said}
    for half_day in half_days:
        sheet = client.read("scheduling", "VerifyAttendanceSheet", name=half_day + "/sheet")
        yield {"name": half_day, "valid": sheet.valid, "text": str(sheet.problems)}
    minutes = client.read("evaluation", "VerifyMinutes", parent=stage.BODY)
    yield {"name": "minutes", "valid": minutes.intact,
           "text": f"differs from {minutes.first_broken_position} on"}


def _audit(client, service):
    reads = client.contracts.contract.pool.FindEnumTypeByName(
        "parcours.platform.v1.AuditRecord.Action").values_by_name["ACTION_READ"].number
    return [{"position": one.position, "request_id": one.record.request_id}
            for one in client.read_all(service, "ListAuditEntries")
            if one.record.action != reads]


def _last_changes(client, members):
    """A change of each service, after all others: once its feed tells of it, it
    tells of all before. (name, version) of each."""
    venue = f"{stage.BODY}/venues/salle-arrivees"
    answers = [
        client.change("enrolment", "UpdateProgramme", programme={
            "name": stage.READ, "display_name": "Programme fictif, pour finir"},
            update_mask={"paths": ["display_name"]}),
        client.change("scheduling", "UpdateVenue", venue={
            "name": venue, "display_name": "Salle fictive, pour finir"},
            update_mask={"paths": ["display_name"]},
            # Venues were made by the operator's command, not by a client.
            asked={"changes": False}),
        client.change("evaluation", "CreateJury", parent=stage.JURIES[0], jury_id="fin",
                      jury=stage.jury_of(members))]
    return [(stage.must(one, "a last change").name, version_of(one.etag)) for one in answers]


def read_state(client, system, members):
    """Waits until what follows has come to what it follows, but not for ever:
    what has not come by then is for the checker to say."""
    last = _last_changes(client, members)
    half_days = [one.name for one in client.read_all("scheduling", "ListHalfDays",
                                                     parent=stage.CLASS)]
    limit = time.monotonic() + _PATIENCE
    while True:
        for service in ("scheduling", "evaluation"):
            client.read(service, "SynchroniseRoster")
        state = {"cohorts": list(_cohorts(client)), "applications": list(_applications(client)),
                 "agreements": [
                     {"name": one.name, "application": one.application,
                      "version": version_of(one.etag)}
                     for one in client.read_all("enrolment", "ListAgreements",
                                                parent=stage.BODY)],
                 "enrolments": list(_enrolments(client)),
                 "entries": list(_entries(client, half_days)),
                 "decisions": list(_decisions(client)),
                 "certificates": [
                     {"name": one.name, "number": one.number, "enrolment": one.enrolment,
                      "decision": one.decision, "version": version_of(one.etag)}
                     for one in client.read_all("evaluation", "ListCertificates",
                                                parent=stage.BODY)],
                 "rosters": {service: _roster(client, service)
                             for service in ("scheduling", "evaluation")},
                 "feeds": {service: feed_of(client, service) for service in system.replicas}}
        told = {(row["resource"], row["version"])
                for rows in state["feeds"].values() for row in rows}
        missing = [one for one in last if one not in told]
        missing += [one for what in ("applications", "agreements", "enrolments", "decisions",
                                    "certificates") for one in state[what]
                   if (one["name"], one["version"]) not in told]
        copied = all(
            {(one["enrolment"], one["state"]) for one in roster} ==
            {(one["name"], one["state"]) for one in state["enrolments"]}
            for roster in state["rosters"].values())
        if (not missing and copied) or time.monotonic() > limit:
            break
        time.sleep(0.2)
    state["audit"] = {service: _audit(client, service) for service in system.replicas}
    state["chains"] = list(_chains(client, system, half_days))
    return state
