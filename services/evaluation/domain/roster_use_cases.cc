#include "services/evaluation/domain/roster_use_cases.h"

#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "common/status/error.h"
#include "common/status/macros.h"
#include "common/types/record.h"
#include "services/evaluation/domain/erasure.h"
#include "services/evaluation/domain/erasure_use_cases.h"

namespace parcours::evaluation {
namespace {

bool MustStartOver(const absl::Status& status) {
  const std::optional<Reason> reason = ReasonOf(status);
  return reason == Reason::kFeedTrimmed ||
         reason == Reason::kFeedIncarnationChanged;
}

// What the owner says now of the enrolments that have changed.
absl::StatusOr<std::vector<EnrolmentFacts>> AskAbout(
    EnrolmentPort& enrolments, const access::Caller& caller,
    const std::vector<EnrolmentChange>& changes) {
  std::set<std::string> names;
  for (const EnrolmentChange& change : changes) {
    if (change.kind == "enrolment") names.insert(change.resource);
  }
  std::vector<EnrolmentFacts> facts;
  for (const std::string& name : names) {
    const absl::StatusOr<EnrolmentName> parsed = EnrolmentName::Parse(name);
    if (!parsed.ok()) continue;
    absl::StatusOr<EnrolmentFacts> one =
        enrolments.GetEnrolment(caller, *parsed);
    if (one.status().code() == absl::StatusCode::kNotFound) continue;
    if (!one.ok()) return one.status();
    facts.push_back(*std::move(one));
  }
  return facts;
}

// Whom the owner says that it has erased.
std::vector<PersonName> ErasedBy(const std::vector<EnrolmentChange>& changes) {
  std::vector<PersonName> persons;
  for (const EnrolmentChange& change : changes) {
    if (change.kind != "erasure") continue;
    const absl::StatusOr<ErasureName> erasure =
        ErasureName::Parse(change.resource);
    if (erasure.ok()) persons.push_back(PersonOf(*erasure));
  }
  return persons;
}

// The same of everybody whom it has ever erased.
absl::StatusOr<std::vector<PersonName>> AskWhoIsErased(
    EvaluationStore& store, EnrolmentPort& enrolments,
    const access::Caller& caller) {
  std::vector<BodyName> bodies;
  RETURN_IF_ERROR(store.View(caller, [&](EvaluationUnit& unit) -> absl::Status {
    ASSIGN_OR_RETURN(bodies, unit.Bodies());
    return absl::OkStatus();
  }));
  std::vector<PersonName> persons;
  for (const BodyName& body : bodies) {
    ASSIGN_OR_RETURN(const std::vector<PersonName> erased,
                     enrolments.ListErasures(caller, body));
    persons.insert(persons.end(), erased.begin(), erased.end());
  }
  return persons;
}

// Everything the owner says of the cohorts known here.
absl::StatusOr<std::vector<EnrolmentFacts>> AskAboutAll(
    EvaluationStore& store, EnrolmentPort& enrolments,
    const access::Caller& caller) {
  std::vector<AssessmentPlan> plans;
  RETURN_IF_ERROR(store.View(caller, [&](EvaluationUnit& unit) -> absl::Status {
    ASSIGN_OR_RETURN(plans, unit.AllPlans(caller.scope));
    return absl::OkStatus();
  }));
  std::vector<EnrolmentFacts> facts;
  for (const AssessmentPlan& plan : plans) {
    ASSIGN_OR_RETURN(const std::vector<EnrolmentFacts> listed,
                     enrolments.ListEnrolments(caller, plan.cohort()));
    facts.insert(facts.end(), listed.begin(), listed.end());
  }
  return facts;
}

// Makes the roster say what `facts` say; answers how many entries changed.
absl::StatusOr<int64_t> CopyAll(EvaluationUnit& unit,
                                const access::Caller& caller,
                                const std::vector<EnrolmentFacts>& facts) {
  std::vector<PersonName> persons;
  for (const EnrolmentFacts& one : facts) persons.push_back(one.person);
  ASSIGN_OR_RETURN(const std::set<PersonName> erased,
                   unit.ErasedAmong(persons));
  int64_t changed = 0;
  for (const EnrolmentFacts& one : facts) {
    ASSIGN_OR_RETURN(const std::optional<RosterEntry> known,
                     unit.roster().Find(caller.scope, RosterEntryOf(one.name)));
    RosterEntry entry = known.value_or(RosterEntry{});
    if (!Copy(one, entry)) continue;
    // What the owner said before it erased somebody brings nobody back.
    if (erased.contains(entry.person)) Erase(entry);
    ++changed;
    if (known.has_value()) {
      unit.roster().Update(entry);
    } else {
      unit.roster().Insert(entry);
    }
  }
  return changed;
}

// Writes the copies and the position in one transaction; answers how many
// copies changed, or nothing when somebody else has followed the feed
// meanwhile, so that no older answer overwrites a newer one.
absl::StatusOr<std::optional<int64_t>> Apply(
    EvaluationStore& store, const access::Caller& caller,
    const std::vector<EnrolmentFacts>& facts, const std::string& from,
    const std::string& to) {
  std::optional<int64_t> applied;
  RETURN_IF_ERROR(
      store
          .Change(caller,
                  [&](EvaluationUnit& unit) -> absl::StatusOr<std::string> {
                    applied.reset();
                    ASSIGN_OR_RETURN(const std::string now,
                                     unit.RosterPosition());
                    if (now != from) return std::string("roster");
                    ASSIGN_OR_RETURN(applied, CopyAll(unit, caller, facts));
                    unit.SetRosterPosition(to);
                    return std::string("roster");
                  })
          .status());
  return applied;
}

absl::StatusOr<std::string> Position(EvaluationStore& store,
                                     const access::Caller& caller) {
  std::string token;
  RETURN_IF_ERROR(store.View(caller, [&](EvaluationUnit& unit) -> absl::Status {
    ASSIGN_OR_RETURN(token, unit.RosterPosition());
    return absl::OkStatus();
  }));
  return token;
}

}  // namespace

absl::StatusOr<RosterProgress> SynchroniseRoster(EvaluationStore& store,
                                                 EnrolmentPort& enrolments,
                                                 privacy::ErasureLog& log,
                                                 const access::Caller& caller) {
  // What follows is many changes, none of which is the caller's own.
  access::Caller follower = caller;
  follower.request_id.clear();
  follower.request_digest.clear();

  RosterProgress progress;
  while (true) {
    ASSIGN_OR_RETURN(progress.feed_token, Position(store, follower));
    absl::StatusOr<EnrolmentChanges> changes =
        enrolments.ListChanges(follower, progress.feed_token);
    std::vector<EnrolmentFacts> facts;
    std::vector<PersonName> erased;
    if (MustStartOver(changes.status()) && !progress.feed_token.empty()) {
      ASSIGN_OR_RETURN(facts, AskAboutAll(store, enrolments, follower));
      ASSIGN_OR_RETURN(erased, AskWhoIsErased(store, enrolments, follower));
      changes = EnrolmentChanges{.changes = {}, .next_token = "", .more = true};
    } else if (!changes.ok()) {
      return changes.status();
    } else {
      ASSIGN_OR_RETURN(facts, AskAbout(enrolments, follower, changes->changes));
      erased = ErasedBy(changes->changes);
    }
    // Before the position says that it was done.
    for (const PersonName& person : erased) {
      RETURN_IF_ERROR(ErasePerson(store, log, follower, person));
    }
    if (changes->next_token == progress.feed_token) return progress;
    ASSIGN_OR_RETURN(const std::optional<int64_t> applied,
                     Apply(store, follower, facts, progress.feed_token,
                           changes->next_token));
    if (!applied.has_value()) continue;
    progress.applied_count += *applied;
    progress.feed_token = changes->next_token;
    if (!changes->more) return progress;
  }
}

}  // namespace parcours::evaluation
