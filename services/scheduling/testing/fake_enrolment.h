#ifndef PARCOURS_SERVICES_SCHEDULING_TESTING_FAKE_ENROLMENT_H_
#define PARCOURS_SERVICES_SCHEDULING_TESTING_FAKE_ENROLMENT_H_

#include <map>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "services/scheduling/domain/enrolment_port.h"

namespace parcours::scheduling {

// Enrolment as a test tells it. Thread-safe.
class FakeEnrolment final : public EnrolmentPort {
 public:
  // Adds or changes, and tells the feed.
  void Put(const CohortFacts& facts);
  void Put(const EnrolmentFacts& facts);
  void PutPerson(const PersonName& name, const std::string& display_name);
  // The name goes from everything it says, as one change after the other.
  void Erase(const PersonName& name);
  void SetAction(const ActionFacts& action);

  // While down, every call is OWNER_UNAVAILABLE.
  void SetDown(bool down);
  // Forgets the feed up to here, as after a trim; its positions go on.
  void TrimFeed();

  absl::StatusOr<CohortFacts> GetCohort(const access::Caller& caller,
                                        const CohortName& name) override;
  absl::StatusOr<std::string> GetPersonDisplayName(
      const access::Caller& caller, const PersonName& name) override;
  absl::StatusOr<EnrolmentFacts> GetEnrolment(
      const access::Caller& caller, const EnrolmentName& name) override;
  absl::StatusOr<std::vector<EnrolmentFacts>> ListEnrolments(
      const access::Caller& caller, const CohortName& cohort) override;
  absl::StatusOr<ActionFacts> GetAction(
      const access::Caller& caller, const EnrolmentFacts& enrolment) override;
  absl::StatusOr<std::vector<PersonName>> ListErasures(
      const access::Caller& caller) override;
  absl::StatusOr<EnrolmentChanges> ListChanges(
      const access::Caller& caller, const std::string& token) override;

 private:
  absl::Status Reachable(const std::string& resource)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  absl::Mutex mutex_;
  std::map<std::string, CohortFacts> cohorts_ ABSL_GUARDED_BY(mutex_);
  std::map<std::string, EnrolmentFacts> enrolments_ ABSL_GUARDED_BY(mutex_);
  std::map<std::string, std::string> people_ ABSL_GUARDED_BY(mutex_);
  std::vector<PersonName> erased_ ABSL_GUARDED_BY(mutex_);
  ActionFacts action_ ABSL_GUARDED_BY(mutex_);
  std::vector<EnrolmentChange> feed_ ABSL_GUARDED_BY(mutex_);
  std::size_t trimmed_ ABSL_GUARDED_BY(mutex_) = 0;
  bool down_ ABSL_GUARDED_BY(mutex_) = false;
};

}  // namespace parcours::scheduling

#endif  // PARCOURS_SERVICES_SCHEDULING_TESTING_FAKE_ENROLMENT_H_
