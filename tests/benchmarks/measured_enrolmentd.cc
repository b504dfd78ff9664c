#include "tests/benchmarks/measured_enrolmentd.h"

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <utility>

#include "absl/strings/str_format.h"
#include "absl/strings/str_replace.h"
#include "absl/time/clock.h"
#include "common/documents/upload_repository.h"
#include "common/rpc/bearer.h"
#include "common/rpc/grpc_status.h"
#include "common/storage/database.h"
#include "common/storage/postgresql_session.h"
#include "common/storage/sqlite_session.h"
#include "common/text/view.h"
#include "services/enrolment/store/migrations.h"

namespace parcours::benchmarks {
namespace {

using integration::EnrolmentClient;
using storage::Engine;

constexpr char kIssuer[] = "https://benchmark.example.org";
constexpr char kAudience[] = "parcours";
constexpr int64_t kCallsPerMinute = 1'000'000'000;

std::string Prepared(testing::TestDatabase& database) {
  database.options().create_as_local = true;
  if (database.engine() == Engine::kPostgresql) {
    MustBeOk(storage::Database::Migrate(
        database.options(),
        documents::WithUploadMigrations(enrolment::Migrations())));
  }
  return database.options().url;
}

std::string Contents(const std::string& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

void SetDate(absl::CivilDay day, google::type::Date& date) {
  date.set_year(static_cast<int>(day.year()));
  date.set_month(day.month());
  date.set_day(day.day());
}

template <typename Stub, typename Request, typename Response>
void Call(Stub& stub,
          grpc::Status (Stub::*method)(grpc::ClientContext*, const Request&,
                                       Response*),
          const Request& request) {
  grpc::ClientContext context;
  Response response;
  MustBeOk(rpc::FromGrpcStatus((stub.*method)(&context, request, &response)));
}

}  // namespace

void MustBeOk(const absl::Status& status) {
  if (status.ok()) return;
  std::fprintf(stderr, "%s\n", status.ToString().c_str());
  std::exit(1);
}

storage::Rows RunOne(storage::Session& session, std::string sql,
                     storage::Values values) {
  const storage::Statement statement{std::move(sql), std::move(values)};
  return std::move(Must(session.Run(absl::MakeConstSpan(&statement, 1),
                                    absl::Now() + absl::Minutes(5)))
                       .front()
                       .rows);
}

MeasuredEnrolmentd::MeasuredEnrolmentd(const std::string& program,
                                       Engine engine, int cohorts)
    : database_(engine),
      url_(Prepared(database_)),
      process_(program,
               {Cat("--database_url=", url_), "--local",
                "--documents_inspector=" PARCOURS_DOCUMENTS_INSPECTOR,
                Cat("--identity_file=", folder_.File("identity.txtpb"))}),
      key_(identity::SigningKey::Generate().value()) {
  WriteIssuers();
  Start();
  CreateAll(cohorts);
  const EnrolmentClient client(Connect());
  const pb::SubmitApplicationRequest model = Must(client.CompleteFile(1));
  for (const pb::Piece& piece : model.pieces()) {
    model_uploads_.push_back(piece.upload());
  }
}

void MeasuredEnrolmentd::WriteIssuers() {
  std::ofstream(folder_.File("keys.json")) << key_.PublicKeySet();
  // Beside the issuer of the fixture, whose key stands elsewhere, one of API
  // clients.
  const std::string of_fixture = absl::StrReplaceAll(
      Contents(process_.authority().identity_file()),
      {{"\"keys.json\"",
        Cat("\"", process_.authority().File("keys.json"), "\"")}});
  std::ofstream(folder_.File("identity.txtpb"))
      << of_fixture << "issuers { id: \"programs\" issuer: \"" << kIssuer
      << "\" audience: \"" << kAudience
      << "\" jwks_file: \"keys.json\" local: true api_clients: true }\n";
  identity::TokenClaims claims;
  claims.issuer = kIssuer;
  claims.audience = kAudience;
  claims.subject = Cat(EnrolmentClient::Body(), "/apiClients/measure");
  claims.roles = {"coordinator"};
  claims.body = EnrolmentClient::Body();
  claims.client = identity::ClientClaims{claims.subject, kCallsPerMinute};
  claims.issue_time = absl::Now();
  claims.expire_time = absl::Now() + absl::Hours(2);
  program_token_ = key_.Sign(claims).value();
}

void MeasuredEnrolmentd::Start(const std::vector<std::string>& environment) {
  process_.Start(environment);
}

void MeasuredEnrolmentd::Stop() {
  process_.Terminate();
  if (process_.Wait() != 0) {
    MustBeOk(absl::InternalError("enrolmentd did not end well"));
  }
}

std::string MeasuredEnrolmentd::CohortName(int index) {
  return absl::StrFormat("%s/cohorts/measured-%02d", EnrolmentClient::Body(),
                         kFirstCohort + index);
}

void MeasuredEnrolmentd::CreateAll(int cohorts) const {
  MustBeOk(EnrolmentClient(Connect()).CreateAll());
  const auto stub = pb::ProgrammeService::NewStub(Connect());
  const absl::CivilDay today =
      absl::ToCivilDay(absl::Now(), absl::UTCTimeZone());
  for (int i = 0; i < cohorts; ++i) {
    pb::CreateCohortRequest create;
    create.set_parent(EnrolmentClient::Body());
    create.set_cohort_id(CohortName(i).substr(CohortName(i).rfind('/') + 1));
    pb::Cohort& cohort = *create.mutable_cohort();
    cohort = EnrolmentClient::File().cohort();
    cohort.clear_name();
    SetDate(today - 30, *cohort.mutable_application_open_date());
    SetDate(today + 30, *cohort.mutable_application_close_date());
    SetDate(today + 31, *cohort.mutable_entry_cutoff_date());
    SetDate(today + 31, *cohort.mutable_start_date());
    SetDate(today + 200, *cohort.mutable_end_date());
    Call(*stub, &pb::ProgrammeService::Stub::CreateCohort, create);
    pb::OpenCohortRequest open;
    open.set_name(CohortName(i));
    Call(*stub, &pb::ProgrammeService::Stub::OpenCohort, open);
  }
}

std::unique_ptr<storage::Session> MeasuredEnrolmentd::OpenRecord() const {
  if (engine() == Engine::kSqlite) {
    return Must(storage::SqliteSession::Open(
        url_.substr(sizeof("sqlite://") - 1),
        storage::SqliteSession::Access::kReadWrite));
  }
  return Must(storage::PostgresqlSession::Connect(
      url_, "", absl::Now() + absl::Seconds(20)));
}

std::vector<std::string> MeasuredEnrolmentd::SeedUploads(int count) {
  const auto session = OpenRecord();
  std::vector<std::string> uploads;
  RunOne(*session, "BEGIN");
  for (const std::string& model : model_uploads_) {
    RunOne(*session,
           "INSERT INTO upload (name, body, version, create_time, update_time,"
           " object_id, byte_size, content_type, sha256, state, expire_time,"
           " account)"
           " WITH RECURSIVE n (i) AS (SELECT CAST($2 AS BIGINT) UNION ALL"
           " SELECT i + 1 FROM n WHERE i + 1 < $3)"
           " SELECT name || '-' || CAST(i AS TEXT), body, version, create_time,"
           " update_time, object_id || '-' || CAST(i AS TEXT), byte_size,"
           " content_type, sha256, state, expire_time, account"
           " FROM upload, n WHERE name = $1",
           {model, int64_t{seeded_}, int64_t{seeded_ + count}});
  }
  RunOne(*session, "COMMIT");
  for (int i = seeded_; i < seeded_ + count; ++i) {
    for (const std::string& model : model_uploads_) {
      uploads.push_back(Cat(model, "-", i));
    }
  }
  seeded_ += count;
  return uploads;
}

pb::SubmitApplicationRequest MeasuredEnrolmentd::Submission(
    int number, int cohort, const std::vector<std::string>& uploads) const {
  pb::SubmitApplicationRequest request;
  request.set_parent(CohortName(cohort));
  request.set_request_id(integration::NewRequestId());
  pb::Application& application = *request.mutable_application();
  pb::Candidate& candidate = *application.mutable_candidate();
  candidate.set_given_name("Candidate");
  candidate.set_family_name(absl::StrFormat("Fictive %05d", number));
  candidate.set_email(
      absl::StrFormat("candidate.fictive.%05d@example.org", number));
  candidate.set_years_after_bac(5);
  application.mutable_payer()->set_kind(type::v1::PAYER_KIND_INDIVIDUAL);
  application.set_channel(pb::CHANNEL_ONLINE);
  const auto& kinds = EnrolmentClient::File().programme().required_pieces();
  for (int i = 0; i < kinds.size(); ++i) {
    pb::Piece& piece = *request.add_pieces();
    piece.set_kind(static_cast<type::v1::PieceKind>(kinds[i]));
    piece.set_upload(
        uploads[static_cast<std::size_t>(number * kinds.size() + i)]);
  }
  return request;
}

std::shared_ptr<grpc::Channel> MeasuredEnrolmentd::Connect() const {
  return process_.Connect();
}

std::shared_ptr<grpc::Channel> MeasuredEnrolmentd::ConnectAsProgram() const {
  return process_.ConnectAs(program_token_);
}

}  // namespace parcours::benchmarks
