#ifndef PARCOURS_SERVICES_ENROLMENT_RPC_PROGRAMME_RPC_H_
#define PARCOURS_SERVICES_ENROLMENT_RPC_PROGRAMME_RPC_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "absl/status/statusor.h"
#include "common/cache/read_through.h"
#include "common/rpc/call_context.h"
#include "common/rpc/kept_answer.h"
#include "common/rpc/shell.h"
#include "parcours/enrolment/v1/programme_service.grpc.pb.h"
#include "services/enrolment/rpc/dependencies.h"

namespace parcours::enrolment {

namespace pb = ::parcours::enrolment::v1;

// A programme as it is answered, before redaction.
struct AnsweredProgramme {
  rpc::KeptAnswer<pb::Programme> answer;
  int64_t version = 0;
};
using ProgrammeCache = cache::ReadThrough<AnsweredProgramme>;

// How programmes stand in the shared cache.
std::string EncodeProgramme(const AnsweredProgramme& programme);
std::optional<AnsweredProgramme> DecodeProgramme(std::string_view bytes);

// parcours.enrolment.v1.ProgrammeService.
class ProgrammeRpc final
    : public rpc::ServiceOf<
          pb::ProgrammeService,
          pb::ProgrammeService::WithRawCallbackMethod_GetProgramme<
              pb::ProgrammeService::CallbackService>> {
 public:
  // `programmes` caches what GetProgramme answers.
  ProgrammeRpc(rpc::Shell& shell, Dependencies dependencies,
               ProgrammeCache& programmes)
      : ServiceOf(shell),
        dependencies_(std::move(dependencies)),
        programmes_(programmes) {}

  PARCOURS_RPC(CreateBody, pb::CreateBodyRequest, pb::Body)
  PARCOURS_RPC(GetBody, pb::GetBodyRequest, pb::Body)
  PARCOURS_RPC(ListBodies, pb::ListBodiesRequest, pb::ListBodiesResponse)
  PARCOURS_RPC(UpdateBody, pb::UpdateBodyRequest, pb::Body)
  PARCOURS_RPC(CreateProgramme, pb::CreateProgrammeRequest, pb::Programme)
  PARCOURS_RPC_FROM_MEMORY(GetProgramme, pb::GetProgrammeRequest, pb::Programme)
  PARCOURS_RPC(ListProgrammes, pb::ListProgrammesRequest,
               pb::ListProgrammesResponse)
  PARCOURS_RPC(UpdateProgramme, pb::UpdateProgrammeRequest, pb::Programme)
  PARCOURS_RPC(CreateCohort, pb::CreateCohortRequest, pb::Cohort)
  PARCOURS_RPC(GetCohort, pb::GetCohortRequest, pb::Cohort)
  PARCOURS_RPC(ListCohorts, pb::ListCohortsRequest, pb::ListCohortsResponse)
  PARCOURS_RPC(UpdateCohort, pb::UpdateCohortRequest, pb::Cohort)
  PARCOURS_RPC(OpenCohort, pb::OpenCohortRequest, pb::Cohort)
  PARCOURS_RPC(DecideCohort, pb::DecideCohortRequest, pb::Cohort)
  PARCOURS_RPC(GetGoNoGo, pb::GetGoNoGoRequest, pb::GoNoGo)

 private:
  absl::StatusOr<pb::Body> CreateBody(const rpc::CallContext& call,
                                      const pb::CreateBodyRequest& request);
  absl::StatusOr<pb::Body> GetBody(const rpc::CallContext& call,
                                   const pb::GetBodyRequest& request);
  absl::StatusOr<pb::ListBodiesResponse> ListBodies(
      const rpc::CallContext& call, const pb::ListBodiesRequest& request);
  absl::StatusOr<pb::Body> UpdateBody(const rpc::CallContext& call,
                                      const pb::UpdateBodyRequest& request);
  absl::StatusOr<pb::Programme> CreateProgramme(
      const rpc::CallContext& call, const pb::CreateProgrammeRequest& request);
  absl::StatusOr<pb::Programme> GetProgramme(
      const rpc::CallContext& call, const pb::GetProgrammeRequest& request);
  absl::StatusOr<pb::ListProgrammesResponse> ListProgrammes(
      const rpc::CallContext& call, const pb::ListProgrammesRequest& request);
  absl::StatusOr<pb::Programme> UpdateProgramme(
      const rpc::CallContext& call, const pb::UpdateProgrammeRequest& request);
  absl::StatusOr<pb::Cohort> CreateCohort(
      const rpc::CallContext& call, const pb::CreateCohortRequest& request);
  absl::StatusOr<pb::Cohort> GetCohort(const rpc::CallContext& call,
                                       const pb::GetCohortRequest& request);
  absl::StatusOr<pb::ListCohortsResponse> ListCohorts(
      const rpc::CallContext& call, const pb::ListCohortsRequest& request);
  absl::StatusOr<pb::Cohort> UpdateCohort(
      const rpc::CallContext& call, const pb::UpdateCohortRequest& request);
  absl::StatusOr<pb::Cohort> OpenCohort(const rpc::CallContext& call,
                                        const pb::OpenCohortRequest& request);
  absl::StatusOr<pb::Cohort> DecideCohort(
      const rpc::CallContext& call, const pb::DecideCohortRequest& request);
  absl::StatusOr<pb::GoNoGo> GetGoNoGo(const rpc::CallContext& call,
                                       const pb::GetGoNoGoRequest& request);
  std::shared_ptr<const rpc::KeptAnswer<pb::Programme>> GetProgrammeFromMemory(
      const rpc::CallContext& call, const pb::GetProgrammeRequest& request);

  // `cohort` with the places that are taken now.
  absl::StatusOr<pb::Cohort> Viewed(const access::Caller& caller,
                                    const Cohort& cohort);

  const Dependencies dependencies_;
  ProgrammeCache& programmes_;
};

}  // namespace parcours::enrolment

#endif  // PARCOURS_SERVICES_ENROLMENT_RPC_PROGRAMME_RPC_H_
