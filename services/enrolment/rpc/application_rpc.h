#ifndef PARCOURS_SERVICES_ENROLMENT_RPC_APPLICATION_RPC_H_
#define PARCOURS_SERVICES_ENROLMENT_RPC_APPLICATION_RPC_H_

#include <utility>

#include "absl/status/statusor.h"
#include "common/rpc/call_context.h"
#include "common/rpc/shell.h"
#include "parcours/enrolment/v1/application.grpc.pb.h"
#include "services/enrolment/rpc/dependencies.h"

namespace parcours::enrolment {

namespace pb = ::parcours::enrolment::v1;

// parcours.enrolment.v1.ApplicationService.
class ApplicationRpc final : public rpc::ServiceOf<pb::ApplicationService> {
 public:
  ApplicationRpc(rpc::Shell& shell, Dependencies dependencies)
      : ServiceOf(shell), dependencies_(std::move(dependencies)) {}

  PARCOURS_RPC(SubmitApplication, pb::SubmitApplicationRequest, pb::Application)
  PARCOURS_RPC(GetApplication, pb::GetApplicationRequest, pb::Application)
  PARCOURS_RPC(ListApplications, pb::ListApplicationsRequest,
               pb::ListApplicationsResponse)
  PARCOURS_RPC(AttachPiece, pb::AttachPieceRequest, pb::Application)
  PARCOURS_RPC(RequestPiece, pb::RequestPieceRequest, pb::Application)
  PARCOURS_RPC(AdmitApplication, pb::AdmitApplicationRequest, pb::Application)
  PARCOURS_RPC(RefuseApplication, pb::RefuseApplicationRequest, pb::Application)
  PARCOURS_RPC(ReopenApplication, pb::ReopenApplicationRequest, pb::Application)
  PARCOURS_RPC(WithdrawApplication, pb::WithdrawApplicationRequest,
               pb::Application)
  PARCOURS_RPC(AcceptOffer, pb::AcceptOfferRequest, pb::Application)
  PARCOURS_RPC(DeclineOffer, pb::DeclineOfferRequest, pb::Application)
  PARCOURS_RPC(ChangePayer, pb::ChangePayerRequest, pb::Application)
  PARCOURS_RPC(ReportFundingFailure, pb::ReportFundingFailureRequest,
               pb::Application)
  PARCOURS_RPC(ExplainPlace, pb::ExplainPlaceRequest, pb::ExplainPlaceResponse)

 private:
  absl::StatusOr<pb::Application> SubmitApplication(
      const rpc::CallContext& call,
      const pb::SubmitApplicationRequest& request);
  absl::StatusOr<pb::Application> GetApplication(
      const rpc::CallContext& call, const pb::GetApplicationRequest& request);
  absl::StatusOr<pb::ListApplicationsResponse> ListApplications(
      const rpc::CallContext& call, const pb::ListApplicationsRequest& request);
  absl::StatusOr<pb::Application> AttachPiece(
      const rpc::CallContext& call, const pb::AttachPieceRequest& request);
  absl::StatusOr<pb::Application> RequestPiece(
      const rpc::CallContext& call, const pb::RequestPieceRequest& request);
  absl::StatusOr<pb::Application> AdmitApplication(
      const rpc::CallContext& call, const pb::AdmitApplicationRequest& request);
  absl::StatusOr<pb::Application> RefuseApplication(
      const rpc::CallContext& call,
      const pb::RefuseApplicationRequest& request);
  absl::StatusOr<pb::Application> ReopenApplication(
      const rpc::CallContext& call,
      const pb::ReopenApplicationRequest& request);
  absl::StatusOr<pb::Application> WithdrawApplication(
      const rpc::CallContext& call,
      const pb::WithdrawApplicationRequest& request);
  absl::StatusOr<pb::Application> AcceptOffer(
      const rpc::CallContext& call, const pb::AcceptOfferRequest& request);
  absl::StatusOr<pb::Application> DeclineOffer(
      const rpc::CallContext& call, const pb::DeclineOfferRequest& request);
  absl::StatusOr<pb::Application> ChangePayer(
      const rpc::CallContext& call, const pb::ChangePayerRequest& request);
  absl::StatusOr<pb::Application> ReportFundingFailure(
      const rpc::CallContext& call,
      const pb::ReportFundingFailureRequest& request);
  absl::StatusOr<pb::ExplainPlaceResponse> ExplainPlace(
      const rpc::CallContext& call, const pb::ExplainPlaceRequest& request);

  const Dependencies dependencies_;
};

}  // namespace parcours::enrolment

#endif  // PARCOURS_SERVICES_ENROLMENT_RPC_APPLICATION_RPC_H_
