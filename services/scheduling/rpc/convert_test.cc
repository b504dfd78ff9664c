#include "services/scheduling/rpc/convert.h"

#include <string>

#include "common/rpc/convert.h"
#include "common/testing/enum_agreement.h"
#include "common/testing/status_matchers.h"
#include "gtest/gtest.h"
#include "parcours/enrolment/v1/enrolment.pb.h"

namespace parcours::scheduling {
namespace {

TEST(ConvertTest, EnumsOfContractAndCodeAgree) {
  EXPECT_TRUE((EnumsAgree<type::v1::VenueKind, VenueKind>()));
  EXPECT_TRUE((EnumsAgree<type::v1::DayKind, DayKind>()));
  EXPECT_TRUE((EnumsAgree<type::v1::HalfDayKind, Half>()));
  EXPECT_TRUE((EnumsAgree<type::v1::TrainerKind, TrainerKind>()));
  EXPECT_TRUE((EnumsAgree<pb::MissingItem::What, MissingWhat>()));
  EXPECT_TRUE((EnumsAgree<pb::CalendarChange::Kind, CalendarChangeKind>()));
  EXPECT_TRUE(
      (EnumsAgree<pb::CalendarVersion::Recipient::Role, RecipientRole>()));
  EXPECT_TRUE((EnumsAgree<pb::AttendanceStatus, AttendanceStatus>()));
  EXPECT_TRUE((EnumsAgree<pb::AttendanceSheet::State, SheetState>()));
  EXPECT_TRUE((EnumsAgree<pb::AttendanceEntry::Act, EntryAct>()));
  EXPECT_TRUE((EnumsAgree<pb::AttendanceEntry::SignerRole, SignerRole>()));
  EXPECT_TRUE((EnumsAgree<pb::AttendanceEntry::Means, SigningMeans>()));
  EXPECT_TRUE((EnumsAgree<pb::ChainProblem::Kind, ChainProblemKind>()));
  EXPECT_TRUE((EnumsAgree<enrolment::v1::Enrolment::State, EnrolmentState>()));
}

TEST(ConvertTest, AHalfDayComesBackAsItWent) {
  HalfDay half_day;
  half_day.name = HalfDayName::FromRecord("bodies/opale/cohorts/c/halfDays/a");
  half_day.date = absl::CivilDay(2026, 10, 12);
  half_day.half = Half::kAfternoon;
  half_day.local_start = 14 * 60;
  half_day.local_end = 17 * 60 + 30;
  half_day.day_kind = DayKind::kVisit;
  half_day.module_ids = {"m1", "m2"};
  half_day.venue = VenueName::FromRecord("bodies/opale/venues/cnam");
  half_day.room = RoomName::FromRecord("bodies/opale/venues/cnam/rooms/r");
  half_day.trainers = {{PersonName::FromRecord("bodies/opale/persons/t"),
                        TrainerKind::kResearcher}};
  HalfDay read{.name = half_day.name};
  ASSERT_OK(Read(ToProto(half_day), read));
  EXPECT_EQ(read, half_day);
}

TEST(ConvertTest, LocalTimesAreWholeMinutes) {
  pb::HalfDay message = ToProto(HalfDay{});
  message.mutable_local_start()->set_seconds(1);
  HalfDay half_day;
  EXPECT_THAT(Read(message, half_day), ViolatesField("half_day.local_start"));
}

TEST(ConvertTest, AReceiptComesBackAsItWent) {
  const Receipt receipt{
      .sheet = SheetName::FromRecord("bodies/b/cohorts/c/halfDays/h/sheet"),
      .entry = EntryName::FromRecord(
          "bodies/b/cohorts/c/halfDays/h/attendanceEntries/e"),
      .entry_hash = "a",
      .signer = PersonName::FromRecord("bodies/b/persons/p"),
      .root = "b",
      .close_time = absl::FromUnixMicros(1773660600000001)};
  const Receipt read = FromProto(ToProto(receipt));
  EXPECT_EQ(read.sheet, receipt.sheet);
  EXPECT_EQ(read.entry, receipt.entry);
  EXPECT_EQ(read.entry_hash, receipt.entry_hash);
  EXPECT_EQ(read.signer, receipt.signer);
  EXPECT_EQ(read.root, receipt.root);
  EXPECT_EQ(read.close_time, receipt.close_time);
}

}  // namespace
}  // namespace parcours::scheduling
