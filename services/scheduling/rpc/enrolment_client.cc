#include "services/scheduling/rpc/enrolment_client.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/time/clock.h"
#include "common/rpc/convert.h"
#include "common/rpc/grpc_status.h"
#include "common/status/error.h"
#include "common/status/macros.h"
#include "common/text/view.h"

namespace parcours::scheduling {
namespace {

namespace enrolment_pb = ::parcours::enrolment::v1;
namespace platform_pb = ::parcours::platform::v1;

// How long the owner is waited for.
constexpr absl::Duration kPatience = absl::Seconds(5);

// As many as the contract allows on a page.
constexpr int32_t kPageSize = 500;

absl::Status Unavailable(std::string_view resource) {
  return MakeError(Reason::kOwnerUnavailable,
                   {{"resource", std::string(resource)}});
}

// Calls `method` of `stub`. What the owner answered on the request passes as it
// is; that it did not answer, or could not, is OWNER_UNAVAILABLE.
template <typename Stub, typename Request, typename Response>
absl::StatusOr<Response> Call(const access::Caller& caller, Stub& stub,
                              grpc::Status (Stub::*method)(grpc::ClientContext*,
                                                           const Request&,
                                                           Response*),
                              const Request& request,
                              std::string_view resource) {
  grpc::ClientContext context;
  context.set_deadline(
      absl::ToChronoTime(std::min(caller.deadline, absl::Now() + kPatience)));
  Response response;
  const grpc::Status status = (stub.*method)(&context, request, &response);
  if (status.ok()) return response;
  const absl::Status answered = rpc::FromGrpcStatus(status);
  switch (answered.code()) {
    case absl::StatusCode::kNotFound:
    case absl::StatusCode::kPermissionDenied:
    case absl::StatusCode::kInvalidArgument:
    case absl::StatusCode::kOutOfRange:
      return answered;
    default:
      return Unavailable(resource);
  }
}

// The name of an enum's value without the prefix of its enum.
std::string Unprefixed(const std::string& name, std::string_view prefix) {
  return name.substr(std::min(prefix.size(), name.size()));
}

absl::StatusOr<EnrolmentFacts> FactsOf(const enrolment_pb::Enrolment& message) {
  const std::optional<EnrolmentState> state =
      FromName<EnrolmentState>(Unprefixed(
          enrolment_pb::Enrolment::State_Name(message.state()), "STATE_"));
  // A state that this binary does not know is of a later contract.
  if (!state.has_value()) return Unavailable(message.name());
  EnrolmentFacts facts;
  ASSIGN_OR_RETURN(facts.name, EnrolmentName::Parse(message.name()));
  ASSIGN_OR_RETURN(facts.person, PersonName::Parse(message.person()));
  facts.display_name = message.person_display_name();
  facts.payer_kind =
      Unprefixed(type::v1::PayerKind_Name(message.payer_kind()), "PAYER_KIND_");
  facts.organisation = OrganisationName::FromRecord(message.organisation());
  facts.funder_id = message.funder_id();
  facts.state = *state;
  facts.enrol_time = rpc::TimeOf(message.enrol_time());
  if (message.has_end_date()) {
    facts.end_date = rpc::CivilDayOf(message.end_date());
  }
  facts.has_measures = message.has_measures();
  return facts;
}

}  // namespace

EnrolmentClient::EnrolmentClient(const std::shared_ptr<grpc::Channel>& channel,
                                 std::function<void(int64_t)> on_behind)
    : programmes_(enrolment_pb::ProgrammeService::NewStub(channel)),
      people_(enrolment_pb::PeopleService::NewStub(channel)),
      enrolments_(enrolment_pb::EnrolmentService::NewStub(channel)),
      erasures_(enrolment_pb::ErasureService::NewStub(channel)),
      feed_(platform_pb::ChangeFeedService::NewStub(channel)),
      on_behind_(std::move(on_behind)) {}

std::vector<std::string> EnrolmentClient::Services() {
  return {enrolment_pb::ProgrammeService::service_full_name(),
          enrolment_pb::PeopleService::service_full_name(),
          enrolment_pb::EnrolmentService::service_full_name(),
          enrolment_pb::ErasureService::service_full_name(),
          platform_pb::ChangeFeedService::service_full_name()};
}

absl::StatusOr<CohortFacts> EnrolmentClient::GetCohort(
    const access::Caller& caller, const CohortName& name) {
  using Stub = enrolment_pb::ProgrammeService::StubInterface;
  enrolment_pb::GetCohortRequest get_cohort;
  get_cohort.set_name(name.text());
  ASSIGN_OR_RETURN(
      const enrolment_pb::Cohort cohort,
      Call(caller, *programmes_, &Stub::GetCohort, get_cohort, name.text()));
  enrolment_pb::GetProgrammeRequest get_programme;
  get_programme.set_name(cohort.programme());
  ASSIGN_OR_RETURN(const enrolment_pb::Programme programme,
                   Call(caller, *programmes_, &Stub::GetProgramme,
                        get_programme, cohort.programme()));
  CohortFacts facts;
  facts.name = name;
  facts.display_name = cohort.display_name();
  facts.time_zone = cohort.time_zone();
  facts.programme = ProgrammeName::FromRecord(cohort.programme());
  for (const enrolment_pb::ModuleGroup& group : programme.module_groups()) {
    for (const enrolment_pb::Module& module : group.modules()) {
      facts.module_ids.push_back(module.id());
    }
  }
  facts.programme_minutes = programme.duration_minutes();
  return facts;
}

absl::StatusOr<std::string> EnrolmentClient::GetPersonDisplayName(
    const access::Caller& caller, const PersonName& name) {
  enrolment_pb::GetPersonRequest request;
  request.set_name(name.text());
  ASSIGN_OR_RETURN(const enrolment_pb::Person person,
                   Call(caller, *people_,
                        &enrolment_pb::PeopleService::StubInterface::GetPerson,
                        request, name.text()));
  const std::string full = Cat(person.given_name(), " ", person.family_name());
  return std::string(absl::StripAsciiWhitespace(full));
}

absl::StatusOr<EnrolmentFacts> EnrolmentClient::GetEnrolment(
    const access::Caller& caller, const EnrolmentName& name) {
  enrolment_pb::GetEnrolmentRequest request;
  request.set_name(name.text());
  ASSIGN_OR_RETURN(
      const enrolment_pb::Enrolment enrolment,
      Call(caller, *enrolments_,
           &enrolment_pb::EnrolmentService::StubInterface::GetEnrolment,
           request, name.text()));
  return FactsOf(enrolment);
}

absl::StatusOr<std::vector<EnrolmentFacts>> EnrolmentClient::ListEnrolments(
    const access::Caller& caller, const CohortName& cohort) {
  std::vector<EnrolmentFacts> facts;
  enrolment_pb::ListEnrolmentsRequest request;
  request.set_parent(cohort.text());
  request.set_page_size(kPageSize);
  do {
    ASSIGN_OR_RETURN(
        const enrolment_pb::ListEnrolmentsResponse page,
        Call(caller, *enrolments_,
             &enrolment_pb::EnrolmentService::StubInterface::ListEnrolments,
             request, cohort.text()));
    for (const enrolment_pb::Enrolment& message : page.enrolments()) {
      ASSIGN_OR_RETURN(EnrolmentFacts listed, FactsOf(message));
      facts.push_back(std::move(listed));
    }
    request.set_page_token(page.next_page_token());
  } while (!request.page_token().empty());
  return facts;
}

absl::StatusOr<ActionFacts> EnrolmentClient::GetAction(
    const access::Caller& caller, const EnrolmentFacts& enrolment) {
  using Stub = enrolment_pb::ProgrammeService::StubInterface;
  ActionFacts action;
  enrolment_pb::GetCohortRequest get_cohort;
  get_cohort.set_name(enrolment.name.Under<CohortName>().text());
  ASSIGN_OR_RETURN(const enrolment_pb::Cohort cohort,
                   Call(caller, *programmes_, &Stub::GetCohort, get_cohort,
                        get_cohort.name()));
  enrolment_pb::GetProgrammeRequest get_programme;
  get_programme.set_name(cohort.programme());
  ASSIGN_OR_RETURN(const enrolment_pb::Programme programme,
                   Call(caller, *programmes_, &Stub::GetProgramme,
                        get_programme, cohort.programme()));
  action.title = programme.certificate_title().empty()
                     ? programme.display_name()
                     : programme.certificate_title();
  enrolment_pb::GetBodyRequest get_body;
  get_body.set_name(enrolment.name.body());
  ASSIGN_OR_RETURN(
      const enrolment_pb::Body body,
      Call(caller, *programmes_, &Stub::GetBody, get_body, get_body.name()));
  action.body_display_name =
      body.legal_name().empty() ? body.display_name() : body.legal_name();
  if (!enrolment.organisation.empty()) {
    enrolment_pb::GetOrganisationRequest get_organisation;
    get_organisation.set_name(enrolment.organisation.text());
    ASSIGN_OR_RETURN(
        const enrolment_pb::Organisation organisation,
        Call(caller, *people_,
             &enrolment_pb::PeopleService::StubInterface::GetOrganisation,
             get_organisation, get_organisation.name()));
    action.organisation_display_name = organisation.display_name();
  }
  return action;
}

absl::StatusOr<std::vector<PersonName>> EnrolmentClient::ListErasures(
    const access::Caller& caller) {
  std::vector<std::string> bodies;
  enrolment_pb::ListBodiesRequest list_bodies;
  list_bodies.set_page_size(kPageSize);
  do {
    ASSIGN_OR_RETURN(
        const enrolment_pb::ListBodiesResponse page,
        Call(caller, *programmes_,
             &enrolment_pb::ProgrammeService::StubInterface::ListBodies,
             list_bodies, "bodies"));
    for (const enrolment_pb::Body& body : page.bodies()) {
      bodies.push_back(body.name());
    }
    list_bodies.set_page_token(page.next_page_token());
  } while (!list_bodies.page_token().empty());
  std::vector<PersonName> persons;
  for (const std::string& body : bodies) {
    enrolment_pb::ListErasuresRequest request;
    request.set_parent(body);
    request.set_page_size(kPageSize);
    do {
      ASSIGN_OR_RETURN(
          const enrolment_pb::ListErasuresResponse page,
          Call(caller, *erasures_,
               &enrolment_pb::ErasureService::StubInterface::ListErasures,
               request, body));
      for (const enrolment_pb::Erasure& erasure : page.erasures()) {
        ASSIGN_OR_RETURN(const ErasureName name,
                         ErasureName::Parse(erasure.name()));
        persons.push_back(PersonOf(name));
      }
      request.set_page_token(page.next_page_token());
    } while (!request.page_token().empty());
  }
  return persons;
}

absl::StatusOr<EnrolmentChanges> EnrolmentClient::ListChanges(
    const access::Caller& caller, const std::string& token) {
  platform_pb::ListChangesRequest request;
  request.set_after_token(token);
  request.set_page_size(kPageSize);
  ASSIGN_OR_RETURN(
      const platform_pb::ListChangesResponse page,
      Call(caller, *feed_,
           &platform_pb::ChangeFeedService::StubInterface::ListChanges, request,
           "the change feed of enrolment"));
  EnrolmentChanges changes;
  for (const platform_pb::Change& change : page.changes()) {
    changes.changes.push_back(
        {.kind = change.kind(), .resource = change.resource()});
  }
  changes.next_token = page.next_token();
  changes.more = page.more();
  if (on_behind_ && !changes.changes.empty()) {
    on_behind_(page.head_position() - page.changes(0).position() + 1);
  }
  return changes;
}

}  // namespace parcours::scheduling
