#include "services/enrolment/rpc/application_rpc.h"

#include <utility>
#include <vector>

#include "common/rpc/convert.h"
#include "common/status/error.h"
#include "common/status/macros.h"
#include "services/enrolment/domain/application_use_cases.h"
#include "services/enrolment/rpc/convert.h"

namespace parcours::enrolment {

namespace {

absl::StatusOr<ApplicationFilter> FilterOf(
    const pb::ListApplicationsRequest& request) {
  ApplicationFilter filter;
  if (request.review_state() != pb::REVIEW_STATE_UNSPECIFIED) {
    filter.review_state =
        rpc::EnumFromProto<ReviewState>(request.review_state());
  }
  if (request.place_state() != pb::PLACE_STATE_UNSPECIFIED) {
    filter.place_state = rpc::EnumFromProto<PlaceState>(request.place_state());
  }
  if (request.order_by() == "rank") {
    filter.by_rank = true;
  } else if (!request.order_by().empty() && request.order_by() != "name") {
    return MakeFieldError("order_by", Reason::kFieldMalformed,
                          {{"expected", "name or rank"}});
  }
  return filter;
}

}  // namespace

absl::StatusOr<pb::Application> ApplicationRpc::SubmitApplication(
    const rpc::CallContext& call, const pb::SubmitApplicationRequest& request) {
  std::vector<NewPiece> pieces;
  for (const pb::Piece& piece : request.pieces()) {
    pieces.push_back(FromProto(piece));
  }
  ASSIGN_OR_RETURN(
      const ApplicationView view,
      enrolment::SubmitApplication(
          dependencies_.store, dependencies_.rules, call.caller,
          CohortName::FromRecord(request.parent()),
          FromProto(request.application()), pieces,
          request.validate_only() ? Mode::kValidateOnly : Mode::kCommit));
  return ToProto(view);
}

absl::StatusOr<pb::Application> ApplicationRpc::GetApplication(
    const rpc::CallContext& call, const pb::GetApplicationRequest& request) {
  ASSIGN_OR_RETURN(
      const ApplicationView view,
      enrolment::GetApplication(dependencies_.store, call.caller,
                                ApplicationName::FromRecord(request.name())));
  return ToProto(view);
}

absl::StatusOr<pb::ListApplicationsResponse> ApplicationRpc::ListApplications(
    const rpc::CallContext& call, const pb::ListApplicationsRequest& request) {
  ASSIGN_OR_RETURN(const PageRequest page,
                   dependencies_.page_tokens.Read(request));
  ASSIGN_OR_RETURN(const ApplicationFilter filter, FilterOf(request));
  ASSIGN_OR_RETURN(const Page<ApplicationView> found,
                   enrolment::ListApplications(
                       dependencies_.store, call.caller,
                       CohortName::FromRecord(request.parent()), filter, page));
  return PageResponse<pb::ListApplicationsResponse>(
      dependencies_, request, found,
      [](auto& response, const ApplicationView& item) {
        *response.add_applications() = ToProto(item);
      });
}

absl::StatusOr<pb::Application> ApplicationRpc::AttachPiece(
    const rpc::CallContext& call, const pb::AttachPieceRequest& request) {
  ASSIGN_OR_RETURN(const ApplicationView view,
                   enrolment::AttachPiece(
                       dependencies_.store, dependencies_.rules, call.caller,
                       ApplicationName::FromRecord(request.name()),
                       FromProto(request.piece())));
  return ToProto(view);
}

absl::StatusOr<pb::Application> ApplicationRpc::RequestPiece(
    const rpc::CallContext& call, const pb::RequestPieceRequest& request) {
  ASSIGN_OR_RETURN(
      const ApplicationView view,
      enrolment::RequestPiece(
          dependencies_.store, dependencies_.rules, call.caller,
          ApplicationName::FromRecord(request.name()),
          rpc::EnumFromProto<PieceKind>(request.kind()), request.reason()));
  return ToProto(view);
}

absl::StatusOr<pb::Application> ApplicationRpc::AdmitApplication(
    const rpc::CallContext& call, const pb::AdmitApplicationRequest& request) {
  ASSIGN_OR_RETURN(
      const ApplicationView view,
      enrolment::AdmitApplication(
          dependencies_.store, dependencies_.rules, call.caller,
          ApplicationName::FromRecord(request.name()),
          {.decider = request.decider(), .reason = request.reason()},
          request.derogation_proof(), request.etag()));
  return ToProto(view);
}

absl::StatusOr<pb::Application> ApplicationRpc::RefuseApplication(
    const rpc::CallContext& call, const pb::RefuseApplicationRequest& request) {
  ASSIGN_OR_RETURN(
      const ApplicationView view,
      enrolment::RefuseApplication(
          dependencies_.store, dependencies_.rules, call.caller,
          ApplicationName::FromRecord(request.name()),
          {.decider = request.decider(), .reason = request.reason()},
          request.etag()));
  return ToProto(view);
}

absl::StatusOr<pb::Application> ApplicationRpc::ReopenApplication(
    const rpc::CallContext& call, const pb::ReopenApplicationRequest& request) {
  ASSIGN_OR_RETURN(
      const ApplicationView view,
      enrolment::ReopenApplication(
          dependencies_.store, dependencies_.rules, call.caller,
          ApplicationName::FromRecord(request.name()),
          {.decider = request.decider(), .reason = request.reason()},
          request.etag()));
  return ToProto(view);
}

absl::StatusOr<pb::Application> ApplicationRpc::WithdrawApplication(
    const rpc::CallContext& call,
    const pb::WithdrawApplicationRequest& request) {
  ASSIGN_OR_RETURN(const ApplicationView view,
                   enrolment::WithdrawApplication(
                       dependencies_.store, dependencies_.rules, call.caller,
                       ApplicationName::FromRecord(request.name()),
                       request.reason(), request.etag()));
  return ToProto(view);
}

absl::StatusOr<pb::Application> ApplicationRpc::AcceptOffer(
    const rpc::CallContext& call, const pb::AcceptOfferRequest& request) {
  ASSIGN_OR_RETURN(
      const ApplicationView view,
      enrolment::AcceptPlaceOffer(
          dependencies_.store, dependencies_.rules, call.caller,
          ApplicationName::FromRecord(request.name()), request.at_own_cost()));
  return ToProto(view);
}

absl::StatusOr<pb::Application> ApplicationRpc::DeclineOffer(
    const rpc::CallContext& call, const pb::DeclineOfferRequest& request) {
  ASSIGN_OR_RETURN(
      const ApplicationView view,
      enrolment::DeclinePlaceOffer(
          dependencies_.store, dependencies_.rules, call.caller,
          ApplicationName::FromRecord(request.name()), request.keep_rank()));
  return ToProto(view);
}

absl::StatusOr<pb::Application> ApplicationRpc::ChangePayer(
    const rpc::CallContext& call, const pb::ChangePayerRequest& request) {
  ASSIGN_OR_RETURN(const ApplicationView view,
                   enrolment::ChangePayer(
                       dependencies_.store, dependencies_.rules, call.caller,
                       ApplicationName::FromRecord(request.name()),
                       FromProto(request.payer()), request.etag()));
  return ToProto(view);
}

absl::StatusOr<pb::Application> ApplicationRpc::ReportFundingFailure(
    const rpc::CallContext& call,
    const pb::ReportFundingFailureRequest& request) {
  ASSIGN_OR_RETURN(
      const ApplicationView view,
      enrolment::ReportFundingFailure(
          dependencies_.store, dependencies_.rules, call.caller,
          ApplicationName::FromRecord(request.name()), request.reason()));
  return ToProto(view);
}

absl::StatusOr<pb::ExplainPlaceResponse> ApplicationRpc::ExplainPlace(
    const rpc::CallContext& call, const pb::ExplainPlaceRequest& request) {
  ASSIGN_OR_RETURN(
      const PlaceExplanation explanation,
      enrolment::ExplainPlace(dependencies_.store, call.caller,
                              ApplicationName::FromRecord(request.name())));
  return ToProto(explanation);
}

}  // namespace parcours::enrolment
