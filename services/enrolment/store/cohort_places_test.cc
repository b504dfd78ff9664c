// The places that are kept with a cohort: those that stood there before they
// were kept. That they follow every change is checked by TestRecord, of each
// use case.

#include <string>
#include <utility>
#include <vector>

#include "common/status/macros.h"
#include "common/storage/database.h"
#include "common/testing/database_fixture.h"
#include "common/testing/raw_rows.h"
#include "common/testing/status_matchers.h"
#include "common/text/view.h"
#include "gmock/gmock.h"
#include "gtest/gtest-spi.h"
#include "gtest/gtest.h"
#include "services/enrolment/store/migrations.h"
#include "services/enrolment/store/sql_enrolment_store.h"
#include "services/enrolment/testing/kept_places.h"

namespace parcours::enrolment {
namespace {

using ::testing::ElementsAre;

constexpr int64_t kCohortPlaces = 910;

constexpr char kResource[] = "name, body, version, create_time, update_time";

std::string Cohort(const std::string& id) {
  return Cat("bodies/o/cohorts/", id);
}

// A body, its programme, a person.
std::vector<storage::Statement> Owners() {
  return {{.sql = Cat("INSERT INTO body (", kResource,
                      ", display_name, legal_name, siret, activity_number,"
                      " address_lines, email, phone, time_zone)"
                      " VALUES ('bodies/o', 'bodies/o', 1, 0, 0, '', '', '',"
                      " '', '[]', '', '', 'Europe/Paris')"),
           .values = {}},
          {.sql = Cat("INSERT INTO programme (", kResource,
                      ", display_name, access_conditions, rank_event,"
                      " required_pieces, content) VALUES"
                      " ('bodies/o/programmes/p', 'bodies/o', 1, 0, 0, '',"
                      " '{}', 'COMPLETE', '[]', $1)"),
           .values = {storage::Blob{""}}},
          {.sql = Cat("INSERT INTO person (", kResource,
                      ", given_name, family_name, birth_name, email, phone,"
                      " external_ids) VALUES ('bodies/o/persons/p',"
                      " 'bodies/o', 1, 0, 0, '', '', '', '', '', '[]')"),
           .values = {}}};
}

storage::Statement InsertCohort(const std::string& id) {
  return {
      .sql = Cat("INSERT INTO cohort (", kResource,
                 ", programme, display_name, capacity, minimum, time_zone,"
                 " application_open_date, application_close_date, start_date,"
                 " end_date, entry_cutoff_date, prices, funders, state,"
                 " go_decision, go_decision_time, go_decider, go_reason,"
                 " content) VALUES ($1, 'bodies/o', 1, 0, 0,"
                 " 'bodies/o/programmes/p', '', 2, 1, 'Europe/Paris', '', '',"
                 " '', '', '', '[]', '[]', 'OPEN', '', 0, '', '', $2)"),
      .values = {Cohort(id), storage::Blob{""}}};
}

storage::Statement InsertApplication(const std::string& cohort, int64_t number,
                                     int64_t rank, const std::string& place) {
  return {.sql = Cat("INSERT INTO application (", kResource,
                     ", cohort, person, given_name, family_name, email, phone,"
                     " qualification, candidate_key, payer_kind,"
                     " payer_organisation, payer_funder_id, channel, pieces,"
                     " review_state, meets_access_conditions, decision, rank,"
                     " place_state, submit_time) VALUES ($1, 'bodies/o', 1, 0,"
                     " 0, $2, 'bodies/o/persons/p', '', '', '', '', '{}', $3,"
                     " '', '', '', '', '[]', 'RECEIVED', 1, '{}', $4, $5, 0)"),
          .values = {Cat(Cohort(cohort), "/applications/a", number),
                     Cohort(cohort), Cat("key ", number), rank, place}};
}

class CohortPlacesTest : public ::testing::TestWithParam<storage::Engine> {
 protected:
  CohortPlacesTest() : files_(GetParam()) {
    caller_.principal.subject = "tester";
    caller_.now = absl::FromUnixSeconds(1'800'000'000);
  }

  void Write(storage::Database& database,
             const std::vector<storage::Statement>& statements) {
    ASSERT_OK(database.Transact(caller_,
                                [&](storage::Transaction& transaction)
                                    -> absl::StatusOr<storage::Outcome> {
                                  for (const auto& statement : statements) {
                                    transaction.Write(statement, 1);
                                  }
                                  return storage::Outcome{};
                                }));
  }

  PlaceCounts CountsOf(SqlEnrolmentStore& store, const std::string& cohort) {
    PlaceCounts counts;
    EXPECT_OK(store.View(caller_, [&](EnrolmentUnit& unit) -> absl::Status {
      ASSIGN_OR_RETURN(
          counts, unit.CountPlaces(CohortName::FromRecord(Cohort(cohort))));
      return absl::OkStatus();
    }));
    return counts;
  }

  testing::TestDatabase files_;
  access::Caller caller_{.scope = access::Scope::Installation()};
};

TEST_P(CohortPlacesTest, WhatStoodBeforeIsCounted) {
  const std::vector<storage::Migration> now = AllMigrations();
  std::vector<storage::Migration> before = now;
  std::erase_if(before, [](const storage::Migration& migration) {
    return migration.number == kCohortPlaces;
  });
  ASSERT_EQ(before.size() + 1, now.size());
  ASSERT_EQ(now.back().number, kCohortPlaces)
      << "the last: a binary that knows it not is refused";
  {
    const auto database = files_.Open(before);
    ASSERT_NO_FATAL_FAILURE(Write(*database, Owners()));
    ASSERT_NO_FATAL_FAILURE(Write(
        *database,
        {InsertCohort("full"),
         InsertCohort("unranked"),
         InsertCohort("empty"),
         {.sql = "INSERT INTO cohort_rank (cohort, last_rank) VALUES ($1, 9)",
          .values = {Cohort("full")}},
         InsertApplication("full", 1, 1, "CONFIRMED"),
         InsertApplication("full", 2, 2, "RELEASED"),
         InsertApplication("full", 3, 3, "AT_RISK"),
         InsertApplication("full", 4, 4, "OFFERED"),
         InsertApplication("full", 5, 5, "HELD"),
         InsertApplication("full", 6, 6, "WAITLISTED"),
         InsertApplication("full", 7, 7, "WAITLISTED"),
         InsertApplication("unranked", 8, 0, "NONE")}));
  }
  const auto database = files_.Open(now);
  SqlEnrolmentStore store(*database);
  ExpectKeptPlacesAreTrue(*database);
  const PlaceCounts full = CountsOf(store, "full");
  EXPECT_EQ(full.held, 1);
  EXPECT_EQ(full.offered, 1);
  EXPECT_EQ(full.confirmed, 1);
  EXPECT_EQ(full.at_risk, 1);
  EXPECT_EQ(full.waitlisted, 2);
  for (const char* cohort : {"unranked", "empty"}) {
    const PlaceCounts counts = CountsOf(store, cohort);
    EXPECT_EQ(counts.taken() + counts.waitlisted, 0) << cohort;
  }
  EXPECT_THAT(testing::FirstColumn(*database,
                                   "SELECT cohort FROM cohort_places"
                                   " WHERE last_rank = 9"),
              ElementsAre(Cohort("full")))
      << "a rank that was lost is not given again";
}

TEST_P(CohortPlacesTest, TheCheckFindsACountThatIsWrong) {
  const auto database = files_.Open(AllMigrations());
  ASSERT_NO_FATAL_FAILURE(Write(*database, Owners()));
  ASSERT_NO_FATAL_FAILURE(
      Write(*database,
            {InsertCohort("c"),
             {.sql = "INSERT INTO cohort_places (cohort, last_rank, waitlisted)"
                     " VALUES ($1, 0, 1)",
              .values = {Cohort("c")}}}));
  EXPECT_NONFATAL_FAILURE(ExpectKeptPlacesAreTrue(*database),
                          "bodies/o/cohorts/c");
}

INSTANTIATE_TEST_SUITE_P(Engines, CohortPlacesTest,
                         ::testing::ValuesIn(testing::EnginesUnderTest()),
                         testing::EngineName());

}  // namespace
}  // namespace parcours::enrolment
