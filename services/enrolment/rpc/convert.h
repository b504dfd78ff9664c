#ifndef PARCOURS_SERVICES_ENROLMENT_RPC_CONVERT_H_
#define PARCOURS_SERVICES_ENROLMENT_RPC_CONVERT_H_

#include <optional>
#include <vector>

#include "absl/time/civil_time.h"
#include "parcours/enrolment/v1/api_client.pb.h"
#include "parcours/enrolment/v1/application.pb.h"
#include "parcours/enrolment/v1/enrolment.pb.h"
#include "parcours/enrolment/v1/erasure.pb.h"
#include "parcours/enrolment/v1/people.pb.h"
#include "parcours/enrolment/v1/programme.pb.h"
#include "parcours/enrolment/v1/programme_service.pb.h"
#include "services/enrolment/domain/api_client_use_cases.h"
#include "services/enrolment/domain/application_use_cases.h"
#include "services/enrolment/domain/enrolment_use_cases.h"
#include "services/enrolment/domain/erasure.h"
#include "services/enrolment/domain/programme_use_cases.h"

namespace parcours::enrolment {

namespace pb = ::parcours::enrolment::v1;

// Between the contract and the domain. What comes in has passed validation:
// required fields are there, names follow their patterns, dates exist. Read
// takes everything but the name and what is output only.

pb::Body ToProto(const Body& body);
void Read(const pb::Body& message, Body& body);

pb::Person ToProto(const Person& person);
void Read(const pb::Person& message, Person& person);

pb::Organisation ToProto(const Organisation& organisation);
void Read(const pb::Organisation& message, Organisation& organisation);

pb::Programme ToProto(const Programme& programme);
void Read(const pb::Programme& message, Programme& programme);

pb::Cohort ToProto(const CohortView& view);
void Read(const pb::Cohort& message, Cohort& cohort);
GoDecision FromProto(pb::Cohort::GoDecision decision);
pb::GoNoGo ToProto(const GoNoGo& go_no_go);

pb::Application ToProto(const ApplicationView& view);
Application FromProto(const pb::Application& message);
Payer FromProto(const pb::Payer& message);
NewPiece FromProto(const pb::Piece& message);
pb::ExplainPlaceResponse ToProto(const PlaceExplanation& explanation);

// `today` is the local day on which the state is shown.
pb::Agreement ToProto(const Agreement& agreement, absl::CivilDay today);
pb::PaymentGate ToProto(const AgreementGate& gate);
std::vector<ExternalId> ExternalIdsOf(const pb::Agreement& message);

pb::Enrolment ToProto(const Enrolment& enrolment);

pb::Erasure ToProto(const Erasure& erasure);

// Times of credentials are kept in whole seconds. REQUIRES: no role of the
// message is the unspecified one.
pb::ApiClient ToProto(const ApiClientView& view);
void Read(const pb::ApiClient& message, ApiClient& client);

// The filter of a list by an identifier in another system; absent: none.
template <typename Request>
std::optional<ExternalId> ExternalIdFilter(const Request& request) {
  if (!request.has_external_id()) return std::nullopt;
  return ExternalId{.system = request.external_id().system(),
                    .value = request.external_id().value()};
}

}  // namespace parcours::enrolment

#endif  // PARCOURS_SERVICES_ENROLMENT_RPC_CONVERT_H_
