#ifndef PARCOURS_SERVICES_ENROLMENT_DOMAIN_ENROLMENT_STORE_H_
#define PARCOURS_SERVICES_ENROLMENT_DOMAIN_ENROLMENT_STORE_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "common/access/caller.h"
#include "common/access/scope.h"
#include "common/types/record.h"
#include "common/types/repository.h"
#include "services/enrolment/domain/agreement.h"
#include "services/enrolment/domain/api_client.h"
#include "services/enrolment/domain/application.h"
#include "services/enrolment/domain/cohort.h"
#include "services/enrolment/domain/enrolment.h"
#include "services/enrolment/domain/erasure.h"
#include "services/enrolment/domain/legal_holds.h"
#include "services/enrolment/domain/names.h"
#include "services/enrolment/domain/people.h"
#include "services/enrolment/domain/place_history.h"
#include "services/enrolment/domain/upload.h"

namespace parcours::enrolment {

// Which applications of a cohort a list holds, and in which order.
struct ApplicationFilter {
  std::optional<ReviewState> review_state;
  std::optional<PlaceState> place_state;
  bool by_rank = false;
};

// A cohort whose places nobody else decides on until the transaction ends.
struct LockedPlaces {
  Cohort cohort;
  // Without its content.
  Programme programme;
  PlaceCounts counts;
  // The highest rank that any application of the cohort was written with; 0
  // before the first.
  int64_t last_rank = 0;
};

// What a submission names beside its cohort.
struct SubmissionReferences {
  // Whose the files become: who is added by the submission.
  PersonName person;
  // See CandidateKey.
  std::string candidate_key;
  // Empty for none.
  OrganisationName organisation;
  // Each with the field that names it.
  std::vector<std::pair<UploadName, std::string>> uploads;
};

// What a submission is decided on. Files are claimed as ClaimUpload does, in
// the order of the references; one that is named twice is unknown the second
// time.
struct LockedSubmission {
  // The cohort too is without its content: not to be written.
  LockedPlaces places;
  // The application of the cohort, not withdrawn, whose candidate has the key.
  std::optional<ApplicationName> known;
  std::optional<Organisation> organisation;
  std::vector<absl::StatusOr<FinishedUpload>> uploads;
};

// When a token was last issued for a secret of an API client, in real time.
struct SecretUse {
  ApiClientName client;
  std::string secret_id;
  absl::Time last_use_time;
};

// The record within one transaction. Everything read is from one moment;
// everything written is committed together, or not at all.
class EnrolmentUnit {
 public:
  virtual ~EnrolmentUnit() = default;

  virtual Repository<Body>& bodies() = 0;
  virtual Repository<Programme>& programmes() = 0;
  virtual Repository<Cohort>& cohorts() = 0;
  virtual Repository<Person>& persons() = 0;
  virtual Repository<Organisation>& organisations() = 0;
  virtual Repository<Application>& applications() = 0;
  virtual Repository<Agreement>& agreements() = 0;
  virtual Repository<Enrolment>& enrolments() = 0;
  virtual Repository<ApiClient>& api_clients() = 0;
  virtual Repository<Erasure>& erasures() = 0;

  // The cohort, locked until the end of the transaction, with all that places
  // are decided by: one round trip. NOT_FOUND or PERMISSION_DENIED.
  virtual absl::StatusOr<LockedPlaces> LockPlaces(const access::Scope& scope,
                                                  const CohortName& cohort) = 0;

  // The same with all else that a submission is decided on: still one round
  // trip.
  virtual absl::StatusOr<LockedSubmission> LockSubmission(
      const access::Scope& scope, const CohortName& cohort,
      const SubmissionReferences& references) = 0;

  // How many places of the cohort stand in each state, without a lock.
  virtual absl::StatusOr<PlaceCounts> CountPlaces(const CohortName& cohort) = 0;

  // The counts on which a person decides whether the course takes place.
  virtual absl::StatusOr<GoNoGoCounts> CountGoNoGo(const CohortName& cohort,
                                                   absl::CivilDay today) = 0;

  // Applications of the cohort with a place in one of `states`, by rank.
  virtual absl::StatusOr<std::vector<Application>> ApplicationsByPlace(
      const access::Scope& scope, const CohortName& cohort,
      const std::vector<PlaceState>& states) = 0;

  // Applications of any body on which time decides at `now` (see IsDue), the
  // longest due first; at most `limit`.
  virtual absl::StatusOr<std::vector<Application>> PlacesDue(absl::Time now,
                                                             int limit) = 0;

  // Cohorts of any body that take place or are under way and whose first or
  // last day is reached by `now` in some time zone (see NextStepTime).
  virtual absl::StatusOr<std::vector<Cohort>> CohortsToStepOn(
      absl::Time now) = 0;

  // How many applications of the cohort wait before `rank`.
  virtual absl::StatusOr<int64_t> CountWaitingBefore(const CohortName& cohort,
                                                     int64_t rank) = 0;

  // The ranks of those who wait, in order.
  virtual absl::StatusOr<std::vector<int64_t>> WaitingRanks(
      const CohortName& cohort) = 0;

  // Applications of the cohort, in keyset order by name or by rank.
  virtual absl::StatusOr<Page<Application>> ListApplications(
      const access::Scope& scope, const CohortName& cohort,
      const ApplicationFilter& filter, const PageRequest& page) = 0;
  virtual absl::StatusOr<Page<Enrolment>> ListEnrolments(
      const access::Scope& scope, const CohortName& cohort,
      std::optional<EnrolmentState> state, const PageRequest& page) = 0;
  virtual absl::StatusOr<Page<Agreement>> ListAgreements(
      const access::Scope& scope, const BodyName& body,
      const ApplicationName& application, const PageRequest& page) = 0;

  virtual absl::StatusOr<std::vector<Agreement>> AgreementsOf(
      const access::Scope& scope, const ApplicationName& application) = 0;

  virtual absl::StatusOr<std::optional<Enrolment>> EnrolmentOf(
      const access::Scope& scope, const ApplicationName& application) = 0;

  // A finished upload that belongs to nothing yet becomes this unit's, and is
  // read with the key of `person` only: UNKNOWN_REFERENCE of `field`,
  // UPLOAD_INCOMPLETE, UPLOAD_EXPIRED.
  virtual absl::StatusOr<FinishedUpload> ClaimUpload(
      const access::Scope& scope, const UploadName& name,
      const PersonName& person, std::string_view field) = 0;

  // Everything on `person` that lies in the scope, found by index; where the
  // transaction writes, locked, cohorts first. NOT_FOUND or PERMISSION_DENIED.
  virtual absl::StatusOr<PersonRecord> RecordOf(const access::Scope& scope,
                                                const PersonName& person) = 0;

  // Gives up files that belong to something: their bytes are removed after the
  // commit.
  virtual absl::Status ExpireUploads(const std::vector<UploadName>& names) = 0;

  // Takes the reasons out of the story of an application (EraseReason).
  virtual absl::Status EraseReasons(const ApplicationName& application) = 0;

  // Takes away what opens the data of `person`, for ever: the key of what is
  // sealed, what they owned and their files, those that `files` names among
  // them. To be called last.
  virtual absl::Status Forget(const PersonName& person,
                              const std::vector<UploadName>& files) = 0;

  // The erasures of any body that wait for `service`: for this one, only those
  // of which nothing is left to be done here. At most 500.
  virtual absl::StatusOr<std::vector<Erasure>> ErasuresAwaiting(
      std::string_view service) = 0;

  // Up to where the feed of another service has been read; empty at first.
  virtual absl::StatusOr<std::string> PeerPosition(
      std::string_view service) = 0;
  virtual void SetPeerPosition(std::string_view service,
                               const std::string& token) = 0;

  // Applications of the body that carried no participation and still have
  // files: refused or withdrawn, and not written since `before`; or of a cohort
  // whose last day was before it. By name, at most `limit`.
  virtual absl::StatusOr<std::vector<Application>> ApplicationsWithPieces(
      const BodyName& body, absl::Time before, int limit) = 0;

  // Who applied within the body, has not been erased, of whom nothing was
  // written since `before`, and who signed nothing with a price for a cohort
  // that ended on `accounted` or later. By name after `after`, at most `limit`.
  virtual absl::StatusOr<std::vector<PersonName>> IdlePersons(
      const BodyName& body, absl::Time before, absl::CivilDay accounted,
      const PersonName& after, int limit) = 0;

  // The resource of `collection` ("persons") in the body that has this
  // identifier in another system.
  virtual absl::StatusOr<std::optional<std::string>> FindByExternalId(
      const BodyName& body, std::string_view collection,
      const ExternalId& id) = 0;
  // Makes `ids` the identifiers of the resource `name` of `collection` in other
  // systems. One that another resource has fails the transaction with
  // ALREADY_EXISTS.
  virtual void KeepExternalIds(std::string_view collection,
                               const std::string& name,
                               const std::vector<ExternalId>& ids) = 0;

  // The uses of all secrets, also of those that are gone, of the clients whose
  // names lie between the two, both included.
  virtual absl::StatusOr<std::vector<SecretUse>> SecretUses(
      const ApiClientName& first, const ApiClientName& last) = 0;
  // Keeps a use, unless a later one is known. Neither the version of the client
  // nor the change feed tells of it.
  virtual void KeepSecretUse(const SecretUse& use) = 0;

  // What is read here holds every change of the feed up to this position.
  virtual absl::StatusOr<int64_t> FeedPosition() = 0;

  // The story of the places of one application, oldest first.
  virtual absl::StatusOr<std::vector<PlaceEvent>> PlaceEvents(
      const access::Scope& scope, const ApplicationName& application) = 0;
  virtual void Append(const PlaceEvent& event) = 0;
};

// The record of enrolment, on whichever engine. Thread-safe.
using EnrolmentStore = Record<EnrolmentUnit>;

}  // namespace parcours::enrolment

#endif  // PARCOURS_SERVICES_ENROLMENT_DOMAIN_ENROLMENT_STORE_H_
