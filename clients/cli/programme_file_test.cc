#include "clients/cli/programme_file.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <ostream>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "common/rules/rule_book.h"
#include "gmock/gmock.h"
#include "google/protobuf/text_format.h"
#include "gtest/gtest.h"

namespace parcours::cli {

void PrintTo(const ProgrammeProblem& problem, std::ostream* out) {
  *out << problem.field << ": " << problem.description;
}

namespace {

using enrolment::v1::Party;
using enrolment::v1::PlannedDay;
using enrolment::v1::ProgrammeFile;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

std::string PathOf(const std::string& name) {
  const char* folder = std::getenv("PARCOURS_PROGRAMMES_DIR");
  return absl::StrCat(folder == nullptr ? "programmes" : folder, "/", name,
                      ".txtpb");
}

ProgrammeFile Load(const std::string& name) {
  return LoadProgrammeFile(PathOf(name)).value();
}

ProgrammeFile Completed() {
  ProgrammeFile file = Load("culture-ess-2026");
  EXPECT_TRUE(
      CompleteProgrammeFile(Load("culture-ess-2026.fictitious"), file).ok());
  return file;
}

TEST(LoadProgrammeFileTest, ReportsASyntaxErrorWithLineAndColumn) {
  const std::string path =
      (std::filesystem::path(testing::TempDir()) / "bad_programme.txtpb")
          .string();
  std::ofstream(path) << "body {\n  nom: \"bodies/x\"\n}\n";
  const absl::Status status = LoadProgrammeFile(path).status();
  std::filesystem::remove(path);
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(status.message()),
              AllOf(HasSubstr(absl::StrCat(path, ":2:")), HasSubstr("nom")));
}

TEST(LoadProgrammeFileTest, MissingFileIsNotFound) {
  EXPECT_EQ(LoadProgrammeFile(PathOf("absent")).status().code(),
            absl::StatusCode::kNotFound);
}

TEST(ShippedProgrammesTest, HaveNoProblem) {
  EXPECT_THAT(CheckProgrammeFile(Load("culture-ess-2026")), IsEmpty());
  EXPECT_THAT(CheckProgrammeFile(Completed()), IsEmpty());
  EXPECT_THAT(CheckProgrammeFile(Load("atelier-gouvernance-2026")), IsEmpty());
}

TEST(ShippedProgrammesTest, HoldWhatTheBrochureSays) {
  const ProgrammeFile file = Load("culture-ess-2026");
  EXPECT_FALSE(file.fictitious());
  EXPECT_EQ(file.days_size(), 15);
  for (const PlannedDay& day : file.days()) {
    EXPECT_EQ(day.kind(), type::v1::DAY_KIND_TBD);
  }
  EXPECT_EQ(file.trainers_size(), 0);
  EXPECT_EQ(file.programme().duration_minutes(), 90 * 60);
  EXPECT_EQ(file.cohort().capacity(), 30);
  EXPECT_EQ(file.cohort().minimum(), 12);
  EXPECT_EQ(file.cohort().prices(0).amount_cents(), 172'500);
  // No price is published for France Travail: absent, not zero.
  EXPECT_EQ(file.cohort().prices(3).payer_kind(),
            type::v1::PAYER_KIND_FRANCE_TRAVAIL);
  EXPECT_FALSE(file.cohort().prices(3).has_amount_cents());
  EXPECT_EQ(file.programme().credit_wording().waived_unit(), "USSO1A");
  EXPECT_EQ(file.programme().certification_mode(),
            type::v1::CERTIFICATION_MODE_UNSPECIFIED);
}

TEST(ShippedProgrammesTest, NameRulesThatTheRuleBookHas) {
  const rules::RuleBook book =
      rules::RuleBook::Load(PathOf("../rules/fr")).value();
  for (const char* name : {"culture-ess-2026", "atelier-gouvernance-2026"}) {
    const ProgrammeFile file = Load(name);
    for (const type::v1::Funder& funder : file.cohort().funders()) {
      EXPECT_TRUE(book.Require({funder.lead_time_rule()}).ok())
          << funder.lead_time_rule();
    }
  }
}

TEST(CompleteProgrammeFileTest, FillsWhatIsOpenAndKeepsTheRest) {
  const ProgrammeFile file = Completed();
  EXPECT_TRUE(file.fictitious());
  EXPECT_EQ(file.source(), Load("culture-ess-2026").source());
  EXPECT_EQ(file.days_size(), 15);
  EXPECT_EQ(file.days(0).kind(), type::v1::DAY_KIND_THEMATIC);
  EXPECT_EQ(file.days(0).half_days_size(), 2);
  EXPECT_EQ(file.venues_size(), 6);
  EXPECT_EQ(file.venues(3).id(), "visite-1");
  EXPECT_THAT(file.venues(3).address_lines(), ElementsAre("Adresse fictive 1"));
  EXPECT_EQ(file.venues(3).kind(), type::v1::VENUE_KIND_VISIT);
  EXPECT_EQ(file.cohort().capacity(), 30);
  EXPECT_EQ(file.programme().certification_mode(),
            type::v1::CERTIFICATION_MODE_DELEGATED);
}

TEST(CompleteProgrammeFileTest, CompletingTwiceChangesNothing) {
  ProgrammeFile file = Completed();
  const std::string once = file.SerializeAsString();
  ASSERT_TRUE(
      CompleteProgrammeFile(Load("culture-ess-2026.fictitious"), file).ok());
  EXPECT_EQ(file.SerializeAsString(), once);
}

TEST(CompleteProgrammeFileTest, AddsANewDayInItsPlace) {
  ProgrammeFile file = Load("culture-ess-2026");
  ProgrammeFile completion;
  ASSERT_TRUE(google::protobuf::TextFormat::ParseFromString(
      "days { date { year: 2026 month: 4 day: 1 } kind: DAY_KIND_VISIT }",
      &completion));
  ASSERT_TRUE(CompleteProgrammeFile(completion, file).ok());
  ASSERT_EQ(file.days_size(), 16);
  EXPECT_EQ(file.days(3).date().month(), 4);
  EXPECT_EQ(file.days(4).date().month(), 5);
}

TEST(CompleteProgrammeFileTest, NamesEveryContradiction) {
  ProgrammeFile file = Load("culture-ess-2026");
  ProgrammeFile completion;
  ASSERT_TRUE(google::protobuf::TextFormat::ParseFromString(
      "cohort { capacity: 31 minimum: 12 }"
      "venues { id: 'opale' display_name: 'Ailleurs' }",
      &completion));
  const absl::Status status = CompleteProgrammeFile(completion, file);
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(
      std::string(status.message()),
      AllOf(HasSubstr("cohort.capacity"), HasSubstr("venues[0].display_name"),
            testing::Not(HasSubstr("cohort.minimum"))));
}

struct BadProgramme {
  std::string name;
  std::function<void(ProgrammeFile&)> spoil;
  std::string field;
};

void PrintTo(const BadProgramme& bad, std::ostream* out) { *out << bad.name; }

class BadProgrammeTest : public testing::TestWithParam<BadProgramme> {};

TEST_P(BadProgrammeTest, NamesTheField) {
  ProgrammeFile file = Completed();
  GetParam().spoil(file);
  std::vector<std::string> fields;
  for (const ProgrammeProblem& problem : CheckProgrammeFile(file)) {
    EXPECT_FALSE(problem.description.empty());
    fields.push_back(problem.field);
  }
  EXPECT_THAT(fields, ElementsAre(GetParam().field));
}

INSTANTIATE_TEST_SUITE_P(
    Programmes, BadProgrammeTest,
    testing::Values(
        BadProgramme{"SiretTooShort",
                     [](ProgrammeFile& f) { f.mutable_body()->set_siret("1"); },
                     "body.siret"},
        BadProgramme{"UnknownTimeZone",
                     [](ProgrammeFile& f) {
                       f.mutable_cohort()->set_time_zone("Europe/Nulle-Part");
                     },
                     "cohort.time_zone"},
        BadProgramme{
            "EtagInTheFile",
            [](ProgrammeFile& f) { f.mutable_cohort()->set_etag("1"); },
            "cohort.etag"},
        BadProgramme{"CohortOfAnotherBody",
                     [](ProgrammeFile& f) {
                       f.mutable_cohort()->set_name("bodies/x/cohorts/y");
                     },
                     "cohort.name"},
        BadProgramme{"CohortOfAnotherProgramme",
                     [](ProgrammeFile& f) {
                       f.mutable_cohort()->set_programme(
                           "bodies/opale/programmes/autre");
                     },
                     "cohort.programme"},
        BadProgramme{
            "MinimumOverCapacity",
            [](ProgrammeFile& f) { f.mutable_cohort()->set_minimum(31); },
            "cohort.minimum"},
        BadProgramme{"NegativeMoney",
                     [](ProgrammeFile& f) {
                       f.mutable_cohort()->mutable_prices(0)->set_amount_cents(
                           -1);
                     },
                     "cohort.prices[0].amount_cents"},
        BadProgramme{"TwoPricesForOnePayer",
                     [](ProgrammeFile& f) {
                       f.mutable_cohort()->mutable_prices(1)->set_payer_kind(
                           type::v1::PAYER_KIND_INDIVIDUAL);
                     },
                     "cohort.prices[1].payer_kind"},
        BadProgramme{
            "WindowClosesBeforeItOpens",
            [](ProgrammeFile& f) {
              f.mutable_cohort()->mutable_application_close_date()->set_year(
                  2024);
            },
            "cohort.application_close_date"},
        BadProgramme{
            "WindowClosesAfterTheStart",
            [](ProgrammeFile& f) {
              f.mutable_cohort()->mutable_application_close_date()->set_month(
                  4);
            },
            "cohort.application_close_date"},
        BadProgramme{"ThirtyFirstOfFebruary",
                     [](ProgrammeFile& f) {
                       auto* date =
                           f.mutable_cohort()->mutable_entry_cutoff_date();
                       date->set_month(2);
                       date->set_day(31);
                     },
                     "cohort.entry_cutoff_date"},
        BadProgramme{
            "CutoffAfterTheEnd",
            [](ProgrammeFile& f) {
              f.mutable_cohort()->mutable_entry_cutoff_date()->set_month(12);
            },
            "cohort.entry_cutoff_date"},
        BadProgramme{"JuryBeforeTheNotes",
                     [](ProgrammeFile& f) {
                       f.mutable_cohort()
                           ->mutable_assessment_calendar()
                           ->mutable_jury_date()
                           ->set_year(2026);
                     },
                     "cohort.assessment_calendar.jury_date"},
        BadProgramme{"NoSeller",
                     [](ProgrammeFile& f) {
                       f.mutable_programme()->mutable_parties(1)->set_role(
                           Party::ROLE_SUBCONTRACTOR);
                     },
                     "programme.parties"},
        BadProgramme{"DelegatedWithoutAMandate",
                     [](ProgrammeFile& f) {
                       f.mutable_programme()->clear_certification_mandate();
                     },
                     "programme.certification_mandate"},
        BadProgramme{
            "JuryWithoutAQuorum",
            [](ProgrammeFile& f) {
              f.mutable_programme()->mutable_assessment()->clear_jury_quorum();
            },
            "programme.assessment.jury_quorum"},
        BadProgramme{
            "NoteRangeUpsideDown",
            [](ProgrammeFile& f) {
              f.mutable_programme()->mutable_assessment()->set_note_max_pages(
                  10);
            },
            "programme.assessment.note_max_pages"},
        BadProgramme{"SameModuleTwice",
                     [](ProgrammeFile& f) {
                       auto* group =
                           f.mutable_programme()->mutable_module_groups(0);
                       *group->add_modules() = group->modules(0);
                     },
                     "programme.module_groups[0].modules[3].id"},
        BadProgramme{"HoursDoNotAddUp",
                     [](ProgrammeFile& f) {
                       f.mutable_programme()->set_duration_minutes(5'399);
                     },
                     "days"},
        BadProgramme{"OneDayOfAnotherKind",
                     [](ProgrammeFile& f) {
                       f.mutable_days(0)->set_kind(type::v1::DAY_KIND_TBD);
                       f.mutable_days(1)->set_kind(type::v1::DAY_KIND_TUTORING);
                     },
                     "days"},
        BadProgramme{
            "DaysOutOfOrder",
            [](ProgrammeFile& f) { f.mutable_days()->SwapElements(3, 4); },
            "days[4].date"},
        BadProgramme{"StartIsNotTheFirstDay",
                     [](ProgrammeFile& f) {
                       f.mutable_cohort()->mutable_start_date()->set_day(17);
                     },
                     "cohort.start_date"},
        BadProgramme{"UnknownVenue",
                     [](ProgrammeFile& f) {
                       f.mutable_days(2)->mutable_half_days(1)->set_venue_id(
                           "nulle-part");
                     },
                     "days[2].half_days[1].venue_id"},
        BadProgramme{"UnknownTrainer",
                     [](ProgrammeFile& f) {
                       f.mutable_days(2)->mutable_half_days(1)->set_trainer_ids(
                           0, "personne");
                     },
                     "days[2].half_days[1].trainer_ids[0]"},
        BadProgramme{"UnknownModule",
                     [](ProgrammeFile& f) {
                       f.mutable_days(2)->mutable_half_days(0)->set_module_ids(
                           0, "rien");
                     },
                     "days[2].half_days[0].module_ids[0]"},
        BadProgramme{"AfternoonBeginsInTheMorning",
                     [](ProgrammeFile& f) {
                       auto* slot = f.mutable_half_day_slots(1);
                       slot->mutable_start_time()->set_hours(12);
                       slot->mutable_end_time()->set_hours(15);
                     },
                     "half_day_slots"},
        BadProgramme{"OfferOpenForNoTime",
                     [](ProgrammeFile& f) {
                       f.mutable_cohort()->set_offer_validity_hours(0);
                     },
                     "cohort.offer_validity_hours"}),
    [](const testing::TestParamInfo<BadProgramme>& info) {
      return info.param.name;
    });

TEST(CheckProgrammeFileTest, ReportsEveryProblemOfAnEmptyFileAtOnce) {
  std::vector<std::string> fields;
  for (const ProgrammeProblem& problem : CheckProgrammeFile(ProgrammeFile())) {
    fields.push_back(problem.field);
  }
  EXPECT_THAT(fields, testing::IsSupersetOf(
                          {"body.name", "programme.name", "cohort.name",
                           "cohort.capacity", "cohort.prices",
                           "cohort.start_date", "half_day_slots", "days"}));
}

}  // namespace
}  // namespace parcours::cli
