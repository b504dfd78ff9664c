#include "clients/cli/demo/stage.h"

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <thread>

#include "absl/strings/str_cat.h"
#include "clients/cli/dates.h"
#include "common/crypto/digest.h"
#include "common/status/macros.h"

namespace parcours::cli::demo {
namespace {

using enrolment::v1::ApplicationService;
using enrolment::v1::EnrolmentService;
using enrolment::v1::PeopleService;
using enrolment::v1::ProgrammeService;
using platform::v1::ClockService;
using platform::v1::UploadService;

// Most bytes in one message of a stream.
constexpr std::size_t kChunkBytes = 65536;

absl::Status MoveClock(const Client<ClockService>& clock, absl::Time time) {
  platform::v1::AdvanceTimeRequest request;
  *request.mutable_business_time() = TimestampOf(time);
  return clock.Call(&ClockService::StubInterface::AdvanceTime, request)
      .status();
}

grpc::Status WriteFrom(const Client<UploadService>& uploads,
                       grpc::ClientContext& context, const std::string& name,
                       const std::string& bytes, std::size_t offset,
                       platform::v1::Upload& upload) {
  const auto writer = uploads.stub().WriteUpload(&context, &upload);
  while (offset < bytes.size()) {
    platform::v1::WriteUploadRequest chunk;
    chunk.set_name(name);
    chunk.set_write_offset(static_cast<std::int64_t>(offset));
    chunk.set_data(bytes.substr(offset, kChunkBytes));
    offset += chunk.data().size();
    if (!writer->Write(chunk)) break;
  }
  writer->WritesDone();
  return writer->Finish();
}

}  // namespace

std::string Stage::Body() const {
  return cohort.name().substr(0, cohort.name().find("/cohorts/"));
}

absl::CivilDay Stage::start_day() const { return DayOf(cohort.start_date()); }

absl::CivilDay Stage::last_entry_day() const {
  return std::min(start_day(), DayOf(cohort.entry_cutoff_date()));
}

absl::Time Stage::At(absl::CivilDay day, int hour, int minute) const {
  return absl::FromCivil(
      absl::CivilSecond(day.year(), day.month(), day.day(), hour, minute, 0),
      zone);
}

absl::StatusOr<absl::Time> Now(const Stage& stage) {
  ASSIGN_OR_RETURN(
      const platform::v1::GetTimeResponse answer,
      stage.services.enrolment.clock.Call(&ClockService::StubInterface::GetTime,
                                          platform::v1::GetTimeRequest()));
  return TimeOf(answer.business_time());
}

absl::Status MoveTo(const Stage& stage, absl::Time time) {
  ASSIGN_OR_RETURN(const absl::Time now, Now(stage));
  if (time <= now) return absl::OkStatus();
  RETURN_IF_ERROR(MoveClock(stage.services.enrolment.clock, time));
  if (stage.services.scheduling.has_value()) {
    RETURN_IF_ERROR(MoveClock(stage.services.scheduling->clock, time));
  }
  if (stage.services.evaluation.has_value()) {
    RETURN_IF_ERROR(MoveClock(stage.services.evaluation->clock, time));
  }
  return absl::OkStatus();
}

absl::Status AdvanceTo(const Stage& stage, absl::Time time) {
  RETURN_IF_ERROR(MoveTo(stage, time));
  ASSIGN_OR_RETURN(const absl::Time now, Now(stage));
  stage.narrator.Date(now);
  return absl::OkStatus();
}

absl::Status RefreshCohort(Stage& stage) {
  enrolment::v1::GetCohortRequest request;
  request.set_name(stage.cohort.name());
  ASSIGN_OR_RETURN(stage.cohort,
                   stage.services.enrolment.programmes.Call(
                       &ProgrammeService::StubInterface::GetCohort, request));
  return absl::OkStatus();
}

absl::StatusOr<std::vector<enrolment::v1::Application>> Applications(
    const Stage& stage, enrolment::v1::PlaceState place_state) {
  enrolment::v1::ListApplicationsRequest request;
  request.set_parent(stage.cohort.name());
  request.set_place_state(place_state);
  request.set_order_by("rank");
  return ListAll(
      stage.services.enrolment.applications,
      &ApplicationService::StubInterface::ListApplications, request,
      [](enrolment::v1::ListApplicationsResponse & page) -> auto& {
        return *page.mutable_applications();
      });
}

absl::StatusOr<std::vector<enrolment::v1::Enrolment>> Enrolments(
    const Stage& stage, enrolment::v1::Enrolment::State state) {
  enrolment::v1::ListEnrolmentsRequest request;
  request.set_parent(stage.cohort.name());
  request.set_state(state);
  return ListAll(
      stage.services.enrolment.enrolments,
      &EnrolmentService::StubInterface::ListEnrolments, request,
      [](enrolment::v1::ListEnrolmentsResponse & page) -> auto& {
        return *page.mutable_enrolments();
      });
}

absl::StatusOr<std::string> SendPdf(const Client<UploadService>& uploads,
                                    const std::string& body,
                                    const std::string& bytes) {
  platform::v1::CreateUploadRequest create;
  create.set_parent(body);
  create.mutable_upload()->set_byte_size(
      static_cast<std::int64_t>(bytes.size()));
  create.mutable_upload()->set_content_type("application/pdf");
  create.mutable_upload()->set_sha256(crypto::Sha256Hex(bytes));
  ASSIGN_OR_RETURN(
      platform::v1::Upload upload,
      uploads.Call(&UploadService::StubInterface::CreateUpload, create));
  const std::string name = upload.name();
  bool first = true;
  RETURN_IF_ERROR(CallWithRetries(
      uploads.policy(), uploads.address(), [&](grpc::ClientContext& context) {
        std::size_t offset = 0;
        if (!first) {
          // A call that broke may have left a part there.
          platform::v1::GetUploadRequest get;
          get.set_name(name);
          const auto known =
              uploads.Call(&UploadService::StubInterface::GetUpload, get);
          if (known.ok()) {
            offset = static_cast<std::size_t>(known->received_bytes());
          }
        }
        first = false;
        return WriteFrom(uploads, context, name, bytes, offset, upload);
      }));
  return name;
}

absl::Status InParallel(int count, int threads,
                        const std::function<absl::Status(int)>& task) {
  std::atomic<int> next = 0;
  std::mutex mutex;
  absl::Status first_error;
  std::vector<std::thread> running;
  running.reserve(static_cast<std::size_t>(std::min(count, threads)));
  for (int i = 0; i < std::min(count, threads); ++i) {
    running.emplace_back([&] {
      for (int index = next++; index < count; index = next++) {
        const absl::Status status = task(index);
        if (status.ok()) continue;
        const std::lock_guard lock(mutex);
        if (first_error.ok()) first_error = status;
        next = count;
      }
    });
  }
  for (std::thread& thread : running) thread.join();
  return first_error;
}

std::string Described(const enrolment::v1::Application& application) {
  std::string text = absl::StrCat(application.candidate().given_name(), " ",
                                  application.candidate().family_name());
  if (application.rank() > 0) {
    absl::StrAppend(&text, ", rang ", application.rank());
  }
  return text;
}

absl::StatusOr<enrolment::v1::Person> MakePerson(
    const Stage& stage, const std::string& id, const std::string& given_name,
    const std::string& family_name) {
  enrolment::v1::UpdatePersonRequest request;
  enrolment::v1::Person& person = *request.mutable_person();
  person.set_name(absl::StrCat(stage.Body(), "/persons/", id));
  person.set_given_name(given_name);
  person.set_family_name(family_name);
  person.set_email(absl::StrCat(id, "@example.org"));
  request.set_allow_missing(true);
  return stage.services.enrolment.people.Call(
      &PeopleService::StubInterface::UpdatePerson, request);
}

}  // namespace parcours::cli::demo
