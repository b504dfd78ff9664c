#include "services/enrolment/testing/enrolment_fixture.h"

#include <cstdlib>
#include <utility>

#include "absl/time/clock.h"
#include "common/privacy/privacy_rpc.h"
#include "common/rpc/convert.h"
#include "common/status/macros.h"
#include "common/testing/pdf.h"
#include "common/text/view.h"
#include "google/protobuf/text_format.h"
#include "gtest/gtest.h"
#include "parcours/type/v1/access.pb.h"
#include "services/enrolment/rpc/erasure_rpc.h"
#include "services/enrolment/rpc/piece_limits.h"
#include "services/enrolment/store/migrations.h"
#include "services/enrolment/store/stored_piece.h"
#include "services/enrolment/testing/kept_places.h"

namespace parcours::enrolment {
namespace {

std::string Inspector() {
  const char* const program = std::getenv("PARCOURS_DOCUMENTS_INSPECTOR");
  EXPECT_NE(program, nullptr);
  return program == nullptr ? "" : program;
}

access::Principal Administrator() {
  access::Principal principal{.subject = "essai"};
  principal.roles.Add(type::v1::ROLE_ADMINISTRATOR);
  return principal;
}

}  // namespace

EnrolmentFixture::EnrolmentFixture(
    storage::Engine engine,
    std::function<
        std::unique_ptr<storage::Session>(std::unique_ptr<storage::Session>)>
        decorate,
    cache::SharedCache* shared)
    : test_database_(engine),
      database_([&] {
        test_database_.options().decorate_session = std::move(decorate);
        return test_database_.Open(AllMigrations());
      }()),
      files_(Must(
          documents::UploadStore::Open({.directory = folder_.File("files"),
                                        .key_file = folder_.File("key")}))),
      store_(*database_),
      cached_programmes_(
          {.key_space = {.service = "enrolment", .kind = "programme"}}, shared,
          EncodeProgramme, DecodeProgramme, absl::Now, &cache_counters_),
      token_key_(identity::SigningKey::Generate().value()),
      principal_(Administrator()),
      rpc_([this](rpc::ShellOptions& options) {
        options.identify = [this](const grpc::CallbackServerContext&)
            -> absl::StatusOr<access::Principal> {
          absl::MutexLock lock(&mutex_);
          return principal_;
        };
      }) {
  database_->AddCommitListener(
      [this](absl::Span<const storage::Change> changes) {
        for (const storage::Change& change : changes) {
          if (change.kind == "programme") {
            cached_programmes_.Invalidate(change.name, change.version);
          }
        }
      });
  const Dependencies dependencies{
      .store = store_,
      .rules = FrenchRules(),
      .page_tokens = page_tokens_,
      .feed_token = [](int64_t position) { return Cat("feed-", position); }};
  rpc::Shell& shell = rpc_.shell();
  services_.push_back(
      std::make_unique<ProgrammeRpc>(shell, dependencies, cached_programmes_));
  services_.push_back(std::make_unique<PeopleRpc>(shell, dependencies));
  services_.push_back(std::make_unique<ApplicationRpc>(shell, dependencies));
  services_.push_back(std::make_unique<EnrolmentRpc>(shell, dependencies));
  services_.push_back(std::make_unique<documents::UploadRpc>(
      shell, *database_, *files_, PieceLimits(Inspector())));
  const ErasurePorts ports{.peers = {&scheduling, &evaluation},
                           .log = erasure_log};
  services_.push_back(std::make_unique<ErasureRpc>(shell, dependencies, ports));
  personal_data_ = std::make_unique<EnrolmentPersonalData>(
      dependencies, ports,
      [this](const access::Caller& caller, const UploadName& upload) {
        return FindStoredPiece(*database_, *files_, caller, upload);
      });
  services_.push_back(std::make_unique<privacy::PrivacyRpc>(shell, *database_,
                                                            *personal_data_));
  const SecretKeeping keeping{.key = std::string(32, 'k'),
                              .now = [this] { return real_now(); }};
  services_.push_back(
      std::make_unique<ApiClientRpc>(shell, dependencies, keeping));
  services_.push_back(
      std::make_unique<TokenRpc>(shell, store_, keeping,
                                 TokenIssuing{.key = token_key_,
                                              .issuer = "parcours-essai",
                                              .audience = "parcours",
                                              .lifetime = absl::Minutes(10)}));
  std::vector<rpc::AnyService*> served;
  for (const auto& service : services_) served.push_back(service.get());
  rpc_.Serve(served);
  const std::shared_ptr<grpc::Channel> channel = rpc_.channel();
  api_clients_ = pb::ApiClientService::NewStub(channel);
  applications_ = pb::ApplicationService::NewStub(channel);
  enrolments_ = pb::EnrolmentService::NewStub(channel);
  erasures_ = pb::ErasureService::NewStub(channel);
  people_ = pb::PeopleService::NewStub(channel);
  privacy_ = platform::v1::PrivacyService::NewStub(channel);
  programmes_stub_ = pb::ProgrammeService::NewStub(channel);
  tokens_ = pb::TokenService::NewStub(channel);
  uploads_ = platform::v1::UploadService::NewStub(channel);
}

EnrolmentFixture::~EnrolmentFixture() {
  rpc_.StopServing();
  ExpectKeptPlacesAreTrue(*database_);
}

pb::Programme EnrolmentFixture::Programme() const {
  pb::Programme message;
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(
      R"(display_name: "Programme d’essai"
         access_conditions {
           minimum_level_years_after_bac: 4
           minimum_experience_years: 3
         }
         assessment {}
         module_groups {
           id: "groupe" title: "Groupe"
           modules { id: "module" title: "Module" }
         }
         parties { role: ROLE_SELLER display_name: "Organisme d’essai" }
         duration_minutes: 5400
         thematic_day_count: 12
         delivery_mode: DELIVERY_MODE_IN_PERSON
         rank_event: RANK_EVENT_COMPLETE_FILE
         required_pieces: PIECE_KIND_CV
         required_pieces: PIECE_KIND_LETTER)",
      &message));
  return message;
}

pb::Cohort EnrolmentFixture::Cohort(int capacity) const {
  const enrolment::Cohort sample = SampleCohort();
  pb::Cohort message;
  message.set_programme(programme);
  message.set_display_name(sample.display_name);
  message.set_capacity(capacity);
  message.set_minimum(1);
  message.set_time_zone(sample.time_zone);
  *message.mutable_application_open_date() =
      rpc::DateOf(sample.application_open_date);
  *message.mutable_application_close_date() =
      rpc::DateOf(sample.application_close_date);
  *message.mutable_start_date() = rpc::DateOf(sample.start_date);
  *message.mutable_end_date() = rpc::DateOf(sample.end_date);
  *message.mutable_entry_cutoff_date() = rpc::DateOf(sample.entry_cutoff_date);
  for (const PriceLine& line : sample.prices) {
    type::v1::PriceLine& added = *message.add_prices();
    added.set_payer_kind(
        rpc::EnumToProto<type::v1::PayerKind>(line.payer_kind));
    if (line.amount_cents.has_value()) {
      added.set_amount_cents(*line.amount_cents);
    }
  }
  for (const Funder& funder : sample.funders) {
    type::v1::Funder& added = *message.add_funders();
    added.set_id(funder.id);
    added.set_payer_kind(
        rpc::EnumToProto<type::v1::PayerKind>(funder.payer_kind));
    added.set_lead_time_rule(funder.lead_time_rule);
  }
  return message;
}

void EnrolmentFixture::MakeCohort(int capacity) {
  pb::CreateBodyRequest create_body;
  create_body.set_body_id("essai");
  create_body.mutable_body()->set_display_name("Organisme d’essai");
  create_body.mutable_body()->set_time_zone("Europe/Paris");
  EXPECT_OK(CallTwice(programmes(), &Programmes::CreateBody, create_body));
  pb::CreateProgrammeRequest create_programme;
  create_programme.set_parent(body);
  create_programme.set_programme_id("essai");
  *create_programme.mutable_programme() = Programme();
  EXPECT_OK(
      CallTwice(programmes(), &Programmes::CreateProgramme, create_programme));
  pb::CreateCohortRequest create_cohort;
  create_cohort.set_parent(body);
  create_cohort.set_cohort_id("essai-2026");
  *create_cohort.mutable_cohort() = Cohort(capacity);
  EXPECT_OK(CallTwice(programmes(), &Programmes::CreateCohort, create_cohort));
  pb::OpenCohortRequest open;
  open.set_name(cohort);
  EXPECT_OK(CallTwice(programmes(), &Programmes::OpenCohort, open));
  pb::CreateOrganisationRequest create_organisation;
  create_organisation.set_parent(body);
  create_organisation.set_organisation_id("employeur");
  create_organisation.mutable_organisation()->set_display_name(
      "Employeur d’essai");
  EXPECT_OK(
      CallTwice(people(), &People::CreateOrganisation, create_organisation));
}

absl::StatusOr<std::string> EnrolmentFixture::Upload(
    const std::string& bytes, const std::string& content_type) {
  platform::v1::CreateUploadRequest request;
  request.set_parent(body);
  request.mutable_upload()->set_byte_size(static_cast<int64_t>(bytes.size()));
  request.mutable_upload()->set_content_type(content_type);
  ASSIGN_OR_RETURN(const platform::v1::Upload created,
                   Call(uploads(), &Uploads::CreateUpload, request));
  grpc::ClientContext context;
  platform::v1::Upload received;
  const auto writer = uploads().WriteUpload(&context, &received);
  constexpr std::size_t kChunk = 65536;
  for (std::size_t at = 0; at < bytes.size(); at += kChunk) {
    platform::v1::WriteUploadRequest chunk;
    chunk.set_name(created.name());
    chunk.set_write_offset(static_cast<int64_t>(at));
    chunk.set_data(bytes.substr(at, kChunk));
    if (!writer->Write(chunk)) break;
  }
  writer->WritesDone();
  const grpc::Status status = writer->Finish();
  if (!status.ok()) return rpc::FromGrpcStatus(status);
  return created.name();
}

pb::SubmitApplicationRequest EnrolmentFixture::Submission(int number) {
  pb::SubmitApplicationRequest request;
  request.set_parent(cohort);
  pb::Candidate& candidate =
      *request.mutable_application()->mutable_candidate();
  candidate.set_given_name("Candidate");
  candidate.set_family_name(Cat("N", number));
  candidate.set_email(Cat("candidate.", number, "@example.org"));
  candidate.set_years_after_bac(4);
  request.mutable_application()->mutable_payer()->set_kind(
      type::v1::PAYER_KIND_INDIVIDUAL);
  for (const type::v1::PieceKind kind :
       {type::v1::PIECE_KIND_CV, type::v1::PIECE_KIND_LETTER}) {
    pb::Piece& piece = *request.add_pieces();
    piece.set_kind(kind);
    piece.set_upload(Must(Upload(MakePdf(1))));
  }
  return request;
}

pb::Application EnrolmentFixture::Submitted(int number) {
  return Must(Call(applications(), &Applications::SubmitApplication,
                   Submission(number)));
}

pb::Application EnrolmentFixture::Admitted(int number) {
  pb::AdmitApplicationRequest request;
  request.set_name(Submitted(number).name());
  request.set_decider("Personne Une");
  request.set_reason("Motif");
  return Must(Call(applications(), &Applications::AdmitApplication, request));
}

pb::Agreement EnrolmentFixture::Committed(const std::string& application) {
  pb::CreateAgreementRequest create;
  create.set_parent(body);
  create.mutable_agreement()->set_application(application);
  const pb::Agreement agreement =
      Must(CallTwice(enrolments(), &Enrolments::CreateAgreement, create));
  pb::SignAgreementRequest sign;
  sign.set_name(agreement.name());
  sign.set_signatory("Signataire Une");
  return Must(CallTwice(enrolments(), &Enrolments::SignAgreement, sign));
}

pb::Enrolment EnrolmentFixture::Confirmed(int number) {
  pb::ConfirmPlaceRequest confirm;
  confirm.set_application(Admitted(number).name());
  confirm.set_commitment(pb::COMMITMENT_KIND_SIGNED_AGREEMENT);
  Committed(confirm.application());
  return Must(CallTwice(enrolments(), &Enrolments::ConfirmPlace, confirm));
}

pb::Application EnrolmentFixture::ReadApplication(const std::string& name) {
  pb::GetApplicationRequest request;
  request.set_name(name);
  return Must(Call(applications(), &Applications::GetApplication, request));
}

void EnrolmentFixture::ActAs(access::Principal principal) {
  absl::MutexLock lock(&mutex_);
  principal_ = std::move(principal);
}

access::Principal EnrolmentFixture::CoordinatorOf(std::string_view body) {
  access::Principal principal{.subject = "coordination",
                              .body = std::string(body)};
  principal.roles.Add(type::v1::ROLE_COORDINATOR);
  return principal;
}

void EnrolmentFixture::AdvanceTo(absl::Time time) {
  EXPECT_OK(rpc_.clock().AdvanceTo(time));
}

absl::Time EnrolmentFixture::real_now() {
  absl::MutexLock lock(&mutex_);
  return real_now_;
}

void EnrolmentFixture::SetRealTime(absl::Time time) {
  absl::MutexLock lock(&mutex_);
  real_now_ = time;
}

int64_t EnrolmentFixture::RowsWritten() {
  int64_t rows = -1;
  const access::Caller reader{.scope = access::Scope::Installation(),
                              .now = now()};
  EXPECT_OK(database_->View(
      reader, [&](storage::Transaction& transaction) -> absl::Status {
        ASSIGN_OR_RETURN(const storage::Rows counted,
                         transaction.Query(
                             {.sql = "SELECT (SELECT COUNT(*) FROM change_feed)"
                                     " + (SELECT COUNT(*) FROM idempotency)"
                                     " + (SELECT COUNT(*) FROM place_event)"
                                     " + (SELECT COUNT(*) FROM external_id)",
                              .values = {}}));
        rows = counted.front().Integer(0);
        return absl::OkStatus();
      }));
  return rows;
}

}  // namespace parcours::enrolment
