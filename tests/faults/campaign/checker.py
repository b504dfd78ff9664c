"""Says what a run did wrong, from its history and from the state that the public
APIs tell of at its end. Pure: no clock, no connection, no chance.

    checker.py RUN.json      the violations of a run that was kept

The state, all of it read after the last operation has ended:

    cohorts         name, capacity, held_count, waitlisted_count
    applications    name, cohort, email, rank, place, review, version
    agreements      name, application, version
    enrolments      name, application, state, version
    entries         name, half_day, signer, role, act, about
    decisions       name, jury, enrolment, version
    certificates    name, number, enrolment, decision, version
    rosters         by service: name, enrolment, state
    chains          name, valid, text: audit trails, attendance sheets, minutes
    feeds           by service: position, kind, resource, version, cause, removed
    audit           by service, changes only: position, request_id
"""

import bisect
import collections
import sys

import history as histories
from history import OK, REFUSED, UNKNOWN

# A service has to answer this long after the end of a fault. Time is judged
# nowhere else.
SECONDS_TO_HEALTH = 10.0

# Places that count against the capacity.
TAKEN = {"HELD", "OFFERED", "CONFIRMED", "AT_RISK"}

# What no fault may make a service answer: it would be the service's own error.
NEVER_ANSWERED = {"INTERNAL", "UNKNOWN", "DATA_LOSS", "UNIMPLEMENTED", "UNAUTHENTICATED",
                  "PERMISSION_DENIED"}

# Methods that make the resource they answer with.
CREATES = {"SubmitApplication", "CreateAgreement", "ConfirmPlace", "CreateAttendanceEntry",
           "CorrectAttendanceEntry"}

# Methods that may give a place on: the application that is offered it then has a
# row of theirs in the feed. That they are made once is told by the audit trail.
GIVES_ON = {"WithdrawApplication", "RefuseApplication", "DeclineOffer", "AdmitApplication"}

Violation = collections.namedtuple("Violation", "name text")


def violations(history, state):
    """Everything that is wrong, in no particular order; empty for a good run."""
    found = []
    for rule in (_answers, _capacity, _ranks, _ranks_follow_time, _acknowledged_is_there,
                 _nothing_twice, _refused_left_nothing, _feeds_are_dense,
                 _feeds_tell_everything, _feeds_tell_each_once, _feeds_follow_time,
                 _causes_before_effects, _followers_saw_the_feed, _reads_go_forwards,
                 _rosters_follow, _rosters_agree, _audit_tells_each_once, _chains_hold,
                 _health_came_back):
        for name, text in rule(history, state):
            found.append(Violation(name, text))
    return found


def _told(operation):
    return (f"{operation['method']} no. {operation['number']} ({operation['client']}, "
            f"request {operation['request_id']})")


def _acknowledged(history, *methods):
    return [one for one in history["operations"] if one["outcome"] == OK
            and (not methods or one["method"] in methods)]


def _answers(history, _):
    for one in history["operations"]:
        if one["outcome"] == UNKNOWN:
            yield "unanswered", f"{_told(one)}: never got an answer"
        for code in {one["code"], *one["doubts"]} & NEVER_ANSWERED:
            yield "wrong_error", f"{_told(one)}: {code} {one['reasons']}"
    for one in history["observations"]:
        if one["what"] == "refusal":
            yield "wrong_error", f"{one['service']}: a read was refused, {one['seen']}"
        if one["what"] == "end":
            yield "service_ended", f"{one['seen']['name']} ended with {one['seen']['code']}"


def _capacity(history, state):
    capacities = {one["name"]: one["capacity"] for one in state["cohorts"]}
    for cohort in state["cohorts"]:
        taken = [one for one in state["applications"]
                 if one["cohort"] == cohort["name"] and one["place"] in TAKEN]
        if len(taken) > cohort["capacity"]:
            yield "oversold", (f"{cohort['name']}: {len(taken)} places taken of "
                               f"{cohort['capacity']}")
        if cohort["held_count"] != len(taken):
            yield "miscounted", (f"{cohort['name']}: says {cohort['held_count']} places are "
                                 f"held, of {len(taken)} taken")
        waiting = sum(one["cohort"] == cohort["name"] and one["place"] == "WAITLISTED"
                      for one in state["applications"])
        if cohort["waitlisted_count"] != waiting:
            yield "miscounted", (f"{cohort['name']}: says {cohort['waitlisted_count']} wait, "
                                 f"of {waiting} who do")
    for one in history["observations"]:
        if one["what"] != "cohort":
            continue
        seen = one["seen"]
        if seen["held_count"] > capacities.get(seen["name"], 0):
            yield "oversold", (f"{seen['name']}: {seen['held_count']} places held while it ran, "
                               f"of {capacities.get(seen['name'])}")


def _ranks(history, state):
    by_cohort = collections.defaultdict(collections.Counter)
    final = {}
    for one in state["applications"]:
        final[one["name"]] = one["rank"]
        if one["rank"] > 0:
            by_cohort[one["cohort"]][one["rank"]] += 1
    for cohort, ranks in by_cohort.items():
        for rank, count in ranks.items():
            if count > 1:
                yield "doubled", f"{cohort}: rank {rank} is given {count} times"
        missing = set(range(1, max(ranks) + 1)) - set(ranks)
        if missing:
            yield "rank_gap", f"{cohort}: nobody has the ranks {sorted(missing)[:9]}"
    for one in _acknowledged(history, "SubmitApplication"):
        rank = final.get(one["said"]["name"])
        if rank is not None and rank != one["said"]["rank"]:
            yield "rank_changed", (f"{_told(one)}: was told rank {one['said']['rank']}, "
                                   f"has {rank}")


def _against_time(pairs):
    """Pairs of (operation, place) whose places contradict real time: one was
    acknowledged before the other was sent, and comes after it."""
    by_reply = sorted(pairs, key=lambda pair: pair[0]["reply"])
    replies = [pair[0]["reply"] for pair in by_reply]
    # The last in place of all that were acknowledged by then.
    last, so_far = None, []
    for pair in by_reply:
        last = pair if last is None or pair[1] > last[1] else last
        so_far.append(last)
    for operation, place in pairs:
        before = bisect.bisect_left(replies, operation["invoke"])
        if before and so_far[before - 1][1] > place:
            yield so_far[before - 1], (operation, place)


def _ranks_follow_time(history, state):
    final = {one["name"]: one for one in state["applications"]}
    by_cohort = collections.defaultdict(list)
    for one in _acknowledged(history, "SubmitApplication"):
        application = final.get(one["said"]["name"])
        if application is not None and application["rank"] > 0:
            by_cohort[application["cohort"]].append((one, application["rank"]))
    for cohort, pairs in by_cohort.items():
        for (earlier, late), (later, early) in _against_time(pairs):
            yield "ranks_against_time", (
                f"{cohort}: {_told(earlier)} was acknowledged before {_told(later)} was sent, "
                f"and has rank {late} after {early}")


def _resources(state):
    """Version by name, of everything that the state lists with one."""
    return {one["name"]: one["version"]
            for what in ("applications", "agreements", "enrolments", "decisions", "certificates")
            for one in state[what]}


def _acknowledged_is_there(history, state):
    versions = _resources(state)
    there = set(versions) | {one["name"] for one in state["entries"]}
    by_feed = {service: {(row["resource"], row["cause"]) for row in rows}
               for service, rows in state["feeds"].items()}
    for one in _acknowledged(history):
        name = one["said"].get("name")
        if name is None:
            continue
        if one["method"] in CREATES or name in versions:
            if name not in there:
                yield "lost", f"{_told(one)}: {name} was acknowledged and is not there"
                continue
        version = one["said"].get("version")
        if version and versions.get(name, version) < version:
            yield "lost", (f"{_told(one)}: acknowledged version {version} of {name}, which "
                           f"is at {versions[name]}")
        if one["asked"].get("changes", True) and \
                (name, one["method"]) not in by_feed[one["service"]]:
            yield "lost", f"{_told(one)}: the feed does not tell of {name}"


def _nothing_twice(history, state):
    def doubled(what, key, said):
        counts = collections.Counter(key(one) for one in state[what])
        for value, count in counts.items():
            if value and count > 1:
                yield "doubled", f"{said} {value} is there {count} times"

    yield from doubled("applications", lambda one: one["cohort"] + " " + one["email"],
                       "an application of")
    yield from doubled("enrolments", lambda one: one["application"], "an enrolment for")
    yield from doubled("certificates", lambda one: one["number"], "the certificate number")
    yield from doubled("certificates", lambda one: one["enrolment"], "a certificate for")
    yield from doubled("decisions", lambda one: one["jury"] + " " + one["enrolment"],
                       "a decision on")
    signatures = collections.Counter(
        (one["half_day"], one["signer"], one["role"]) for one in state["entries"]
        if one["act"] == "SIGNATURE")
    for signature, count in signatures.items():
        if count > 1:
            yield "doubled", f"the signature of {signature} is there {count} times"
    # One request, one resource; one resource made, one request.
    made = collections.defaultdict(set)
    for one in _acknowledged(history, *CREATES):
        made[one["said"].get("name")].add(one["request_id"])
    for name, requests in made.items():
        # ConfirmPlace keeps an enrolment that is there.
        if len(requests) > 1 and "/enrolments/" not in name:
            yield "doubled", f"{name} answers the requests {sorted(requests)}"
    # Of the same address or person, nothing that nobody asked for.
    asked = collections.Counter(
        one["asked"]["email"] for one in history["operations"]
        if one["method"] == "SubmitApplication" and one["outcome"] != REFUSED)
    for one in state["applications"]:
        if asked[one["email"]] == 0:
            yield "unasked", f"nobody has asked for {one['name']} of {one['email']}"


def _refused_left_nothing(history, state):
    emails = {one["email"] for one in state["applications"]}
    for one in history["operations"]:
        if one["method"] == "SubmitApplication" and one["outcome"] == REFUSED and \
                one["asked"]["email"] in emails:
            yield "refused_and_done", f"{_told(one)}: was refused and is there"


def _feeds_are_dense(_, state):
    for service, rows in state["feeds"].items():
        for expected, row in enumerate(rows, 1):
            if row["position"] != expected:
                yield "feed_gap", (f"{service}: position {expected} of the feed is missing; "
                                   f"{row['position']} comes")
                break
        last = {}
        for row in rows:
            before = last.get(row["resource"], 0)
            if row["version"] <= before:
                yield "feed_disorder", (f"{service}: version {row['version']} of "
                                        f"{row['resource']} comes after {before}")
            last[row["resource"]] = row["version"]


def _feeds_tell_everything(_, state):
    """The feed's last word on each resource is how the resource is."""
    last = {row["resource"]: row["version"] for rows in state["feeds"].values() for row in rows}
    for name, version in _resources(state).items():
        if last.get(name) != version:
            yield "feed_incomplete", (f"{name} is at version {version}, of which the feed does "
                                      f"not tell; its last is {last.get(name)}")


def _counted(history):
    """Changes by (service, method, resource): acknowledged, and at most made."""
    least, most = collections.Counter(), collections.Counter()
    for one in history["operations"]:
        name = one["said"].get("name") or one["asked"].get("name")
        if name is None or not one["asked"].get("changes", True):
            continue
        key = (one["service"], one["method"], name)
        least[key] += one["outcome"] == OK
        most[key] += one["outcome"] != REFUSED
    return least, most


def _feeds_tell_each_once(history, state):
    rows = collections.Counter((service, row["cause"], row["resource"])
                               for service, feed in state["feeds"].items() for row in feed)
    least, most = _counted(history)
    for key in set(least) | set(most):
        service, method, name = key
        if rows[key] > most[key] and method not in GIVES_ON:
            yield "doubled", (f"{service}: {method} of {name} took effect {rows[key]} times, "
                              f"and was asked for {most[key]} times")
        elif 0 < rows[key] < least[key]:
            yield "lost", (f"{service}: {method} of {name} was acknowledged {least[key]} times, "
                           f"and took effect {rows[key]} times")


def _feeds_follow_time(history, state):
    """What was acknowledged before another was sent comes before it in the feed."""
    positions = {}
    for service, feed in state["feeds"].items():
        for row in feed:
            key = (service, row["cause"], row["resource"])
            positions[key] = None if key in positions else row["position"]
    pairs = collections.defaultdict(list)
    for one in _acknowledged(history):
        position = positions.get((one["service"], one["method"], one["said"].get("name")))
        # Once only: which of several rows is this operation's is not known.
        if position is not None and one["asked"].get("changes", True):
            pairs[one["service"]].append((one, position))
    for service, of_service in pairs.items():
        for (earlier, late), (later, early) in _against_time(of_service):
            yield "feed_against_time", (
                f"{service}: {_told(earlier)} was acknowledged before {_told(later)} was sent, "
                f"and stands at {late} after {early}")


def _first_positions(feed):
    first = {}
    for row in feed:
        first.setdefault(row["resource"], row["position"])
    return first


def _causes_before_effects(_, state):
    enrolment = _first_positions(state["feeds"].get("enrolment", []))
    evaluation = _first_positions(state["feeds"].get("evaluation", []))
    scheduling = _first_positions(state["feeds"].get("scheduling", []))
    effects = [(enrolment, one["application"], one["name"])
               for what in ("enrolments", "agreements") for one in state[what]]
    effects += [(evaluation, one["jury"], one["name"]) for one in state["decisions"]]
    effects += [(evaluation, one["decision"], one["name"]) for one in state["certificates"]]
    effects += [(scheduling, one["about"], one["name"]) for one in state["entries"]
                if one["about"]]
    for first, cause, effect in effects:
        if cause in first and effect in first and first[cause] >= first[effect]:
            yield "effect_before_cause", (f"{effect} stands at {first[effect]} in the feed, and "
                                          f"its cause {cause} at {first[cause]}")


def _followers_saw_the_feed(history, state):
    """Who followed a feed through the faults was told what the feed says."""
    rows = {service: {row["position"]: row for row in feed}
            for service, feed in state["feeds"].items()}
    followed = collections.defaultdict(list)
    for one in history["observations"]:
        if one["what"] == "feed":
            followed[one["service"]] += one["seen"]["rows"]
    for service, seen in followed.items():
        expected = None
        for row in seen:
            if expected is not None and row["position"] != expected:
                yield "follower_gap", (f"{service}: a follower was told {row['position']} where "
                                       f"{expected} comes")
            expected = row["position"] + 1
            kept = rows[service].get(row["position"])
            if kept is None or any(kept[field] != row[field]
                                   for field in ("resource", "version", "cause")):
                yield "feed_rewritten", (f"{service}: a follower was told {row}, and the feed "
                                         f"says {kept}")


def _reads_go_forwards(history, _):
    """An answer is never older than what its reader knew when it asked."""
    for one in history["observations"]:
        if one["what"] == "read" and one["seen"]["version"] < one["seen"]["known"]:
            seen = one["seen"]
            yield "stale", (f"{seen['name']}: version {seen['version']} was answered to who knew "
                            f"{seen['known']} by the feed")


def _rosters_follow(history, state):
    """A roster shows an enrolment only once its owner's feed has told of it: the
    first look at that feed afterwards is past the enrolment's first change."""
    first = _first_positions(state["feeds"].get("enrolment", []))
    heads = sorted((one["invoke"], one["seen"]["head"]) for one in history["observations"]
                   if one["what"] == "feed" and one["service"] == "enrolment")
    invokes = [invoke for invoke, _ in heads]
    for one in history["observations"]:
        if one["what"] != "roster":
            continue
        after = bisect.bisect_right(invokes, one["reply"])
        for name in one["seen"]["enrolments"]:
            if name not in first:
                yield "roster_ahead", (f"{one['service']} had {name}, of which the feed of "
                                       "enrolment never tells")
            elif after < len(heads) and heads[after][1] < first[name]:
                yield "roster_ahead", (f"{one['service']} had {name} before the feed of "
                                       "enrolment told of it")


def _rosters_agree(_, state):
    states = {one["name"]: one["state"] for one in state["enrolments"]}
    for service, roster in state["rosters"].items():
        copies = {one["enrolment"]: one["state"] for one in roster}
        for name in sorted(set(states) | set(copies)):
            if states.get(name) != copies.get(name):
                yield "roster_wrong", (f"{service} has {name} as {copies.get(name)}, which is "
                                       f"{states.get(name)}")


def _audit_tells_each_once(history, state):
    """By request id: one entry for what was acknowledged, none for a refusal."""
    entries = collections.Counter((service, row["request_id"])
                                  for service, rows in state["audit"].items() for row in rows
                                  if row["request_id"])
    for one in history["operations"]:
        if not one["asked"].get("changes", True):
            continue
        count = entries[one["service"], one["request_id"]]
        if one["outcome"] == OK and count == 0:
            yield "lost", f"{_told(one)}: acknowledged, and not in the audit trail"
        if one["outcome"] == REFUSED and count:
            yield "refused_and_done", f"{_told(one)}: refused, and in the audit trail"
        if count > 1:
            yield "doubled", f"{_told(one)}: stands {count} times in the audit trail"


def _chains_hold(_, state):
    for chain in state["chains"]:
        if not chain["valid"]:
            yield "chain_broken", f"{chain['name']}: {chain['text']}"


def _health_came_back(history, _):
    for fault in history["faults"]:
        seconds = fault["seconds_to_health"]
        if seconds is None or seconds > SECONDS_TO_HEALTH:
            yield "unhealthy", (f"{fault['name']}: healthy "
                                f"{'never' if seconds is None else f'{seconds:.1f} s'} after it")


def main():
    history, state = histories.load(sys.argv[1])
    found = violations(history, state)
    for violation in found:
        print(f"{violation.name}: {violation.text}")
    print(f"{len(history['operations'])} operations, {len(found)} violations")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
