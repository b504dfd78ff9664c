#include "services/enrolment/domain/retention.h"

#include <algorithm>
#include <set>
#include <string>
#include <utility>

#include "common/privacy/retention_period.h"
#include "common/status/macros.h"
#include "common/time/clock.h"

namespace parcours::enrolment {
namespace {

using privacy::RetentionClass;

constexpr int kMostApplications = 500;
constexpr int kMostPersons = 200;

constexpr char kRule[] = "retention.refused_application";

// Whether the time that `rule` gives is over for all that they applied to.
bool AreOverdue(const PersonRecord& record, const rules::DatedRule& rule,
                absl::CivilDay today) {
  return std::all_of(
      record.applications.begin(), record.applications.end(),
      [&](const Application& application) {
        const Cohort* const cohort = FindCohort(record, application.cohort);
        return cohort != nullptr &&
               privacy::IsOverdue(EndOfApplication(application, *cohort), rule,
                                  today);
      });
}

// What the transaction of `unit` finds. Of persons, those whom `free`, where
// there is one, names.
absl::StatusOr<std::vector<RetentionClass>> FindDue(
    EnrolmentUnit& unit, const rules::RuleBook& rules,
    const access::Caller& caller, const BodyName& body,
    const std::set<std::string>* free) {
  RETURN_IF_ERROR(unit.bodies().Get(caller.scope, body).status());
  const absl::CivilDay today = ParisDay(caller.now);
  ASSIGN_OR_RETURN(const rules::DatedRule rule, rules.AsOf(kRule, today));
  // Nothing that came later is due, not even where days begin later than in
  // Paris: what decides lies within it.
  const absl::Time before =
      ParisMidnight(privacy::FirstStartKept(rule, today) + 1);

  RetentionClass pieces{
      .kind = "application_pieces",
      .description_fr =
          "CV, lettres et justificatifs des candidatures qui n’ont pas abouti",
      .rule = rule,
      .starts_fr = "après la décision, le retrait ou la fin de la promotion",
      .due = {}};
  ASSIGN_OR_RETURN(
      const std::vector<Application> applications,
      unit.ApplicationsWithPieces(body, before, kMostApplications));
  for (const Application& application : applications) {
    ASSIGN_OR_RETURN(const Cohort cohort,
                     unit.cohorts().Get(caller.scope, application.cohort));
    if (privacy::IsOverdue(EndOfApplication(application, cohort), rule,
                           today)) {
      pieces.due.push_back(application.name.text());
    }
  }

  RetentionClass persons{
      .kind = "person",
      .description_fr =
          "Personnes ayant candidaté, que plus rien n’oblige à conserver",
      .rule = rule,
      .starts_fr = "après la dernière écriture à leur sujet",
      .due = {}};
  ASSIGN_OR_RETURN(const rules::DatedRule accounting,
                   rules.AsOf("retention.accounting", today));
  // The accounts of what ended in these years hold for certain: LegalHoldsOn
  // says the rest.
  const absl::CivilDay accounted(
      absl::CivilYear(privacy::FirstStartKept(accounting, today)));
  std::vector<PersonName> idle;
  do {
    const PersonName after = idle.empty() ? PersonName() : idle.back();
    ASSIGN_OR_RETURN(
        idle, unit.IdlePersons(body, before, accounted, after, kMostPersons));
    for (const PersonName& person : idle) {
      if (persons.due.size() == kMostPersons) break;
      if (free != nullptr && !free->contains(person.text())) continue;
      ASSIGN_OR_RETURN(const PersonRecord record,
                       unit.RecordOf(caller.scope, person));
      if (!AreOverdue(record, rule, today)) continue;
      ASSIGN_OR_RETURN(const std::vector<privacy::LegalHold> holds,
                       LegalHoldsOn(record, rules, caller.now));
      if (holds.empty()) persons.due.push_back(person.text());
    }
  } while (idle.size() == kMostPersons && persons.due.size() < kMostPersons);
  return std::vector<RetentionClass>{std::move(pieces), std::move(persons)};
}

std::vector<std::string>& PersonsOf(std::vector<RetentionClass>& classes) {
  return classes.back().due;
}

// What this service would let go, less whom another must keep.
absl::StatusOr<std::vector<RetentionClass>> FindDueEverywhere(
    EnrolmentStore& store, const rules::RuleBook& rules,
    const std::vector<PeerPort*>& peers, const access::Caller& caller,
    const BodyName& body) {
  std::vector<RetentionClass> due;
  RETURN_IF_ERROR(store.View(caller, [&](EnrolmentUnit& unit) -> absl::Status {
    ASSIGN_OR_RETURN(due, FindDue(unit, rules, caller, body, nullptr));
    return absl::OkStatus();
  }));
  std::vector<std::string> free;
  for (const std::string& person : PersonsOf(due)) {
    ASSIGN_OR_RETURN(
        const std::vector<privacy::LegalHold> holds,
        HoldsOfPeers(peers, caller, PersonName::FromRecord(person)));
    if (holds.empty()) free.push_back(person);
  }
  PersonsOf(due) = std::move(free);
  return due;
}

absl::Status RemovePieces(EnrolmentUnit& unit, const access::Caller& caller,
                          const ApplicationName& name) {
  ASSIGN_OR_RETURN(Application application,
                   unit.applications().Lock(caller.scope, name));
  if (application.pieces.empty()) return absl::OkStatus();
  std::vector<UploadName> uploads;
  for (const Piece& piece : application.pieces) uploads.push_back(piece.upload);
  application.pieces.clear();
  unit.applications().Update(application);
  return unit.ExpireUploads(uploads);
}

}  // namespace

absl::CivilDay EndOfApplication(const Application& application,
                                const Cohort& cohort) {
  switch (application.review_state) {
    case ReviewState::kRefused:
      return LocalDay(cohort, application.decision.decision_time);
    case ReviewState::kWithdrawn:
      return LocalDay(cohort, application.update_time);
    case ReviewState::kAwaitingPieces:
    case ReviewState::kReceived:
    case ReviewState::kAdmitted:
      return cohort.end_date;
  }
  return cohort.end_date;
}

absl::StatusOr<std::vector<RetentionClass>> DueIn(
    EnrolmentStore& store, const rules::RuleBook& rules,
    const std::vector<PeerPort*>& peers, const access::Caller& caller,
    const BodyName& body) {
  return FindDueEverywhere(store, rules, peers, caller, body);
}

absl::StatusOr<std::vector<RetentionClass>> RemoveDue(
    EnrolmentStore& store, const rules::RuleBook& rules,
    const ErasurePorts& ports, const access::Caller& caller,
    const BodyName& body,
    absl::FunctionRef<absl::Status(const std::vector<RetentionClass>&)> check) {
  ASSIGN_OR_RETURN(std::vector<RetentionClass> found,
                   FindDueEverywhere(store, rules, ports.peers, caller, body));
  const std::set<std::string> free(PersonsOf(found).begin(),
                                   PersonsOf(found).end());
  const auto remove = [&](EnrolmentUnit& unit) -> absl::StatusOr<std::string> {
    ASSIGN_OR_RETURN(found, FindDue(unit, rules, caller, body, &free));
    RETURN_IF_ERROR(check(found));
    // Persons first: their cohorts are locked before any single application.
    for (const std::string& person : PersonsOf(found)) {
      const auto name = PersonName::FromRecord(person);
      ASSIGN_OR_RETURN(PersonRecord record, unit.RecordOf(caller.scope, name));
      RETURN_IF_ERROR(NoteErasure(ports.log, name, caller.now));
      RETURN_IF_ERROR(EraseWithin(unit, rules, caller, std::move(record),
                                  ErasureGround::kRetention)
                          .status());
    }
    for (const std::string& application : found.front().due) {
      RETURN_IF_ERROR(
          RemovePieces(unit, caller, ApplicationName::FromRecord(application)));
    }
    return body.text();
  };
  ASSIGN_OR_RETURN(const ChangeOutcome outcome, store.Change(caller, remove));
  if (!outcome.replayed) return found;
  return FindDueEverywhere(store, rules, ports.peers, caller, body);
}

}  // namespace parcours::enrolment
