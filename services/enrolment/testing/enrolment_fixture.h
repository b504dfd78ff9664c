#ifndef PARCOURS_SERVICES_ENROLMENT_TESTING_ENROLMENT_FIXTURE_H_
#define PARCOURS_SERVICES_ENROLMENT_TESTING_ENROLMENT_FIXTURE_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "common/access/principal.h"
#include "common/cache/cache_counters.h"
#include "common/cache/shared_cache.h"
#include "common/documents/upload_service.h"
#include "common/documents/upload_store.h"
#include "common/identity/token_signer.h"
#include "common/rpc/grpc_status.h"
#include "common/rpc/page_token.h"
#include "common/testing/database_fixture.h"
#include "common/testing/fake_erasure_log.h"
#include "common/testing/rpc_fixture.h"
#include "common/testing/temp_dir.h"
#include "grpcpp/client_context.h"
#include "parcours/enrolment/v1/api_client.grpc.pb.h"
#include "parcours/enrolment/v1/application.grpc.pb.h"
#include "parcours/enrolment/v1/enrolment.grpc.pb.h"
#include "parcours/enrolment/v1/erasure.grpc.pb.h"
#include "parcours/enrolment/v1/people.grpc.pb.h"
#include "parcours/enrolment/v1/programme_service.grpc.pb.h"
#include "parcours/platform/v1/privacy.grpc.pb.h"
#include "parcours/platform/v1/upload.grpc.pb.h"
#include "services/enrolment/rpc/api_client_rpc.h"
#include "services/enrolment/rpc/application_rpc.h"
#include "services/enrolment/rpc/enrolment_personal_data.h"
#include "services/enrolment/rpc/enrolment_rpc.h"
#include "services/enrolment/rpc/people_rpc.h"
#include "services/enrolment/rpc/programme_rpc.h"
#include "services/enrolment/rpc/token_rpc.h"
#include "services/enrolment/store/sql_enrolment_store.h"
#include "services/enrolment/testing/both_engines.h"
#include "services/enrolment/testing/erasure_fakes.h"
#include "services/enrolment/testing/samples.h"

namespace parcours::enrolment {

using ApiClients = pb::ApiClientService::Stub;
using Applications = pb::ApplicationService::Stub;
using Enrolments = pb::EnrolmentService::Stub;
using Erasures = pb::ErasureService::Stub;
using People = pb::PeopleService::Stub;
using Privacy = platform::v1::PrivacyService::Stub;
using Programmes = pb::ProgrammeService::Stub;
using Tokens = pb::TokenService::Stub;
using Uploads = platform::v1::UploadService::Stub;

// The service on a database of one engine, over a real gRPC connection.
// Business time begins on 2 March 2026 at 9:00 in Paris; real time, as far as
// credentials go by it, on 6 May 2031. Methods return what the server answered;
// those that return a plain value must succeed.
class EnrolmentFixture {
 public:
  // `decorate` as in storage::DatabaseOptions; `shared` is the cache behind
  // that of the process, and outlives this.
  explicit EnrolmentFixture(storage::Engine engine,
                            std::function<std::unique_ptr<storage::Session>(
                                std::unique_ptr<storage::Session>)>
                                decorate = nullptr,
                            cache::SharedCache* shared = nullptr);
  ~EnrolmentFixture();

  ApiClients& api_clients() { return *api_clients_; }
  Applications& applications() { return *applications_; }
  Enrolments& enrolments() { return *enrolments_; }
  Erasures& erasures() { return *erasures_; }
  People& people() { return *people_; }
  Privacy& privacy() { return *privacy_; }
  Programmes& programmes() { return *programmes_stub_; }
  Tokens& tokens() { return *tokens_; }
  Uploads& uploads() { return *uploads_; }

  // The other services that keep something on persons, and who was erased.
  FakePeer scheduling{"scheduling"};
  FakePeer evaluation{"evaluation"};
  testing::FakeErasureLog erasure_log;
  EnrolmentStore& store() { return store_; }
  storage::Database& database() { return *database_; }

  const std::string body = "bodies/essai";
  const std::string programme = "bodies/essai/programmes/essai";
  const std::string cohort = "bodies/essai/cohorts/essai-2026";
  const std::string employer = "bodies/essai/organisations/employeur";

  // Calls a method: Call(fixture.people(), &People::GetPerson, request).
  template <typename Stub, typename Request, typename Response>
  absl::StatusOr<Response> Call(
      Stub& stub,
      grpc::Status (Stub::*method)(grpc::ClientContext*, const Request&,
                                   Response*),
      const Request& request) {
    grpc::ClientContext context;
    Response response;
    const grpc::Status status = (stub.*method)(&context, request, &response);
    if (!status.ok()) return rpc::FromGrpcStatus(status);
    return response;
  }

  // The same with a fresh request id, and again with the same: the second call
  // must answer the same and write nothing.
  template <typename Stub, typename Request, typename Response>
  absl::StatusOr<Response> CallTwice(
      Stub& stub,
      grpc::Status (Stub::*method)(grpc::ClientContext*, const Request&,
                                   Response*),
      Request request) {
    request.set_request_id(NewUuidV7(rpc_.clock().Now()));
    const absl::StatusOr<Response> first = Call(stub, method, request);
    const int64_t rows = RowsWritten();
    const absl::StatusOr<Response> again = Call(stub, method, request);
    EXPECT_EQ(RowsWritten(), rows) << request.GetTypeName();
    EXPECT_EQ(first.status().code(), again.status().code());
    if (first.ok() && again.ok()) {
      EXPECT_EQ(first->SerializeAsString(), again->SerializeAsString())
          << request.GetTypeName();
    }
    return first;
  }

  // Makes body, programme, cohort (open, of `capacity` places) and employer.
  void MakeCohort(int capacity = 30);
  pb::Programme Programme() const;
  // The cohort of samples.h.
  pb::Cohort Cohort(int capacity = 30) const;

  // A whole upload of these bytes; its name or why it was refused.
  absl::StatusOr<std::string> Upload(
      const std::string& bytes,
      const std::string& content_type = "application/pdf");

  // The request of "Candidate <number>" with a complete file.
  pb::SubmitApplicationRequest Submission(int number);
  pb::Application Submitted(int number);
  pb::Application Admitted(int number);
  pb::Enrolment Confirmed(int number);
  pb::Agreement Committed(const std::string& application);
  pb::Application ReadApplication(const std::string& name);

  // From now on everybody is this principal; at first, as in every
  // installation without identity, the administrator of this machine.
  void ActAs(access::Principal principal);
  // A coordinator who sees nothing but that body.
  static access::Principal CoordinatorOf(std::string_view body);

  void AdvanceTo(absl::Time time);
  // The time that credentials go by.
  absl::Time real_now();
  void SetRealTime(absl::Time time);
  // Of the issuer "parcours-essai" for the audience "parcours", for 10 minutes.
  const identity::SigningKey& token_key() const { return token_key_; }
  absl::Time now() { return rpc_.clock().Now(); }

  // See TestRecord::RowsWritten.
  int64_t RowsWritten();

 private:
  testing::TempDir folder_;
  testing::TestDatabase test_database_;
  std::unique_ptr<storage::Database> database_;
  std::unique_ptr<documents::UploadStore> files_;
  SqlEnrolmentStore store_;
  rpc::PageTokens page_tokens_{"a key for tests, 32 bytes long..."};
  cache::CacheCounters cache_counters_;
  ProgrammeCache cached_programmes_;
  const identity::SigningKey token_key_;
  absl::Mutex mutex_;
  access::Principal principal_ ABSL_GUARDED_BY(mutex_);
  absl::Time real_now_ ABSL_GUARDED_BY(mutex_) = Paris(2031, 5, 6, 7);
  RpcFixture rpc_;
  std::unique_ptr<EnrolmentPersonalData> personal_data_;
  std::vector<std::unique_ptr<rpc::AnyService>> services_;
  std::unique_ptr<ApiClients> api_clients_;
  std::unique_ptr<Applications> applications_;
  std::unique_ptr<Enrolments> enrolments_;
  std::unique_ptr<Erasures> erasures_;
  std::unique_ptr<People> people_;
  std::unique_ptr<Privacy> privacy_;
  std::unique_ptr<Programmes> programmes_stub_;
  std::unique_ptr<Tokens> tokens_;
  std::unique_ptr<Uploads> uploads_;
};

// A test of the contract on both engines, with the cohort open.
class ContractTest : public ::testing::TestWithParam<storage::Engine> {
 protected:
  ContractTest() : fixture_(GetParam()) { fixture_.MakeCohort(); }
  EnrolmentFixture fixture_;
};

}  // namespace parcours::enrolment

#endif  // PARCOURS_SERVICES_ENROLMENT_TESTING_ENROLMENT_FIXTURE_H_
