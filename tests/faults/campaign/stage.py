"""The body, programmes and cohorts of a run, and how far they have come when the
faults begin: two cohorts that receive applications, one that sits in class, and
three before their juries, all on one morning of business time.
"""

import concurrent.futures
import datetime

BODY = "bodies/fictif"
ARRIVALS = f"{BODY}/cohorts/arrivees"
FILES = f"{BODY}/cohorts/dossiers"
CLASS = f"{BODY}/cohorts/classe"
JURIES = [f"{BODY}/cohorts/jury-{i}" for i in (1, 2, 3)]
COHORTS = [ARRIVALS, FILES, CLASS, *JURIES]
# A programme that nothing depends on, to be read and renamed.
READ = f"{BODY}/programmes/lu"
TRAINER = "formatrice-fictive"

OPENING = datetime.date(2026, 1, 6)
# The course of those before a jury, long ago.
PAST = datetime.date(2026, 1, 20)
# The Monday on which a run begins; the clock of the year does not change after.
TODAY = datetime.date(2026, 3, 2)
CLASS_DAYS = [TODAY + datetime.timedelta(days=i) for i in range(18)
              if (TODAY + datetime.timedelta(days=i)).weekday() < 5]
# Offers last less than a half-day and the break after it.
OFFER_HOURS = 5
COMMITMENT_DAYS = 3
_OFFSET = "+01:00"
_ORGANISERS = 4

_FILE = """
fictitious: true
source: "Inventé pour les essais"
body {{ name: "{body}" display_name: "Organisme Fictif" address_lines: "1 rue Fictive"
  email: "formation@example.org" time_zone: "Europe/Paris" }}
programme {{
  name: "{body}/programmes/{programme}" display_name: "Programme fictif {programme}"
  certificate_title: "Certificat fictif" certificate_kind: "certificat"
  access_conditions {{ minimum_experience_years: 1 text: "Une année" }}
  assessment {{ note_required: false jury_required: {jury} {quorum} }}
  module_groups {{ id: "groupe" title: "Groupe"
    modules {{ id: "module" title: "Module" contents: "Contenu" }} }}
  parties {{ role: ROLE_SELLER display_name: "Organisme Fictif" }}
  parties {{ role: ROLE_CERTIFIER display_name: "Certificateur Fictif" }}
  {certification}
  duration_minutes: {minutes} duration_months: 1 thematic_day_count: {day_count}
  delivery_mode: DELIVERY_MODE_IN_PERSON
  rank_event: RANK_EVENT_COMPLETE_FILE {pieces}
  application_text: "Une lettre"
  contact {{ display_name: "Coordination fictive" email: "formation@example.org" }}
}}
cohort {{
  name: "{cohort}" programme: "{body}/programmes/{programme}" display_name: "{programme}"
  capacity: {capacity} minimum: 1 time_zone: "Europe/Paris"
  application_open_date {{ {opening} }} application_close_date {{ {closing} }}
  entry_cutoff_date {{ {start} }} start_date {{ {start} }} end_date {{ {end} }}
  commitment_deadline_days: {commitment} offer_validity_hours: {offer}
  prices {{ payer_kind: PAYER_KIND_INDIVIDUAL amount_cents: 31500 }}
  assessment_calendar {{ jury_date {{ {today} }} }}
}}
venues {{ id: "{venue}" display_name: "Salle fictive {venue}" address_lines: "1 rue Fictive"
  kind: VENUE_KIND_TEACHING capacity: 40 }}
half_day_slots {{ kind: HALF_DAY_KIND_MORNING start_time {{ hours: 9 }} end_time {{ hours: 12 }} }}
half_day_slots {{ kind: HALF_DAY_KIND_AFTERNOON start_time {{ hours: 14 }}
  end_time {{ hours: 17 }} }}
trainers {{ id: "{trainer}" display_name: "Formatrice Fictive {trainer}"
  kind: TRAINER_KIND_PRACTITIONER }}
"""
_DAY = """
days {{ date {{ {date} }} kind: DAY_KIND_THEMATIC
  half_days {{ kind: HALF_DAY_KIND_MORNING module_ids: "module" venue_id: "{venue}"
    trainer_ids: "{trainer}" }}
  half_days {{ kind: HALF_DAY_KIND_AFTERNOON module_ids: "module" venue_id: "{venue}"
    trainer_ids: "{trainer}" }} }}
"""
_CERTIFICATION = """
  certification_mode: CERTIFICATION_MODE_DELEGATED
  certification_mandate { reference: "Mandat fictif"
    effective_from { year: 2025 month: 1 day: 1 } effective_until { year: 2030 month: 1 day: 1 } }
"""


def _date(day):
    return f"year: {day.year} month: {day.month} day: {day.day}"


def _file(cohort, capacity, days, pieces=False, jury=False):
    slug = cohort.rpartition("/")[2]
    venue, trainer = f"salle-{slug}", f"{TRAINER}-{slug}"
    text = _FILE.format(
        body=BODY, programme=slug, cohort=cohort, capacity=capacity, venue=venue,
        trainer=trainer, minutes=360 * len(days), day_count=len(days),
        jury=str(jury).lower(), quorum="jury_quorum: 2" if jury else "",
        certification=_CERTIFICATION if jury else "",
        pieces="required_pieces: PIECE_KIND_LETTER" if pieces else "",
        opening=_date(OPENING), closing=_date(days[0]), start=_date(days[0]),
        end=_date(days[-1]), commitment=COMMITMENT_DAYS, offer=OFFER_HOURS, today=_date(TODAY))
    return text + "".join(_DAY.format(date=_date(day), venue=venue, trainer=trainer)
                          for day in days)


def instant(day, hour, minute=0):
    return f"{day.isoformat()}T{hour:02d}:{minute:02d}:00{_OFFSET}"


def move_to(client, time):
    """Moves the business time of all services, enrolment first; `time` as text."""
    clock = client.request("enrolment", "AdvanceTime", {}).business_time
    clock.FromJsonString(time)
    for service in ("enrolment", "scheduling", "evaluation"):
        client.read(service, "AdvanceTime", business_time=clock)


def _together(task, items):
    with concurrent.futures.ThreadPoolExecutor(_ORGANISERS) as pool:
        return list(pool.map(task, items))


def must(answer, what):
    if answer is None:
        raise AssertionError(f"the stage is not set: {what} was refused")
    return answer


def submit(client, cohort, email, pieces=()):
    return client.change(
        "enrolment", "SubmitApplication", parent=cohort, asked={"cohort": cohort, "email": email},
        application={"candidate": {"given_name": "Candidate", "family_name": "Fictive",
                                   "email": email, "experience_years": 3},
                     "payer": {"kind": "PAYER_KIND_INDIVIDUAL"}}, pieces=pieces)


def admit(client, application):
    return client.change("enrolment", "AdmitApplication", name=application,
                         decider="Coordinatrice Fictive", reason="Conditions remplies.")


def draw_up(client, application):
    return client.change("enrolment", "CreateAgreement", parent=BODY,
                         agreement={"application": application})


def sign(client, agreement):
    return client.change("enrolment", "SignAgreement", name=agreement,
                         signatory="Candidate Fictive", at_distance=True)


def confirm(client, application):
    return client.change("enrolment", "ConfirmPlace", application=application,
                         commitment="COMMITMENT_KIND_SIGNED_AGREEMENT")


def _enrol(clients, cohort, count):
    """So many people with confirmed places."""
    def enrol(i):
        client = clients[i % len(clients)]
        application = must(submit(client, cohort,
                                  f"{cohort.rpartition('/')[2]}.{i}@example.org"), "an application")
        must(admit(client, application.name), "an admission")
        agreement = must(draw_up(client, application.name), "an agreement")
        must(sign(client, agreement.name), "a signature")
        return must(confirm(client, application.name), "a confirmation")

    # Each client belongs to one thread.
    def share(k):
        return [enrol(i) for i in range(k, count, len(clients))]

    return [one for done in _together(share, range(len(clients))) for one in done]


def _go(client, cohort):
    must(client.change("enrolment", "DecideCohort", name=cohort, decision="GO_DECISION_GO",
                       decider="Coordinatrice Fictive", reason="Effectif atteint."), "GO")


def _apply(system, folder, cohort, **what):
    path = folder / f"{cohort.rpartition('/')[2]}.txtpb"
    path.write_text(_file(cohort, **what), encoding="utf-8")
    code, said = system.parcours("programme", "apply", str(path), "--open", "--publish")
    if code != 0:
        raise AssertionError(f"{path.name} is not applied: {said[-2000:]}")


def jury_of(members):
    """A jury of those persons, for today."""
    return {"session_date": {"year": TODAY.year, "month": TODAY.month, "day": TODAY.day},
            "members": [{"person": name, "person_display_name": "Membre Fictif",
                         "role": "ROLE_MEMBER" if i else "ROLE_PRESIDENT"}
                        for i, name in enumerate(members)]}


def set_stage(system, folder, new_client, class_size, jury_size, capacity):
    """Brings the cohorts to where a run begins. `new_client` makes one by name."""
    clients = [new_client(f"organiser-{i}") for i in range(_ORGANISERS)]
    first = clients[0]
    later = [datetime.date(2026, 6, 1)]
    _apply(system, folder, ARRIVALS, capacity=capacity, days=later)
    _apply(system, folder, FILES, capacity=capacity, days=later, pieces=True)
    _apply(system, folder, CLASS, capacity=class_size, days=CLASS_DAYS)
    for cohort in JURIES:
        _apply(system, folder, cohort, capacity=jury_size, days=[PAST], jury=True)
    must(first.change("enrolment", "CreateProgramme", parent=BODY, programme_id="lu", programme={
        "display_name": "Programme fictif", "certificate_title": "Certificat fictif",
        "rank_event": "RANK_EVENT_COMPLETE_FILE", "assessment": {},
        "delivery_mode": "DELIVERY_MODE_IN_PERSON", "duration_minutes": 360,
        "module_groups": [{"id": "groupe", "title": "Groupe", "modules": [
            {"id": "module", "title": "Module"}]}],
        "parties": [{"role": "ROLE_SELLER", "display_name": "Organisme Fictif"}]}), "a programme")
    move_to(first, instant(OPENING, 9))
    for cohort in JURIES:
        _enrol(clients, cohort, jury_size)
        _go(first, cohort)
    _enrol(clients, CLASS, class_size)
    _go(first, CLASS)
    move_to(first, instant(PAST, 8))
    _every_enrolment(clients, JURIES, "StartEnrolment")
    move_to(first, instant(PAST, 18))
    _every_enrolment(clients, JURIES, "CompleteEnrolment")
    members = [must(first.change("enrolment", "CreatePerson", parent=BODY, person={
        "given_name": "Jury", "family_name": f"Fictif {i}",
        "email": f"jury.{i}@example.org"}), "a person").name for i in (1, 2, 3)]
    for cohort in JURIES:
        must(first.change("evaluation", "CreateJury", parent=cohort, jury_id="jury",
                          jury=jury_of(members)), "a jury")
    move_to(first, instant(TODAY, 8))
    _every_enrolment(clients, [CLASS], "StartEnrolment")
    for client in clients:
        client.close()
    return members


def _every_enrolment(clients, cohorts, method):
    names = [one.name for cohort in cohorts
             for one in clients[0].read_all("enrolment", "ListEnrolments", parent=cohort)]

    def share(k):
        for name in names[k::len(clients)]:
            must(clients[k].change("enrolment", method, name=name), method)

    _together(share, range(len(clients)))
