#include "services/enrolment/rpc/people_rpc.h"

#include <optional>
#include <string>

#include "common/rpc/update_mask.h"
#include "common/status/macros.h"
#include "common/types/record.h"
#include "services/enrolment/domain/external_ids.h"
#include "services/enrolment/domain/programme_use_cases.h"
#include "services/enrolment/rpc/convert.h"

namespace parcours::enrolment {
namespace {

Mode ModeOf(bool validate_only) {
  return validate_only ? Mode::kValidateOnly : Mode::kCommit;
}

// The update of a resource that `message` asks for: the stored one with the
// fields of the mask written over, in the contract's form.
template <typename Resource, typename Request, typename Message,
          typename ToMessage>
Update<Resource> UpdateOf(const Request& request, const Message& message,
                          ToMessage to_message) {
  return {.name = Repository<Resource>::Name::FromRecord(message.name()),
          .apply =
              [&request, &message, to_message](Resource& resource) {
                Message merged;
                if (resource.version > 0) merged = to_message(resource);
                RETURN_IF_ERROR(
                    rpc::MergeMasked(request.update_mask(), message, merged));
                Read(merged, resource);
                return absl::OkStatus();
              },
          .etag = message.etag(),
          .allow_missing = request.allow_missing(),
          .mode = ModeOf(request.validate_only())};
}

}  // namespace

absl::StatusOr<pb::Person> PeopleRpc::CreatePerson(
    const rpc::CallContext& call, const pb::CreatePersonRequest& request) {
  Person person;
  ASSIGN_OR_RETURN(
      person.name,
      PersonName::Parse(
          (ChildName<PersonName>(BodyName::FromRecord(request.parent()),
                                 "persons", NewUuidV7(call.caller.now)))
              .text(),
          "person_id"));
  Read(request.person(), person);
  ASSIGN_OR_RETURN(const Person created,
                   enrolment::CreatePerson(dependencies_.store, call.caller,
                                           std::move(person),
                                           ModeOf(request.validate_only())));
  return ToProto(created);
}

absl::StatusOr<pb::Person> PeopleRpc::GetPerson(
    const rpc::CallContext& call, const pb::GetPersonRequest& request) {
  ASSIGN_OR_RETURN(const Person found,
                   GetResource<Person>(dependencies_.store, call.caller,
                                       &EnrolmentUnit::persons,
                                       PersonName::FromRecord(request.name())));
  return ToProto(found);
}

absl::StatusOr<pb::ListPersonsResponse> PeopleRpc::ListPersons(
    const rpc::CallContext& call, const pb::ListPersonsRequest& request) {
  ASSIGN_OR_RETURN(const PageRequest page,
                   dependencies_.page_tokens.Read(request));
  ASSIGN_OR_RETURN(const Page<Person> found,
                   ListOfBody<Person>(dependencies_.store, call.caller,
                                      &EnrolmentUnit::persons,
                                      BodyName::FromRecord(request.parent()),
                                      ExternalIdFilter(request), page));
  return PageResponse<pb::ListPersonsResponse>(
      dependencies_, request, found, [](auto& response, const Person& item) {
        *response.add_persons() = ToProto(item);
      });
}

absl::StatusOr<pb::Person> PeopleRpc::UpdatePerson(
    const rpc::CallContext& call, const pb::UpdatePersonRequest& request) {
  ASSIGN_OR_RETURN(
      const Person updated,
      enrolment::UpdatePerson(
          dependencies_.store, call.caller,
          UpdateOf<Person>(request, request.person(), [](const Person& stored) {
            return ToProto(stored);
          })));
  return ToProto(updated);
}

absl::StatusOr<pb::Organisation> PeopleRpc::CreateOrganisation(
    const rpc::CallContext& call,
    const pb::CreateOrganisationRequest& request) {
  Organisation organisation;
  ASSIGN_OR_RETURN(
      organisation.name,
      OrganisationName::Parse((ChildName<OrganisationName>(
                                   BodyName::FromRecord(request.parent()),
                                   "organisations", request.organisation_id()))
                                  .text(),
                              "organisation_id"));
  Read(request.organisation(), organisation);
  ASSIGN_OR_RETURN(
      const Organisation created,
      enrolment::CreateOrganisation(dependencies_.store, call.caller,
                                    std::move(organisation),
                                    ModeOf(request.validate_only())));
  return ToProto(created);
}

absl::StatusOr<pb::Organisation> PeopleRpc::GetOrganisation(
    const rpc::CallContext& call, const pb::GetOrganisationRequest& request) {
  ASSIGN_OR_RETURN(
      const Organisation found,
      GetResource<Organisation>(dependencies_.store, call.caller,
                                &EnrolmentUnit::organisations,
                                OrganisationName::FromRecord(request.name())));
  return ToProto(found);
}

absl::StatusOr<pb::ListOrganisationsResponse> PeopleRpc::ListOrganisations(
    const rpc::CallContext& call, const pb::ListOrganisationsRequest& request) {
  ASSIGN_OR_RETURN(const PageRequest page,
                   dependencies_.page_tokens.Read(request));
  ASSIGN_OR_RETURN(
      const Page<Organisation> found,
      ListOfBody<Organisation>(dependencies_.store, call.caller,
                               &EnrolmentUnit::organisations,
                               BodyName::FromRecord(request.parent()),
                               ExternalIdFilter(request), page));
  return PageResponse<pb::ListOrganisationsResponse>(
      dependencies_, request, found,
      [](auto& response, const Organisation& item) {
        *response.add_organisations() = ToProto(item);
      });
}

absl::StatusOr<pb::Organisation> PeopleRpc::UpdateOrganisation(
    const rpc::CallContext& call,
    const pb::UpdateOrganisationRequest& request) {
  ASSIGN_OR_RETURN(const Organisation updated,
                   enrolment::UpdateOrganisation(
                       dependencies_.store, call.caller,
                       UpdateOf<Organisation>(request, request.organisation(),
                                              [](const Organisation& stored) {
                                                return ToProto(stored);
                                              })));
  return ToProto(updated);
}

}  // namespace parcours::enrolment
