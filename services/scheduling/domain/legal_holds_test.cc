#include "services/scheduling/domain/legal_holds.h"

#include <string>

#include "absl/time/civil_time.h"
#include "common/testing/status_matchers.h"
#include "common/time/clock.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace parcours::scheduling {
namespace {

using privacy::LegalHold;
using ::testing::ElementsAre;
using ::testing::Field;
using ::testing::IsEmpty;
using ::testing::SizeIs;

// Other numbers than the house's, to show that they come from the book.
constexpr char kRules[] = R"(
  book: "test"
  rules {
    id: "retention.completion_record" description_fr: "a" unit: UNIT_YEARS
    values { effective_from { year: 2020 month: 1 day: 1 } value: 4
             article: "article 1" source: "test" certainty: CERTAINTY_HOUSE }
  }
  rules {
    id: "retention.funding_pieces" description_fr: "b" unit: UNIT_YEARS
    values { effective_from { year: 2020 month: 1 day: 1 } value: 7
             article: "article 2" source: "test" certainty: CERTAINTY_HOUSE }
  }
)";

const CohortName kCohort = CohortName::FromRecord("bodies/opale/cohorts/c");
const EnrolmentName kEnrolment =
    EnrolmentName::FromRecord("bodies/opale/cohorts/c/enrolments/une");
const PersonName kPerson = PersonName::FromRecord("bodies/opale/persons/une");

class LegalHoldsTest : public ::testing::Test {
 protected:
  LegalHoldsTest() {
    record_.person = kPerson;
    record_.cohorts = {kCohort};
    CalendarVersion version;
    version.number = 1;
    version.name =
        ChildName<CalendarVersionName>(kCohort, "calendarVersions", "1");
    for (const absl::CivilDay day :
         {absl::CivilDay(2026, 3, 16), absl::CivilDay(2026, 6, 15)}) {
      HalfDay half_day;
      half_day.name = ChildName<HalfDayName>(
          kCohort, "halfDays", absl::FormatCivilTime(day) + "-morning");
      half_day.date = day;
      half_day.start = ParisMidnight(day) + absl::Hours(10);
      half_day.end = half_day.start + absl::Hours(3);
      version.half_days.push_back(half_day);
    }
    record_.versions = {version};
  }

  RosterEntry& Enrol(const std::string& payer_kind) {
    RosterEntry learner;
    learner.enrolment = kEnrolment;
    learner.person = kPerson;
    learner.payer_kind = payer_kind;
    learner.since = ParisMidnight(absl::CivilDay(2026, 3, 1));
    record_.roster = {learner};
    return record_.roster.front();
  }
  // Was recorded on the first half-day.
  void Sign() {
    AttendanceEntry entry;
    entry.name =
        ChildName<EntryName>(record_.versions.front().half_days.front().name,
                             "attendanceEntries", "1");
    entry.person = kPerson;
    entry.enrolment = kEnrolment;
    record_.entries.push_back(entry);
  }

  std::vector<LegalHold> HoldsAt(absl::Time now) const {
    auto holds = LegalHoldsOn(record_, rules_, now);
    EXPECT_OK(holds);
    return holds.ok() ? *holds : std::vector<LegalHold>();
  }
  std::vector<std::string> KindsOn(absl::CivilDay day) const {
    std::vector<std::string> kinds;
    for (const LegalHold& hold : HoldsAt(ParisMidnight(day))) {
      kinds.push_back(hold.kind);
    }
    return kinds;
  }

  const rules::RuleBook rules_ = *rules::RuleBook::Parse(kRules, "test");
  PersonRecord record_;
};

TEST_F(LegalHoldsTest, NothingHoldsWhoNeverSigned) {
  Enrol("OPCO");
  EXPECT_THAT(KindsOn(absl::CivilDay(2026, 4, 1)), IsEmpty());
}

TEST_F(LegalHoldsTest, ACompletionRecordHoldsFromTheLastHalfDay) {
  Enrol("INDIVIDUAL");
  Sign();
  const std::vector<LegalHold> holds =
      HoldsAt(ParisMidnight(absl::CivilDay(2026, 7, 1)));
  ASSERT_THAT(holds, SizeIs(1));
  EXPECT_EQ(holds[0].kind, "completion_record");
  EXPECT_EQ(holds[0].resource, kEnrolment.text());
  EXPECT_EQ(holds[0].article, "article 1");
  EXPECT_EQ(holds[0].rule, "test/retention.completion_record@2020-01-01");
  EXPECT_EQ(holds[0].until, absl::CivilDay(2030, 6, 14));
  // The last instant of the last day, in Paris, and the next one.
  const absl::Time over = ParisMidnight(absl::CivilDay(2030, 6, 15));
  EXPECT_THAT(HoldsAt(over - absl::Microseconds(1)), SizeIs(1));
  EXPECT_THAT(HoldsAt(over), IsEmpty());
}

TEST_F(LegalHoldsTest, WhoLeftIsHeldFromTheirOwnLastHalfDay) {
  Enrol("INDIVIDUAL").until = ParisMidnight(absl::CivilDay(2026, 4, 1));
  Sign();
  EXPECT_THAT(KindsOn(absl::CivilDay(2030, 3, 15)),
              ElementsAre("completion_record"));
  EXPECT_THAT(KindsOn(absl::CivilDay(2030, 3, 16)), IsEmpty());
}

TEST_F(LegalHoldsTest, AFunderHoldsLonger) {
  Enrol("OPCO");
  Sign();
  EXPECT_THAT(KindsOn(absl::CivilDay(2030, 6, 14)),
              ElementsAre("completion_record", "funding_pieces"));
  EXPECT_THAT(KindsOn(absl::CivilDay(2030, 6, 15)),
              ElementsAre("funding_pieces"));
  EXPECT_THAT(KindsOn(absl::CivilDay(2033, 6, 14)),
              ElementsAre("funding_pieces"));
  EXPECT_THAT(KindsOn(absl::CivilDay(2033, 6, 15)), IsEmpty());
}

TEST_F(LegalHoldsTest, WhoIsAFunder) {
  struct Case {
    std::string payer_kind;
    std::string funder_id;
    bool funded;
  };
  for (const Case& c : std::vector<Case>{{"INDIVIDUAL", "", false},
                                         {"EMPLOYER", "", false},
                                         {"PUBLIC_EMPLOYER", "", false},
                                         {"EMPLOYER", "afdas", true},
                                         {"OPCO", "", true},
                                         {"CPF", "", true},
                                         {"FRANCE_TRAVAIL", "", true},
                                         {"TRANSITIONS_PRO", "", true},
                                         {"SELF_EMPLOYED_FUND", "", true},
                                         {"ELECTED_OFFICIAL", "", true}}) {
    RosterEntry learner;
    learner.payer_kind = c.payer_kind;
    learner.funder_id = c.funder_id;
    EXPECT_EQ(IsFunded(learner), c.funded) << c.payer_kind << c.funder_id;
  }
}

TEST_F(LegalHoldsTest, APublishedHalfDayToComeIsUnderWay) {
  HalfDay& last = record_.versions.front().half_days.back();
  last.trainers = {{.person = kPerson}};
  EXPECT_THAT(HoldsAt(last.end - absl::Microseconds(1)),
              ElementsAre(AllOf(Field(&LegalHold::kind, "under_way"),
                                Field(&LegalHold::resource, last.name.text()),
                                Field(&LegalHold::until, std::nullopt))));
  EXPECT_THAT(HoldsAt(last.end), IsEmpty());

  // Replaced by somebody else in the calendar that is in force.
  CalendarVersion next = record_.versions.front();
  next.number = 2;
  next.half_days.back().trainers.clear();
  record_.versions.push_back(next);
  EXPECT_THAT(HoldsAt(last.end - absl::Hours(1)), IsEmpty());
}

TEST_F(LegalHoldsTest, WhatWasAttestedOfOthersHoldsNobody) {
  AttendanceEntry attested;
  attested.name =
      ChildName<EntryName>(record_.versions.front().half_days.front().name,
                           "attendanceEntries", "1");
  attested.signer = kPerson;
  attested.enrolment =
      EnrolmentName::FromRecord("bodies/opale/cohorts/c/enrolments/deux");
  record_.entries = {attested};
  EXPECT_THAT(KindsOn(absl::CivilDay(2026, 7, 1)), IsEmpty());
}

}  // namespace
}  // namespace parcours::scheduling
