#include "services/scheduling/testing/fake_enrolment.h"

#include <algorithm>

#include "absl/strings/numbers.h"
#include "common/status/error.h"
#include "common/status/macros.h"
#include "common/text/view.h"

namespace parcours::scheduling {
namespace {

// Small, so that tests meet more than one page.
constexpr std::size_t kFeedPage = 2;

template <typename Facts>
absl::StatusOr<Facts> FindIn(const std::map<std::string, Facts>& known,
                             const std::string& name) {
  auto found = known.find(name);
  if (found == known.end()) {
    return MakeError(Reason::kNotFound, {{"resource", name}});
  }
  return found->second;
}

}  // namespace

void FakeEnrolment::Put(const CohortFacts& facts) {
  absl::MutexLock lock(&mutex_);
  cohorts_[facts.name.text()] = facts;
  feed_.push_back({"cohort", facts.name.text()});
}

void FakeEnrolment::Put(const EnrolmentFacts& facts) {
  absl::MutexLock lock(&mutex_);
  enrolments_[facts.name.text()] = facts;
  feed_.push_back({"enrolment", facts.name.text()});
}

void FakeEnrolment::PutPerson(const PersonName& name,
                              const std::string& display_name) {
  absl::MutexLock lock(&mutex_);
  people_[name.text()] = display_name;
  feed_.push_back({"person", name.text()});
}

void FakeEnrolment::Erase(const PersonName& name) {
  absl::MutexLock lock(&mutex_);
  for (auto& [enrolment, facts] : enrolments_) {
    if (facts.person != name) continue;
    facts.display_name.clear();
    facts.has_measures = false;
    feed_.push_back({"enrolment", enrolment});
  }
  people_[name.text()].clear();
  feed_.push_back({"person", name.text()});
  erased_.push_back(name);
  feed_.push_back({"erasure", Cat(name.body(), "/erasures/", name.id())});
}

void FakeEnrolment::SetAction(const ActionFacts& action) {
  absl::MutexLock lock(&mutex_);
  action_ = action;
}

void FakeEnrolment::SetDown(bool down) {
  absl::MutexLock lock(&mutex_);
  down_ = down;
}

void FakeEnrolment::TrimFeed() {
  absl::MutexLock lock(&mutex_);
  trimmed_ = feed_.size();
}

absl::Status FakeEnrolment::Reachable(const std::string& resource) {
  return down_ ? MakeError(Reason::kOwnerUnavailable, {{"resource", resource}})
               : absl::OkStatus();
}

absl::StatusOr<CohortFacts> FakeEnrolment::GetCohort(const access::Caller&,
                                                     const CohortName& name) {
  absl::MutexLock lock(&mutex_);
  RETURN_IF_ERROR(Reachable(name.text()));
  return FindIn(cohorts_, name.text());
}

absl::StatusOr<std::string> FakeEnrolment::GetPersonDisplayName(
    const access::Caller&, const PersonName& name) {
  absl::MutexLock lock(&mutex_);
  RETURN_IF_ERROR(Reachable(name.text()));
  return FindIn(people_, name.text());
}

absl::StatusOr<EnrolmentFacts> FakeEnrolment::GetEnrolment(
    const access::Caller&, const EnrolmentName& name) {
  absl::MutexLock lock(&mutex_);
  RETURN_IF_ERROR(Reachable(name.text()));
  return FindIn(enrolments_, name.text());
}

absl::StatusOr<std::vector<EnrolmentFacts>> FakeEnrolment::ListEnrolments(
    const access::Caller&, const CohortName& cohort) {
  absl::MutexLock lock(&mutex_);
  RETURN_IF_ERROR(Reachable(cohort.text()));
  std::vector<EnrolmentFacts> found;
  for (const auto& [name, facts] : enrolments_) {
    if (facts.name.Under<CohortName>() == cohort) found.push_back(facts);
  }
  return found;
}

absl::StatusOr<ActionFacts> FakeEnrolment::GetAction(
    const access::Caller&, const EnrolmentFacts& enrolment) {
  absl::MutexLock lock(&mutex_);
  RETURN_IF_ERROR(Reachable(enrolment.name.text()));
  return action_;
}

absl::StatusOr<std::vector<PersonName>> FakeEnrolment::ListErasures(
    const access::Caller&) {
  absl::MutexLock lock(&mutex_);
  RETURN_IF_ERROR(Reachable("erasures"));
  return erased_;
}

absl::StatusOr<EnrolmentChanges> FakeEnrolment::ListChanges(
    const access::Caller&, const std::string& token) {
  absl::MutexLock lock(&mutex_);
  RETURN_IF_ERROR(Reachable("changes"));
  std::size_t position = trimmed_;
  if (!token.empty()) {
    if (!absl::SimpleAtoi(token, &position)) {
      return MakeFieldError("after_token", Reason::kFieldMalformed,
                            {{"expected", "a token"}});
    }
    if (position < trimmed_) return MakeError(Reason::kFeedTrimmed);
  }
  EnrolmentChanges page;
  const std::size_t end = std::min(feed_.size(), position + kFeedPage);
  for (; position < end; ++position) page.changes.push_back(feed_[position]);
  page.next_token = Cat(end);
  page.more = end < feed_.size();
  return page;
}

}  // namespace parcours::scheduling
