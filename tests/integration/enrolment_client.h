#ifndef PARCOURS_TESTS_INTEGRATION_ENROLMENT_CLIENT_H_
#define PARCOURS_TESTS_INTEGRATION_ENROLMENT_CLIENT_H_

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "grpcpp/channel.h"
#include "parcours/enrolment/v1/application.grpc.pb.h"
#include "parcours/enrolment/v1/programme_service.grpc.pb.h"
#include "parcours/platform/v1/change_feed.grpc.pb.h"
#include "parcours/platform/v1/upload.grpc.pb.h"

namespace parcours::integration {

namespace pb = ::parcours::enrolment::v1;

// What became of one call of many.
struct Submitted {
  absl::Status status;
  pb::Application application;
  // Real time just before the call was started, and just after its answer.
  absl::Time sent;
  absl::Time answered;
};

// Sends `requests` at once, by turns over `channels`, and waits for all
// answers.
std::vector<Submitted> SubmitTogether(
    const std::vector<std::shared_ptr<grpc::Channel>>& channels,
    const std::vector<pb::SubmitApplicationRequest>& requests);

// Calls to an enrolmentd, as a client makes them. Thread-safe.
class EnrolmentClient {
 public:
  explicit EnrolmentClient(const std::shared_ptr<grpc::Channel>& channel);

  // The programme of programmes/culture-ess-2026.txtpb.
  static const pb::ProgrammeFile& File();
  static const std::string& Body() { return File().body().name(); }
  static const std::string& Programme() { return File().programme().name(); }
  static const std::string& Cohort() { return File().cohort().name(); }

  // Creates body, programme and cohort of the file and opens the cohort.
  absl::Status CreateAll() const;

  absl::StatusOr<platform::v1::Upload> CreateUpload(
      std::string_view bytes, const std::string& request_id) const;
  // Sends the bytes from `offset` on. The answer is COMPLETE after the last.
  absl::StatusOr<platform::v1::Upload> WriteUpload(const std::string& upload,
                                                   std::string_view bytes,
                                                   int64_t offset = 0) const;
  absl::StatusOr<platform::v1::Upload> GetUpload(const std::string& name) const;

  // A request with a fresh request_id, all required pieces uploaded, of the
  // made-up candidate of that number.
  absl::StatusOr<pb::SubmitApplicationRequest> CompleteFile(int number) const;
  // Those of the candidates `first` to `last`, uploads made in parallel.
  absl::StatusOr<std::vector<pb::SubmitApplicationRequest>> CompleteFiles(
      int first, int last) const;

  absl::StatusOr<pb::Application> Submit(
      const pb::SubmitApplicationRequest& request,
      absl::Duration patience = absl::Seconds(60)) const;
  // All of the cohort, by rank.
  absl::StatusOr<std::vector<pb::Application>> ListApplications() const;
  absl::StatusOr<pb::ExplainPlaceResponse> ExplainPlace(
      const std::string& application) const;
  absl::StatusOr<pb::Cohort> GetCohort() const;
  absl::StatusOr<pb::Programme> GetProgramme(
      absl::Duration patience = absl::Seconds(30)) const;
  absl::StatusOr<pb::Programme> RenameProgramme(
      const std::string& display_name) const;

  // Names of the applications in the order of the change feed's first rows on
  // them, once there are `count`; fewer after 30 s.
  absl::StatusOr<std::vector<std::string>> ApplicationsOfFeed(
      std::size_t count) const;

 private:
  const std::unique_ptr<pb::ProgrammeService::StubInterface> programmes_;
  const std::unique_ptr<pb::ApplicationService::StubInterface> applications_;
  const std::unique_ptr<platform::v1::UploadService::StubInterface> uploads_;
  const std::unique_ptr<platform::v1::ChangeFeedService::StubInterface> feed_;
};

// The bytes of a small PDF that differs from others by its text.
std::string SmallPdf(std::string_view text);

// A fresh UUID.
std::string NewRequestId();

}  // namespace parcours::integration

#endif  // PARCOURS_TESTS_INTEGRATION_ENROLMENT_CLIENT_H_
