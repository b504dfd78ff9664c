#include "services/evaluation/rpc/enrolment_client.h"

#include <utility>

#include "common/rpc/channel.h"
#include "common/status/error.h"
#include "common/status/macros.h"
#include "common/text/view.h"

namespace parcours::evaluation {
namespace {

namespace enrolment_pb = ::parcours::enrolment::v1;
namespace platform_pb = ::parcours::platform::v1;

// As many as the contract allows on a page.
constexpr int32_t kPageSize = 500;

// Beyond it the other service counts as unreachable.
constexpr absl::Duration kPatience = absl::Seconds(5);

// The value's name without the prefix of its enum.
std::string Unprefixed(const std::string& name, std::string_view prefix) {
  return name.substr(prefix.size());
}

absl::StatusOr<EnrolmentFacts> FactsOf(const enrolment_pb::Enrolment& message) {
  EnrolmentFacts facts;
  ASSIGN_OR_RETURN(facts.name, EnrolmentName::Parse(message.name()));
  ASSIGN_OR_RETURN(facts.person, PersonName::Parse(message.person()));
  facts.display_name = message.person_display_name();
  facts.payer_kind =
      Unprefixed(type::v1::PayerKind_Name(message.payer_kind()), "PAYER_KIND_");
  facts.organisation = OrganisationName::FromRecord(message.organisation());
  facts.funder_id = message.funder_id();
  facts.has_measures = message.has_measures();
  const std::optional<EnrolmentState> state =
      FromName<EnrolmentState>(Unprefixed(
          enrolment_pb::Enrolment::State_Name(message.state()), "STATE_"));
  if (!state.has_value()) {
    return MakeError(Reason::kOwnerUnavailable, {{"resource", message.name()}});
  }
  facts.state = *state;
  return facts;
}

}  // namespace

EnrolmentClient::EnrolmentClient(const std::shared_ptr<grpc::Channel>& channel,
                                 std::function<void(int64_t)> on_behind)
    : enrolments_(enrolment_pb::EnrolmentService::NewStub(channel)),
      erasures_(enrolment_pb::ErasureService::NewStub(channel)),
      feed_(platform_pb::ChangeFeedService::NewStub(channel)),
      on_behind_(std::move(on_behind)) {}

absl::StatusOr<EnrolmentFacts> EnrolmentClient::GetEnrolment(
    const access::Caller& caller, const EnrolmentName& name) {
  enrolment_pb::GetEnrolmentRequest request;
  request.set_name(name.text());
  grpc::ClientContext context;
  rpc::Propagate({.caller = caller}, kPatience, context);
  enrolment_pb::Enrolment answer;
  RETURN_IF_ERROR(rpc::OwnerStatus(
      enrolments_->GetEnrolment(&context, request, &answer), name.text()));
  return FactsOf(answer);
}

absl::StatusOr<std::vector<EnrolmentFacts>> EnrolmentClient::ListEnrolments(
    const access::Caller& caller, const CohortName& cohort) {
  std::vector<EnrolmentFacts> facts;
  enrolment_pb::ListEnrolmentsRequest request;
  request.set_parent(cohort.text());
  request.set_page_size(kPageSize);
  do {
    grpc::ClientContext context;
    rpc::Propagate({.caller = caller}, kPatience, context);
    enrolment_pb::ListEnrolmentsResponse answer;
    RETURN_IF_ERROR(rpc::OwnerStatus(
        enrolments_->ListEnrolments(&context, request, &answer),
        cohort.text()));
    for (const enrolment_pb::Enrolment& one : answer.enrolments()) {
      ASSIGN_OR_RETURN(EnrolmentFacts listed, FactsOf(one));
      facts.push_back(std::move(listed));
    }
    request.set_page_token(answer.next_page_token());
  } while (!request.page_token().empty());
  return facts;
}

absl::StatusOr<std::vector<PersonName>> EnrolmentClient::ListErasures(
    const access::Caller& caller, const BodyName& body) {
  std::vector<PersonName> persons;
  enrolment_pb::ListErasuresRequest request;
  request.set_parent(body.text());
  request.set_page_size(kPageSize);
  do {
    grpc::ClientContext context;
    rpc::Propagate({.caller = caller}, kPatience, context);
    enrolment_pb::ListErasuresResponse answer;
    RETURN_IF_ERROR(rpc::OwnerStatus(
        erasures_->ListErasures(&context, request, &answer), body.text()));
    for (const enrolment_pb::Erasure& one : answer.erasures()) {
      ASSIGN_OR_RETURN(const PersonName person,
                       PersonName::Parse(one.person()));
      persons.push_back(person);
    }
    request.set_page_token(answer.next_page_token());
  } while (!request.page_token().empty());
  return persons;
}

absl::StatusOr<EnrolmentChanges> EnrolmentClient::ListChanges(
    const access::Caller& caller, const std::string& token) {
  platform_pb::ListChangesRequest request;
  request.set_after_token(token);
  request.set_page_size(kPageSize);
  grpc::ClientContext context;
  rpc::Propagate({.caller = caller}, kPatience, context);
  platform_pb::ListChangesResponse answer;
  RETURN_IF_ERROR(
      rpc::OwnerStatus(feed_->ListChanges(&context, request, &answer),
                       "the change feed of enrolment"));
  EnrolmentChanges changes;
  for (const platform_pb::Change& change : answer.changes()) {
    changes.changes.push_back(
        {.kind = change.kind(), .resource = change.resource()});
  }
  changes.next_token = answer.next_token();
  changes.more = answer.more();
  if (on_behind_ && !changes.changes.empty()) {
    on_behind_(answer.head_position() - answer.changes(0).position() + 1);
  }
  return changes;
}

}  // namespace parcours::evaluation
