#include "services/enrolment/rpc/enrolment_rpc.h"

#include <optional>
#include <utility>
#include <vector>

#include "common/rpc/convert.h"
#include "common/status/error.h"
#include "common/status/macros.h"
#include "common/time/clock.h"
#include "common/types/record.h"
#include "services/enrolment/domain/enrolment_use_cases.h"
#include "services/enrolment/rpc/convert.h"

namespace parcours::enrolment {

absl::StatusOr<pb::Agreement> EnrolmentRpc::CreateAgreement(
    const rpc::CallContext& call, const pb::CreateAgreementRequest& request) {
  const auto application =
      ApplicationName::FromRecord(request.agreement().application());
  if (application.body() != request.parent()) {
    return MakeFieldError("agreement.application", Reason::kUnknownReference);
  }
  ASSIGN_OR_RETURN(
      const Agreement agreement,
      enrolment::CreateAgreement(
          dependencies_.store, call.caller, application,
          ExternalIdsOf(request.agreement()),
          request.validate_only() ? Mode::kValidateOnly : Mode::kCommit));
  return ToProto(agreement, ParisDay(call.caller.now));
}

absl::StatusOr<pb::Agreement> EnrolmentRpc::GetAgreement(
    const rpc::CallContext& call, const pb::GetAgreementRequest& request) {
  ASSIGN_OR_RETURN(
      const Agreement agreement,
      GetResource<Agreement>(dependencies_.store, call.caller,
                             &EnrolmentUnit::agreements,
                             AgreementName::FromRecord(request.name())));
  return ToProto(agreement, ParisDay(call.caller.now));
}

absl::StatusOr<pb::ListAgreementsResponse> EnrolmentRpc::ListAgreements(
    const rpc::CallContext& call, const pb::ListAgreementsRequest& request) {
  ASSIGN_OR_RETURN(const PageRequest page,
                   dependencies_.page_tokens.Read(request));
  ASSIGN_OR_RETURN(
      const Page<Agreement> found,
      enrolment::ListAgreements(
          dependencies_.store, call.caller,
          BodyName::FromRecord(request.parent()),
          {.application = ApplicationName::FromRecord(request.application()),
           .external_id = ExternalIdFilter(request)},
          page));
  const absl::CivilDay today = ParisDay(call.caller.now);
  return PageResponse<pb::ListAgreementsResponse>(
      dependencies_, request, found,
      [today](auto& response, const Agreement& item) {
        *response.add_agreements() = ToProto(item, today);
      });
}

absl::StatusOr<pb::Agreement> EnrolmentRpc::SignAgreement(
    const rpc::CallContext& call, const pb::SignAgreementRequest& request) {
  ASSIGN_OR_RETURN(
      const Agreement agreement,
      enrolment::SignAgreement(
          dependencies_.store, dependencies_.rules, call.caller,
          AgreementName::FromRecord(request.name()), request.signatory(),
          request.at_distance(), request.etag()));
  return ToProto(agreement, ParisDay(call.caller.now));
}

absl::StatusOr<pb::Agreement> EnrolmentRpc::WithdrawFromAgreement(
    const rpc::CallContext& call,
    const pb::WithdrawFromAgreementRequest& request) {
  ASSIGN_OR_RETURN(const Agreement agreement,
                   enrolment::WithdrawFromAgreement(
                       dependencies_.store, dependencies_.rules, call.caller,
                       AgreementName::FromRecord(request.name())));
  return ToProto(agreement, ParisDay(call.caller.now));
}

absl::StatusOr<pb::Agreement> EnrolmentRpc::EndAgreement(
    const rpc::CallContext& call, const pb::EndAgreementRequest& request) {
  ASSIGN_OR_RETURN(
      const Agreement agreement,
      enrolment::EndAgreement(
          dependencies_.store, dependencies_.rules, call.caller,
          AgreementName::FromRecord(request.name()), request.reason()));
  return ToProto(agreement, ParisDay(call.caller.now));
}

absl::StatusOr<pb::PaymentGate> EnrolmentRpc::GetPaymentGate(
    const rpc::CallContext& call, const pb::GetPaymentGateRequest& request) {
  ASSIGN_OR_RETURN(const AgreementGate gate,
                   enrolment::GetPaymentGate(
                       dependencies_.store, dependencies_.rules, call.caller,
                       AgreementName::FromRecord(request.name())));
  return ToProto(gate);
}

absl::StatusOr<pb::Agreement> EnrolmentRpc::RequestPayment(
    const rpc::CallContext& call, const pb::RequestPaymentRequest& request) {
  ASSIGN_OR_RETURN(
      const Agreement agreement,
      enrolment::RequestPayment(
          dependencies_.store, dependencies_.rules, call.caller,
          AgreementName::FromRecord(request.name()), request.amount_cents()));
  return ToProto(agreement, ParisDay(call.caller.now));
}

absl::StatusOr<pb::Enrolment> EnrolmentRpc::ConfirmPlace(
    const rpc::CallContext& call, const pb::ConfirmPlaceRequest& request) {
  ASSIGN_OR_RETURN(
      const Enrolment enrolment,
      enrolment::ConfirmPlace(
          dependencies_.store, dependencies_.rules, call.caller,
          ApplicationName::FromRecord(request.application()),
          {.kind = rpc::EnumFromProto<CommitmentKind>(request.commitment()),
           .reference = request.commitment_reference()}));
  return ToProto(enrolment);
}

absl::StatusOr<pb::Enrolment> EnrolmentRpc::GetEnrolment(
    const rpc::CallContext& call, const pb::GetEnrolmentRequest& request) {
  ASSIGN_OR_RETURN(
      const Enrolment enrolment,
      GetResource<Enrolment>(dependencies_.store, call.caller,
                             &EnrolmentUnit::enrolments,
                             EnrolmentName::FromRecord(request.name())));
  return ToProto(enrolment);
}

absl::StatusOr<pb::ListEnrolmentsResponse> EnrolmentRpc::ListEnrolments(
    const rpc::CallContext& call, const pb::ListEnrolmentsRequest& request) {
  ASSIGN_OR_RETURN(const PageRequest page,
                   dependencies_.page_tokens.Read(request));
  std::optional<EnrolmentState> state;
  if (request.state() != pb::Enrolment::STATE_UNSPECIFIED) {
    state = rpc::EnumFromProto<EnrolmentState>(request.state());
  }
  ASSIGN_OR_RETURN(const Page<Enrolment> found,
                   enrolment::ListEnrolments(
                       dependencies_.store, call.caller,
                       CohortName::FromRecord(request.parent()), state, page));
  return PageResponse<pb::ListEnrolmentsResponse>(
      dependencies_, request, found, [](auto& response, const Enrolment& item) {
        *response.add_enrolments() = ToProto(item);
      });
}

absl::StatusOr<pb::Enrolment> EnrolmentRpc::StartEnrolment(
    const rpc::CallContext& call, const pb::StartEnrolmentRequest& request) {
  ASSIGN_OR_RETURN(
      const Enrolment enrolment,
      enrolment::StartEnrolment(dependencies_.store, call.caller,
                                EnrolmentName::FromRecord(request.name())));
  return ToProto(enrolment);
}

absl::StatusOr<pb::Enrolment> EnrolmentRpc::CompleteEnrolment(
    const rpc::CallContext& call, const pb::CompleteEnrolmentRequest& request) {
  ASSIGN_OR_RETURN(
      const Enrolment enrolment,
      enrolment::CompleteEnrolment(dependencies_.store, call.caller,
                                   EnrolmentName::FromRecord(request.name())));
  return ToProto(enrolment);
}

absl::StatusOr<pb::Enrolment> EnrolmentRpc::EndEnrolment(
    const rpc::CallContext& call, const pb::EndEnrolmentRequest& request) {
  ASSIGN_OR_RETURN(
      const Enrolment enrolment,
      enrolment::EndEnrolment(
          dependencies_.store, dependencies_.rules, call.caller,
          EnrolmentName::FromRecord(request.name()),
          EarlyEnd{.state = rpc::EnumFromProto<EnrolmentState>(request.state()),
                   .reason = request.reason(),
                   .force_majeure = request.force_majeure(),
                   .last_day = rpc::CivilDayOf(request.end_date())},
          !request.has_end_date()));
  return ToProto(enrolment);
}

absl::StatusOr<pb::Enrolment> EnrolmentRpc::ReplaceLearner(
    const rpc::CallContext& call, const pb::ReplaceLearnerRequest& request) {
  ASSIGN_OR_RETURN(const Enrolment enrolment,
                   enrolment::ReplaceLearner(
                       dependencies_.store, dependencies_.rules, call.caller,
                       EnrolmentName::FromRecord(request.name()),
                       ApplicationName::FromRecord(request.application()),
                       request.reason()));
  return ToProto(enrolment);
}

}  // namespace parcours::enrolment
