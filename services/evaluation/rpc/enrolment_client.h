#ifndef PARCOURS_SERVICES_EVALUATION_RPC_ENROLMENT_CLIENT_H_
#define PARCOURS_SERVICES_EVALUATION_RPC_ENROLMENT_CLIENT_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "grpcpp/channel.h"
#include "parcours/enrolment/v1/enrolment.grpc.pb.h"
#include "parcours/enrolment/v1/erasure.grpc.pb.h"
#include "parcours/platform/v1/change_feed.grpc.pb.h"
#include "services/evaluation/domain/enrolment_port.h"

namespace parcours::evaluation {

// EnrolmentPort over gRPC. Thread-safe.
class EnrolmentClient final : public EnrolmentPort {
 public:
  // `on_behind` is told, at each page of the feed, how many changes there are
  // from it on; it must be quick.
  explicit EnrolmentClient(
      const std::shared_ptr<grpc::Channel>& channel,
      std::function<void(int64_t changes)> on_behind = nullptr);

  absl::StatusOr<EnrolmentFacts> GetEnrolment(
      const access::Caller& caller, const EnrolmentName& name) override;
  absl::StatusOr<std::vector<EnrolmentFacts>> ListEnrolments(
      const access::Caller& caller, const CohortName& cohort) override;
  absl::StatusOr<std::vector<PersonName>> ListErasures(
      const access::Caller& caller, const BodyName& body) override;
  absl::StatusOr<EnrolmentChanges> ListChanges(
      const access::Caller& caller, const std::string& token) override;

 private:
  const std::unique_ptr<enrolment::v1::EnrolmentService::StubInterface>
      enrolments_;
  const std::unique_ptr<enrolment::v1::ErasureService::StubInterface> erasures_;
  const std::unique_ptr<platform::v1::ChangeFeedService::StubInterface> feed_;
  const std::function<void(int64_t)> on_behind_;
};

}  // namespace parcours::evaluation

#endif  // PARCOURS_SERVICES_EVALUATION_RPC_ENROLMENT_CLIENT_H_
