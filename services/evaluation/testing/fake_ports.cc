#include "services/evaluation/testing/fake_ports.h"

#include <algorithm>

#include "absl/strings/numbers.h"
#include "common/status/error.h"
#include "common/text/view.h"

namespace parcours::evaluation {
namespace {

constexpr std::size_t kPage = 7;

absl::Status Down() {
  return MakeError(Reason::kOwnerUnavailable, {{"resource", "enrolment"}});
}

}  // namespace

EnrolmentFacts MakeLearner(const CohortName& cohort, const std::string& id) {
  return {.name = ChildName<EnrolmentName>(cohort, "enrolments", id),
          .person = ChildName<PersonName>(cohort.Under<BodyName>(), "persons",
                                          "learner-" + id),
          .display_name = "Candidate " + id,
          .payer_kind = "INDIVIDUAL",
          .funder_id = "",
          .state = EnrolmentState::kCompleted,
          .has_measures = false};
}

void FakeEnrolment::Put(const EnrolmentFacts& facts) {
  const absl::MutexLock lock(&mutex_);
  enrolments_[facts.name] = facts;
  changes_.push_back({.kind = "enrolment", .resource = facts.name.text()});
}

void FakeEnrolment::Erase(const PersonName& person) {
  const absl::MutexLock lock(&mutex_);
  for (auto& [name, facts] : enrolments_) {
    if (facts.person != person) continue;
    facts.display_name.clear();
    facts.has_measures = false;
    changes_.push_back({.kind = "enrolment", .resource = name.text()});
  }
  erased_.push_back(person);
  changes_.push_back(
      {.kind = "erasure",
       .resource = ChildName<ErasureName>(person.Under<BodyName>(), "erasures",
                                          person.id())
                       .text()});
}

void FakeEnrolment::SetDown(bool down) {
  const absl::MutexLock lock(&mutex_);
  down_ = down;
}

void FakeEnrolment::TrimFeed() {
  const absl::MutexLock lock(&mutex_);
  floor_ = changes_.size();
}

absl::StatusOr<EnrolmentFacts> FakeEnrolment::GetEnrolment(
    const access::Caller&, const EnrolmentName& name) {
  const absl::MutexLock lock(&mutex_);
  if (down_) return Down();
  const auto found = enrolments_.find(name);
  if (found == enrolments_.end()) {
    return MakeError(Reason::kNotFound, {{"resource", name.text()}});
  }
  return found->second;
}

absl::StatusOr<std::vector<EnrolmentFacts>> FakeEnrolment::ListEnrolments(
    const access::Caller&, const CohortName& cohort) {
  const absl::MutexLock lock(&mutex_);
  if (down_) return Down();
  std::vector<EnrolmentFacts> listed;
  for (const auto& [name, facts] : enrolments_) {
    if (name.Under<CohortName>() == cohort) listed.push_back(facts);
  }
  return listed;
}

absl::StatusOr<std::vector<PersonName>> FakeEnrolment::ListErasures(
    const access::Caller&, const BodyName& body) {
  const absl::MutexLock lock(&mutex_);
  if (down_) return Down();
  std::vector<PersonName> persons;
  for (const PersonName& person : erased_) {
    if (person.Under<BodyName>() == body) persons.push_back(person);
  }
  return persons;
}

absl::StatusOr<EnrolmentChanges> FakeEnrolment::ListChanges(
    const access::Caller&, const std::string& token) {
  const absl::MutexLock lock(&mutex_);
  if (down_) return Down();
  std::size_t position = floor_;
  if (!token.empty()) {
    uint64_t parsed = 0;
    if (!absl::SimpleAtoi(token, &parsed)) {
      return MakeFieldError("after_token", Reason::kFieldMalformed,
                            {{"expected", "a token"}});
    }
    position = parsed;
    if (position < floor_) return MakeError(Reason::kFeedTrimmed);
  }
  const std::size_t end = std::min(changes_.size(), position + kPage);
  EnrolmentChanges answer;
  for (std::size_t i = position; i < end; ++i) {
    answer.changes.push_back(changes_[i]);
  }
  answer.next_token = Cat(end);
  answer.more = end < changes_.size();
  return answer;
}

}  // namespace parcours::evaluation
