#ifndef PARCOURS_SERVICES_ENROLMENT_RPC_ENROLMENT_RPC_H_
#define PARCOURS_SERVICES_ENROLMENT_RPC_ENROLMENT_RPC_H_

#include <utility>

#include "absl/status/statusor.h"
#include "common/rpc/call_context.h"
#include "common/rpc/shell.h"
#include "parcours/enrolment/v1/enrolment.grpc.pb.h"
#include "services/enrolment/rpc/dependencies.h"

namespace parcours::enrolment {

namespace pb = ::parcours::enrolment::v1;

// parcours.enrolment.v1.EnrolmentService.
class EnrolmentRpc final : public rpc::ServiceOf<pb::EnrolmentService> {
 public:
  EnrolmentRpc(rpc::Shell& shell, Dependencies dependencies)
      : ServiceOf(shell), dependencies_(std::move(dependencies)) {}

  PARCOURS_RPC(CreateAgreement, pb::CreateAgreementRequest, pb::Agreement)
  PARCOURS_RPC(GetAgreement, pb::GetAgreementRequest, pb::Agreement)
  PARCOURS_RPC(ListAgreements, pb::ListAgreementsRequest,
               pb::ListAgreementsResponse)
  PARCOURS_RPC(SignAgreement, pb::SignAgreementRequest, pb::Agreement)
  PARCOURS_RPC(WithdrawFromAgreement, pb::WithdrawFromAgreementRequest,
               pb::Agreement)
  PARCOURS_RPC(EndAgreement, pb::EndAgreementRequest, pb::Agreement)
  PARCOURS_RPC(GetPaymentGate, pb::GetPaymentGateRequest, pb::PaymentGate)
  PARCOURS_RPC(RequestPayment, pb::RequestPaymentRequest, pb::Agreement)
  PARCOURS_RPC(ConfirmPlace, pb::ConfirmPlaceRequest, pb::Enrolment)
  PARCOURS_RPC(GetEnrolment, pb::GetEnrolmentRequest, pb::Enrolment)
  PARCOURS_RPC(ListEnrolments, pb::ListEnrolmentsRequest,
               pb::ListEnrolmentsResponse)
  PARCOURS_RPC(StartEnrolment, pb::StartEnrolmentRequest, pb::Enrolment)
  PARCOURS_RPC(CompleteEnrolment, pb::CompleteEnrolmentRequest, pb::Enrolment)
  PARCOURS_RPC(EndEnrolment, pb::EndEnrolmentRequest, pb::Enrolment)
  PARCOURS_RPC(ReplaceLearner, pb::ReplaceLearnerRequest, pb::Enrolment)

 private:
  absl::StatusOr<pb::Agreement> CreateAgreement(
      const rpc::CallContext& call, const pb::CreateAgreementRequest& request);
  absl::StatusOr<pb::Agreement> GetAgreement(
      const rpc::CallContext& call, const pb::GetAgreementRequest& request);
  absl::StatusOr<pb::ListAgreementsResponse> ListAgreements(
      const rpc::CallContext& call, const pb::ListAgreementsRequest& request);
  absl::StatusOr<pb::Agreement> SignAgreement(
      const rpc::CallContext& call, const pb::SignAgreementRequest& request);
  absl::StatusOr<pb::Agreement> WithdrawFromAgreement(
      const rpc::CallContext& call,
      const pb::WithdrawFromAgreementRequest& request);
  absl::StatusOr<pb::Agreement> EndAgreement(
      const rpc::CallContext& call, const pb::EndAgreementRequest& request);
  absl::StatusOr<pb::PaymentGate> GetPaymentGate(
      const rpc::CallContext& call, const pb::GetPaymentGateRequest& request);
  absl::StatusOr<pb::Agreement> RequestPayment(
      const rpc::CallContext& call, const pb::RequestPaymentRequest& request);
  absl::StatusOr<pb::Enrolment> ConfirmPlace(
      const rpc::CallContext& call, const pb::ConfirmPlaceRequest& request);
  absl::StatusOr<pb::Enrolment> GetEnrolment(
      const rpc::CallContext& call, const pb::GetEnrolmentRequest& request);
  absl::StatusOr<pb::ListEnrolmentsResponse> ListEnrolments(
      const rpc::CallContext& call, const pb::ListEnrolmentsRequest& request);
  absl::StatusOr<pb::Enrolment> StartEnrolment(
      const rpc::CallContext& call, const pb::StartEnrolmentRequest& request);
  absl::StatusOr<pb::Enrolment> CompleteEnrolment(
      const rpc::CallContext& call,
      const pb::CompleteEnrolmentRequest& request);
  absl::StatusOr<pb::Enrolment> EndEnrolment(
      const rpc::CallContext& call, const pb::EndEnrolmentRequest& request);
  absl::StatusOr<pb::Enrolment> ReplaceLearner(
      const rpc::CallContext& call, const pb::ReplaceLearnerRequest& request);

  const Dependencies dependencies_;
};

}  // namespace parcours::enrolment

#endif  // PARCOURS_SERVICES_ENROLMENT_RPC_ENROLMENT_RPC_H_
