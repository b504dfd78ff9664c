// What scheduling and evaluation do while enrolment is down, and after.

#include <fstream>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/clock.h"
#include "common/rpc/grpc_status.h"
#include "common/rpc/tls.h"
#include "common/testing/authority.h"
#include "common/testing/daemon_fixture.h"
#include "common/testing/status_matchers.h"
#include "common/testing/temp_dir.h"
#include "common/text/view.h"
#include "gmock/gmock.h"
#include "grpcpp/client_context.h"
#include "gtest/gtest.h"
#include "parcours/enrolment/v1/people.grpc.pb.h"
#include "parcours/evaluation/v1/validation_note.grpc.pb.h"
#include "parcours/platform/v1/change_feed.grpc.pb.h"
#include "parcours/platform/v1/clock.grpc.pb.h"
#include "parcours/scheduling/v1/attendance.grpc.pb.h"
#include "parcours/scheduling/v1/calendar.grpc.pb.h"
#include "parcours/scheduling/v1/completion.grpc.pb.h"
#include "tests/integration/enrolment_client.h"

namespace parcours::integration {
namespace {

using testing::DaemonFixture;

class OwnerDownTest : public ::testing::Test {
 protected:
  OwnerDownTest()
      : enrolment_(PARCOURS_ENROLMENTD,
                   Flags("enrolment",
                         {"--scheduling_address=", "--evaluation_address="})),
        scheduling_(
            PARCOURS_SCHEDULINGD,
            Flags("scheduling", {EnrolmentAddress(), "--evaluation_address="})),
        evaluation_(PARCOURS_EVALUATIOND,
                    Flags("evaluation",
                          {EnrolmentAddress(), "--scheduling_address="})) {
    enrolment_.Start();
    scheduling_.Start();
    evaluation_.Start();
  }

  // Sockets, since a port would be another after a restart.
  std::string Socket(const std::string& service) {
    return Cat("unix:", shared_.File(Cat(service, ".sock")));
  }
  std::string EnrolmentAddress() {
    return Cat("--enrolment_address=", Socket("enrolment"));
  }
  std::vector<std::string> Flags(const std::string& service,
                                 const std::vector<std::string>& more) {
    const rpc::TlsFiles tls = authority_.ServiceCertificate(service);
    std::vector<std::string> flags = {
        Cat("--database_url=sqlite://", shared_.File(Cat(service, ".db"))),
        Cat("--identity_file=", authority_.identity_file()),
        Cat("--tls_listen_address=", Socket(service)),
        Cat("--tls_certificate_file=", tls.certificate_file),
        Cat("--tls_key_file=", tls.key_file),
        Cat("--tls_ca_file=", tls.ca_file),
        "--documents_inspector=" PARCOURS_DOCUMENTS_INSPECTOR,
        "--simulation",
        "--simulation_start=2025-09-02T09:00:00+02:00"};
    flags.insert(flags.end(), more.begin(), more.end());
    return flags;
  }

  template <typename Service, typename Request, typename Response>
  absl::StatusOr<Response> Call(
      const DaemonFixture& process,
      grpc::Status (Service::Stub::*method)(grpc::ClientContext*,
                                            const Request&, Response*),
      const Request& request) {
    const auto stub =
        Service::NewStub(process.ConnectAs(authority_.AdministratorToken()));
    grpc::ClientContext context;
    context.set_deadline(absl::ToChronoTime(absl::Now() + absl::Seconds(60)));
    Response response;
    const absl::Status status = rpc::FromGrpcStatus(
        (stub.get()->*method)(&context, request, &response));
    if (!status.ok()) return status;
    return response;
  }

  absl::StatusOr<scheduling::v1::SynchroniseRosterResponse> Synchronise() {
    return Call<scheduling::v1::RosterService>(
        scheduling_, &scheduling::v1::RosterService::Stub::SynchroniseRoster,
        scheduling::v1::SynchroniseRosterRequest());
  }
  absl::Status CreateCompletionRecord(const std::string& enrolment) {
    scheduling::v1::CreateCompletionRecordRequest request;
    request.set_parent(EnrolmentClient::Cohort());
    request.mutable_completion_record()->set_enrolment(enrolment);
    return Call<scheduling::v1::CompletionService>(
               scheduling_,
               &scheduling::v1::CompletionService::Stub::CreateCompletionRecord,
               request)
        .status();
  }
  absl::Status CreateValidationNote(const std::string& enrolment) {
    evaluation::v1::CreateValidationNoteRequest request;
    request.set_parent(EnrolmentClient::Cohort());
    request.mutable_validation_note()->set_subject("Un sujet");
    request.mutable_validation_note()->set_enrolment(enrolment);
    return Call<evaluation::v1::ValidationNoteService>(
               evaluation_,
               &evaluation::v1::ValidationNoteService::Stub::
                   CreateValidationNote,
               request)
        .status();
  }

  testing::TempDir shared_;
  testing::Authority authority_;
  DaemonFixture enrolment_;
  DaemonFixture scheduling_;
  DaemonFixture evaluation_;
};

TEST_F(OwnerDownTest, WhatCanBeUndoneGoesOnAndTheRestWaits) {
  const auto applied = testing::RunProgram(
      PARCOURS_CLI,
      {"programme", "apply", PARCOURS_PROGRAMME, PARCOURS_FICTITIOUS, "--open",
       "--publish", Cat("--enrolment_address=", enrolment_.address()),
       Cat("--scheduling_address=", scheduling_.address()),
       Cat("--evaluation_address=", evaluation_.address()),
       Cat("--token_file=", [&] {
         const std::string path = shared_.File("token");
         std::ofstream(path) << authority_.AdministratorToken();
         return path;
       }())});
  ASSERT_EQ(applied.code, 0) << applied.out << applied.err;
  scheduling::v1::ListHalfDaysRequest list;
  list.set_parent(EnrolmentClient::Cohort());
  const auto half_days = Call<scheduling::v1::CalendarService>(
      scheduling_, &scheduling::v1::CalendarService::Stub::ListHalfDays, list);
  ASSERT_OK(half_days);
  ASSERT_FALSE(half_days->half_days().empty());
  const scheduling::v1::HalfDay& morning = half_days->half_days(0);
  platform::v1::AdvanceTimeRequest advance;
  *advance.mutable_business_time() = morning.start_time();
  ASSERT_OK(Call<platform::v1::ClockService>(
      scheduling_, &platform::v1::ClockService::Stub::AdvanceTime, advance));
  const std::string unknown = Cat(EnrolmentClient::Cohort(), "/enrolments/new");
  ASSERT_OK(Synchronise());
  EXPECT_THAT(CreateCompletionRecord(unknown),
              HasReason(Reason::kUnknownReference));
  EXPECT_THAT(CreateValidationNote(unknown),
              HasReason(Reason::kUnknownReference));

  enrolment_.Kill();

  scheduling::v1::CreateAttendanceEntryRequest sign;
  sign.set_parent(morning.name());
  scheduling::v1::AttendanceEntry& entry = *sign.mutable_attendance_entry();
  entry.set_signer(Cat(EnrolmentClient::Body(), "/persons/new"));
  entry.set_signer_role(scheduling::v1::AttendanceEntry::SIGNER_ROLE_LEARNER);
  entry.set_status(scheduling::v1::ATTENDANCE_STATUS_PRESENT);
  entry.set_means(scheduling::v1::AttendanceEntry::MEANS_PERSONAL_LINK);
  const auto signature = Call<scheduling::v1::AttendanceService>(
      scheduling_,
      &scheduling::v1::AttendanceService::Stub::CreateAttendanceEntry, sign);
  ASSERT_OK(signature);
  EXPECT_TRUE(signature->to_reconcile());

  for (const absl::Status& refused :
       {CreateCompletionRecord(unknown), CreateValidationNote(unknown),
        Synchronise().status()}) {
    EXPECT_THAT(refused, HasReason(Reason::kOwnerUnavailable));
    EXPECT_THAT(refused, StatusIs(absl::StatusCode::kUnavailable));
  }

  enrolment_.Start();
  enrolment::v1::CreatePersonRequest create;
  create.set_parent(EnrolmentClient::Body());
  create.mutable_person()->set_given_name("Personne");
  create.mutable_person()->set_family_name("Imaginaire");
  create.mutable_person()->set_email("personne@exemple.fr");
  ASSERT_OK(Call<enrolment::v1::PeopleService>(
      enrolment_, &enrolment::v1::PeopleService::Stub::CreatePerson, create));
  // The copy comes to stand where the owner's feed does.
  platform::v1::ListChangesRequest changes;
  changes.set_page_size(1000);
  std::string head;
  std::string copied = "-";
  int64_t position = 0;
  while (position == 0 || copied != head) {
    const auto page = Call<platform::v1::ChangeFeedService>(
        enrolment_, &platform::v1::ChangeFeedService::Stub::ListChanges,
        changes);
    ASSERT_OK(page);
    ASSERT_FALSE(page->more());
    position = page->changes().rbegin()->kind() == "person" ? 1 : 0;
    head = page->next_token();
    const auto synchronised = Synchronise();
    if (synchronised.ok()) copied = synchronised->feed_token();
  }
  EXPECT_THAT(CreateCompletionRecord(unknown),
              HasReason(Reason::kUnknownReference));
}

}  // namespace
}  // namespace parcours::integration
