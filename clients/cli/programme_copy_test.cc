#include "clients/cli/programme_copy.h"

#include <cstddef>
#include <cstdlib>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/time/civil_time.h"
#include "clients/cli/dates.h"
#include "clients/cli/programme_file.h"
#include "common/textproto/text_proto.h"
#include "gmock/gmock.h"
#include "google/protobuf/util/message_differencer.h"
#include "gtest/gtest.h"

namespace parcours::cli {
namespace {

using enrolment::v1::ProgrammeFile;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

ProgrammeFile Load(const std::string& name) {
  return LoadProgrammeFile(absl::StrCat(std::getenv("PARCOURS_PROGRAMMES_DIR"),
                                        "/", name, ".txtpb"))
      .value();
}

TEST(CopyProgrammeTest, KeepsWeekdaysAndDistances) {
  const ProgrammeFile file = Load("culture-ess-2026");
  for (const int year : {2027, 2028, 2032}) {
    const ProgrammeFile copy = CopyProgramme(file, year)->file;
    ASSERT_EQ(copy.days_size(), file.days_size());
    const auto shift = DayOf(copy.days(0).date()) - DayOf(file.days(0).date());
    EXPECT_EQ(shift % 7, 0);
    for (int i = 0; i < file.days_size(); ++i) {
      const absl::CivilDay day = DayOf(copy.days(i).date());
      EXPECT_EQ(day - DayOf(file.days(i).date()), shift);
      EXPECT_EQ(day.year(), year);
    }
    const absl::CivilDay same_date(year, 3, 16);
    EXPECT_LE(std::abs(DayOf(copy.days(0).date()) - same_date), 3);
  }
}

TEST(CopyProgrammeTest, IsAFileWithoutProblems) {
  for (const std::string name :
       {"culture-ess-2026", "atelier-gouvernance-2026"}) {
    EXPECT_THAT(CheckProgrammeFile(CopyProgramme(Load(name), 2027)->file),
                IsEmpty())
        << name;
  }
}

TEST(CopyProgrammeTest, RenamesTheCohortAndMovesItsDates) {
  const ProgrammeFile copy =
      CopyProgramme(Load("culture-ess-2026"), 2027)->file;
  EXPECT_EQ(copy.cohort().name(), "bodies/opale/cohorts/culture-ess-2027");
  EXPECT_EQ(copy.cohort().display_name(), "Promotion 2027");
  EXPECT_EQ(copy.programme().name(), "bodies/opale/programmes/culture-ess");
  EXPECT_EQ(Print(copy.cohort().start_date()), "2027-03-15");
  EXPECT_EQ(Print(copy.cohort().entry_cutoff_date()), "2027-03-15");
  EXPECT_EQ(Print(copy.cohort().application_close_date()), "2027-03-14");
  EXPECT_EQ(Print(copy.cohort().assessment_calendar().jury_date()), "2028-01");
}

TEST(CopyProgrammeTest, ForgetsTheNumbersOfTheSession) {
  const ProgrammeCopy copy = *CopyProgramme(Load("culture-ess-2026"), 2027);
  for (const auto& funder : copy.file.cohort().funders()) {
    EXPECT_THAT(funder.session_number(), IsEmpty());
  }
  EXPECT_THAT(copy.file.cohort().ShortDebugString(), Not(HasSubstr("SE_")));
  EXPECT_THAT(absl::StrJoin(copy.to_review, "\n"), HasSubstr("SE_0001061492"));
}

TEST(CopyProgrammeTest, LeavesWhatIsToBeDecidedUndecided) {
  const ProgrammeFile copy =
      CopyProgramme(Load("culture-ess-2026"), 2027)->file;
  for (const auto& day : copy.days()) {
    EXPECT_EQ(day.kind(), type::v1::DAY_KIND_TBD);
  }
}

TEST(CopyProgrammeTest, NamesTheTextsThatStillMentionTheOldYear) {
  const ProgrammeCopy copy = *CopyProgramme(Load("culture-ess-2026"), 2027);
  EXPECT_THAT(absl::StrJoin(copy.to_review, "\n"),
              HasSubstr("programme.rhythm mentionne 2026"));
}

TEST(CopyProgrammeTest, NamesAPublicHoliday) {
  // The Monday two days after 1 May 2026 becomes 1 May 2028, a Monday.
  ProgrammeFile file = Load("atelier-gouvernance-2026");
  ASSERT_GE(file.days_size(), 2);
  *file.mutable_days(1)->mutable_date() = DateOf(absl::CivilDay(2026, 5, 4));
  const ProgrammeCopy copy = *CopyProgramme(file, 2028);
  ASSERT_EQ(Print(copy.file.days(1).date()), "2028-05-01");
  EXPECT_THAT(absl::StrJoin(copy.to_review, "\n"), HasSubstr("jour férié"));
}

TEST(CopyProgrammeTest, RefusesAYearThatIsNotLater) {
  EXPECT_EQ(CopyProgramme(Load("culture-ess-2026"), 2026).status().code(),
            absl::StatusCode::kInvalidArgument);
}

TEST(PrintCopyTest, CanBeReadAgainAndSaysWhatToReview) {
  const ProgrammeCopy copy = *CopyProgramme(Load("culture-ess-2026"), 2027);
  const std::string text = PrintCopy(copy);
  EXPECT_THAT(text, HasSubstr("À REVOIR"));
  EXPECT_THAT(text, HasSubstr("économie sociale"));
  ProgrammeFile read;
  ASSERT_TRUE(textproto::Parse(text, "copy", read).ok());
  EXPECT_TRUE(
      google::protobuf::util::MessageDifferencer::Equals(read, copy.file));
}

}  // namespace
}  // namespace parcours::cli
