#ifndef PARCOURS_SERVICES_EVALUATION_TESTING_FAKE_PORTS_H_
#define PARCOURS_SERVICES_EVALUATION_TESTING_FAKE_PORTS_H_

#include <map>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "services/evaluation/domain/enrolment_port.h"
#include "services/evaluation/domain/scheduling_port.h"

namespace parcours::evaluation {

// The facts of a made-up learner, "Candidate <id>", who has completed.
EnrolmentFacts MakeLearner(const CohortName& cohort, const std::string& id);

// An enrolment service in memory. Thread-safe.
class FakeEnrolment final : public EnrolmentPort {
 public:
  // Adds or changes an enrolment, which also stands in the feed.
  void Put(const EnrolmentFacts& facts);
  // Says from now on that `person` has been erased, their enrolments without a
  // name.
  void Erase(const PersonName& person);
  // While down, every call is OWNER_UNAVAILABLE.
  void SetDown(bool down);
  // The feed forgets everything that it has said so far.
  void TrimFeed();

  absl::StatusOr<EnrolmentFacts> GetEnrolment(
      const access::Caller& caller, const EnrolmentName& name) override;
  absl::StatusOr<std::vector<EnrolmentFacts>> ListEnrolments(
      const access::Caller& caller, const CohortName& cohort) override;
  absl::StatusOr<std::vector<PersonName>> ListErasures(
      const access::Caller& caller, const BodyName& body) override;
  absl::StatusOr<EnrolmentChanges> ListChanges(
      const access::Caller& caller, const std::string& token) override;

 private:
  absl::Mutex mutex_;
  bool down_ ABSL_GUARDED_BY(mutex_) = false;
  std::map<EnrolmentName, EnrolmentFacts> enrolments_ ABSL_GUARDED_BY(mutex_);
  std::vector<PersonName> erased_ ABSL_GUARDED_BY(mutex_);
  std::vector<EnrolmentChange> changes_ ABSL_GUARDED_BY(mutex_);
  std::size_t floor_ ABSL_GUARDED_BY(mutex_) = 0;
};

// A scheduling service that says the same of everybody.
class FakeScheduling final : public SchedulingPort {
 public:
  explicit FakeScheduling(std::vector<AttendanceFigures> figures)
      : figures_(std::move(figures)) {}
  absl::StatusOr<std::vector<AttendanceFigures>> ListAttendance(
      const access::Caller&, const CohortName&) override {
    return figures_;
  }

 private:
  const std::vector<AttendanceFigures> figures_;
};

}  // namespace parcours::evaluation

#endif  // PARCOURS_SERVICES_EVALUATION_TESTING_FAKE_PORTS_H_
