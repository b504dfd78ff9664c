#ifndef PARCOURS_SERVICES_ENROLMENT_RPC_PEOPLE_RPC_H_
#define PARCOURS_SERVICES_ENROLMENT_RPC_PEOPLE_RPC_H_

#include <utility>

#include "absl/status/statusor.h"
#include "common/rpc/call_context.h"
#include "common/rpc/shell.h"
#include "parcours/enrolment/v1/people.grpc.pb.h"
#include "services/enrolment/rpc/dependencies.h"

namespace parcours::enrolment {

namespace pb = ::parcours::enrolment::v1;

// parcours.enrolment.v1.PeopleService.
class PeopleRpc final : public rpc::ServiceOf<pb::PeopleService> {
 public:
  PeopleRpc(rpc::Shell& shell, Dependencies dependencies)
      : ServiceOf(shell), dependencies_(std::move(dependencies)) {}

  PARCOURS_RPC(CreatePerson, pb::CreatePersonRequest, pb::Person)
  PARCOURS_RPC(GetPerson, pb::GetPersonRequest, pb::Person)
  PARCOURS_RPC(ListPersons, pb::ListPersonsRequest, pb::ListPersonsResponse)
  PARCOURS_RPC(UpdatePerson, pb::UpdatePersonRequest, pb::Person)
  PARCOURS_RPC(CreateOrganisation, pb::CreateOrganisationRequest,
               pb::Organisation)
  PARCOURS_RPC(GetOrganisation, pb::GetOrganisationRequest, pb::Organisation)
  PARCOURS_RPC(ListOrganisations, pb::ListOrganisationsRequest,
               pb::ListOrganisationsResponse)
  PARCOURS_RPC(UpdateOrganisation, pb::UpdateOrganisationRequest,
               pb::Organisation)

 private:
  absl::StatusOr<pb::Person> CreatePerson(
      const rpc::CallContext& call, const pb::CreatePersonRequest& request);
  absl::StatusOr<pb::Person> GetPerson(const rpc::CallContext& call,
                                       const pb::GetPersonRequest& request);
  absl::StatusOr<pb::ListPersonsResponse> ListPersons(
      const rpc::CallContext& call, const pb::ListPersonsRequest& request);
  absl::StatusOr<pb::Person> UpdatePerson(
      const rpc::CallContext& call, const pb::UpdatePersonRequest& request);
  absl::StatusOr<pb::Organisation> CreateOrganisation(
      const rpc::CallContext& call,
      const pb::CreateOrganisationRequest& request);
  absl::StatusOr<pb::Organisation> GetOrganisation(
      const rpc::CallContext& call, const pb::GetOrganisationRequest& request);
  absl::StatusOr<pb::ListOrganisationsResponse> ListOrganisations(
      const rpc::CallContext& call,
      const pb::ListOrganisationsRequest& request);
  absl::StatusOr<pb::Organisation> UpdateOrganisation(
      const rpc::CallContext& call,
      const pb::UpdateOrganisationRequest& request);

  const Dependencies dependencies_;
};

}  // namespace parcours::enrolment

#endif  // PARCOURS_SERVICES_ENROLMENT_RPC_PEOPLE_RPC_H_
