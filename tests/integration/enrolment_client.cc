#include "tests/integration/enrolment_client.h"

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <set>
#include <thread>
#include <utility>

#include "absl/strings/str_format.h"
#include "absl/synchronization/blocking_counter.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/clock.h"
#include "common/rpc/grpc_status.h"
#include "common/status/macros.h"
#include "common/testing/pdf.h"
#include "common/text/view.h"
#include "common/textproto/text_proto.h"
#include "common/types/resource_name.h"
#include "google/protobuf/field_mask.pb.h"

namespace parcours::integration {
namespace {

constexpr absl::Duration kPatience = absl::Seconds(60);
constexpr std::size_t kChunk = 64 * 1024;
constexpr int kUploadThreads = 8;

// One call of a blocking stub.
template <typename Response, typename Service, typename Request>
absl::StatusOr<Response> Call(
    Service& stub,
    grpc::Status (Service::*method)(grpc::ClientContext*, const Request&,
                                    Response*),
    const Request& request, absl::Duration patience = kPatience) {
  grpc::ClientContext context;
  context.set_deadline(absl::ToChronoTime(absl::Now() + patience));
  Response response;
  const grpc::Status status = (stub.*method)(&context, request, &response);
  if (!status.ok()) return rpc::FromGrpcStatus(status);
  return response;
}

std::string LastId(std::string_view name) {
  return std::string(name.substr(name.rfind('/') + 1));
}

pb::ProgrammeFile ReadFile() {
  constexpr char kPath[] = "programmes/culture-ess-2026.txtpb";
  pb::ProgrammeFile file;
  const absl::StatusOr<std::string> text = textproto::ReadTextFile(kPath);
  const absl::Status status =
      text.ok() ? textproto::Parse(*text, kPath, file) : text.status();
  if (!status.ok()) {
    std::fprintf(stderr, "%s\n", status.ToString().c_str());
    std::abort();
  }
  return file;
}

}  // namespace

std::string SmallPdf(std::string_view text) { return MakePdf(1, "", text); }

std::string NewRequestId() { return NewUuidV7(absl::Now()); }

std::vector<Submitted> SubmitTogether(
    const std::vector<std::shared_ptr<grpc::Channel>>& channels,
    const std::vector<pb::SubmitApplicationRequest>& requests) {
  std::vector<std::unique_ptr<pb::ApplicationService::Stub>> stubs;
  for (const auto& channel : channels) {
    channel->WaitForConnected(absl::ToChronoTime(absl::Now() + kPatience));
    stubs.push_back(pb::ApplicationService::NewStub(channel));
  }
  std::vector<Submitted> calls(requests.size());
  std::vector<grpc::ClientContext> contexts(requests.size());
  absl::BlockingCounter answers(static_cast<int>(requests.size()));
  for (std::size_t i = 0; i < requests.size(); ++i) {
    Submitted& call = calls[i];
    contexts[i].set_deadline(absl::ToChronoTime(absl::Now() + kPatience));
    call.sent = absl::Now();
    stubs[i % stubs.size()]->async()->SubmitApplication(
        &contexts[i], &requests[i], &call.application,
        [&call, &answers](const grpc::Status& status) {
          call.answered = absl::Now();
          call.status = rpc::FromGrpcStatus(status);
          answers.DecrementCount();
        });
  }
  answers.Wait();
  return calls;
}

EnrolmentClient::EnrolmentClient(const std::shared_ptr<grpc::Channel>& channel)
    : programmes_(pb::ProgrammeService::NewStub(channel)),
      applications_(pb::ApplicationService::NewStub(channel)),
      uploads_(platform::v1::UploadService::NewStub(channel)),
      feed_(platform::v1::ChangeFeedService::NewStub(channel)) {}

const pb::ProgrammeFile& EnrolmentClient::File() {
  static const pb::ProgrammeFile* const file =
      new pb::ProgrammeFile(ReadFile());
  return *file;
}

absl::Status EnrolmentClient::CreateAll() const {
  pb::CreateBodyRequest body;
  body.set_body_id(LastId(Body()));
  *body.mutable_body() = File().body();
  RETURN_IF_ERROR(
      Call(*programmes_, &pb::ProgrammeService::StubInterface::CreateBody, body)
          .status());
  pb::CreateProgrammeRequest programme;
  programme.set_parent(Body());
  programme.set_programme_id(LastId(Programme()));
  *programme.mutable_programme() = File().programme();
  RETURN_IF_ERROR(Call(*programmes_,
                       &pb::ProgrammeService::StubInterface::CreateProgramme,
                       programme)
                      .status());
  pb::CreateCohortRequest cohort;
  cohort.set_parent(Body());
  cohort.set_cohort_id(LastId(Cohort()));
  *cohort.mutable_cohort() = File().cohort();
  RETURN_IF_ERROR(Call(*programmes_,
                       &pb::ProgrammeService::StubInterface::CreateCohort,
                       cohort)
                      .status());
  pb::OpenCohortRequest open;
  open.set_name(Cohort());
  return Call(*programmes_, &pb::ProgrammeService::StubInterface::OpenCohort,
              open)
      .status();
}

absl::StatusOr<platform::v1::Upload> EnrolmentClient::CreateUpload(
    std::string_view bytes, const std::string& request_id) const {
  platform::v1::CreateUploadRequest request;
  request.set_parent(Body());
  request.mutable_upload()->set_byte_size(static_cast<int64_t>(bytes.size()));
  request.mutable_upload()->set_content_type("application/pdf");
  request.set_request_id(request_id);
  return Call(*uploads_,
              &platform::v1::UploadService::StubInterface::CreateUpload,
              request);
}

absl::StatusOr<platform::v1::Upload> EnrolmentClient::WriteUpload(
    const std::string& upload, std::string_view bytes, int64_t offset) const {
  grpc::ClientContext context;
  context.set_deadline(absl::ToChronoTime(absl::Now() + kPatience));
  platform::v1::Upload response;
  const auto writer = uploads_->WriteUpload(&context, &response);
  platform::v1::WriteUploadRequest chunk;
  chunk.set_name(upload);
  auto position = static_cast<std::size_t>(offset);
  do {
    const std::string_view part = bytes.substr(position, kChunk);
    chunk.set_write_offset(static_cast<int64_t>(position));
    chunk.set_data(std::string(part));
    if (!writer->Write(chunk)) break;
    position += part.size();
  } while (position < bytes.size());
  writer->WritesDone();
  const grpc::Status status = writer->Finish();
  if (!status.ok()) return rpc::FromGrpcStatus(status);
  return response;
}

absl::StatusOr<platform::v1::Upload> EnrolmentClient::GetUpload(
    const std::string& name) const {
  platform::v1::GetUploadRequest request;
  request.set_name(name);
  return Call(*uploads_, &platform::v1::UploadService::StubInterface::GetUpload,
              request);
}

absl::StatusOr<pb::SubmitApplicationRequest> EnrolmentClient::CompleteFile(
    int number) const {
  pb::SubmitApplicationRequest request;
  request.set_parent(Cohort());
  request.set_request_id(NewRequestId());
  pb::Application& application = *request.mutable_application();
  pb::Candidate& candidate = *application.mutable_candidate();
  candidate.set_given_name("Candidate");
  candidate.set_family_name(absl::StrFormat("Fictive %04d", number));
  candidate.set_email(
      absl::StrFormat("candidate.fictive.%04d@example.org", number));
  candidate.set_years_after_bac(5);
  application.mutable_payer()->set_kind(type::v1::PAYER_KIND_INDIVIDUAL);
  application.set_channel(pb::CHANNEL_ONLINE);
  for (const int kind : File().programme().required_pieces()) {
    const std::string bytes = SmallPdf(Cat(number, " ", kind));
    ASSIGN_OR_RETURN(const platform::v1::Upload upload,
                     CreateUpload(bytes, NewRequestId()));
    RETURN_IF_ERROR(WriteUpload(upload.name(), bytes).status());
    pb::Piece& piece = *request.add_pieces();
    piece.set_kind(static_cast<type::v1::PieceKind>(kind));
    piece.set_upload(upload.name());
  }
  return request;
}

absl::StatusOr<std::vector<pb::SubmitApplicationRequest>>
EnrolmentClient::CompleteFiles(int first, int last) const {
  const int count = last - first + 1;
  std::vector<pb::SubmitApplicationRequest> requests(
      static_cast<std::size_t>(count));
  std::atomic<int> next = 0;
  absl::Mutex mutex;
  absl::Status failure;
  std::vector<std::thread> threads;
  for (int thread = 0; thread < kUploadThreads; ++thread) {
    threads.emplace_back([&] {
      for (int i = next++; i < count; i = next++) {
        auto request = CompleteFile(first + i);
        const absl::MutexLock lock(&mutex);
        if (!request.ok()) {
          failure.Update(request.status());
          return;
        }
        requests[static_cast<std::size_t>(i)] = *std::move(request);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  RETURN_IF_ERROR(failure);
  return requests;
}

absl::StatusOr<pb::Application> EnrolmentClient::Submit(
    const pb::SubmitApplicationRequest& request,
    absl::Duration patience) const {
  return Call(*applications_,
              &pb::ApplicationService::StubInterface::SubmitApplication,
              request, patience);
}

absl::StatusOr<std::vector<pb::Application>> EnrolmentClient::ListApplications()
    const {
  std::vector<pb::Application> all;
  pb::ListApplicationsRequest request;
  request.set_parent(Cohort());
  request.set_page_size(500);
  request.set_order_by("rank");
  do {
    ASSIGN_OR_RETURN(
        const pb::ListApplicationsResponse page,
        Call(*applications_,
             &pb::ApplicationService::StubInterface::ListApplications,
             request));
    all.insert(all.end(), page.applications().begin(),
               page.applications().end());
    request.set_page_token(page.next_page_token());
  } while (!request.page_token().empty());
  return all;
}

absl::StatusOr<pb::ExplainPlaceResponse> EnrolmentClient::ExplainPlace(
    const std::string& application) const {
  pb::ExplainPlaceRequest request;
  request.set_name(application);
  return Call(*applications_,
              &pb::ApplicationService::StubInterface::ExplainPlace, request);
}

absl::StatusOr<pb::Cohort> EnrolmentClient::GetCohort() const {
  pb::GetCohortRequest request;
  request.set_name(Cohort());
  return Call(*programmes_, &pb::ProgrammeService::StubInterface::GetCohort,
              request);
}

absl::StatusOr<pb::Programme> EnrolmentClient::GetProgramme(
    absl::Duration patience) const {
  pb::GetProgrammeRequest request;
  request.set_name(Programme());
  return Call(*programmes_, &pb::ProgrammeService::StubInterface::GetProgramme,
              request, patience);
}

absl::StatusOr<pb::Programme> EnrolmentClient::RenameProgramme(
    const std::string& display_name) const {
  pb::UpdateProgrammeRequest request;
  request.mutable_programme()->set_name(Programme());
  request.mutable_programme()->set_display_name(display_name);
  request.mutable_update_mask()->add_paths("display_name");
  request.set_request_id(NewRequestId());
  return Call(*programmes_,
              &pb::ProgrammeService::StubInterface::UpdateProgramme, request);
}

absl::StatusOr<std::vector<std::string>> EnrolmentClient::ApplicationsOfFeed(
    std::size_t count) const {
  std::vector<std::string> names;
  std::set<std::string> known;
  platform::v1::ListChangesRequest request;
  request.set_page_size(1000);
  const absl::Time limit = absl::Now() + absl::Seconds(30);
  while (names.size() < count && absl::Now() < limit) {
    ASSIGN_OR_RETURN(
        const platform::v1::ListChangesResponse page,
        Call(*feed_,
             &platform::v1::ChangeFeedService::StubInterface::ListChanges,
             request));
    for (const platform::v1::Change& change : page.changes()) {
      if (change.kind() == "application" &&
          known.insert(change.resource()).second) {
        names.push_back(change.resource());
      }
    }
    request.set_after_token(page.next_token());
    if (page.changes().empty()) absl::SleepFor(absl::Milliseconds(10));
  }
  return names;
}

}  // namespace parcours::integration
