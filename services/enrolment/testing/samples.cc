#include "services/enrolment/testing/samples.h"

#include <cstdlib>
#include <fstream>
#include <iostream>
#include <iterator>

#include "common/testing/temp_dir.h"
#include "common/text/view.h"
#include "common/time/clock.h"

namespace parcours::enrolment {
namespace {

constexpr char kFrenchRules[] = "rules/fr.txtpb";

rules::RuleBook LoadOrDie(const std::string& path) {
  absl::StatusOr<rules::RuleBook> book = rules::RuleBook::Load(path);
  if (!book.ok()) {
    std::cerr << book.status() << "\n";
    std::abort();
  }
  return *std::move(book);
}

// Replaces what stands between `before` and `after` at its last place in
// [begin, end).
void ReplaceLast(std::string& text, std::size_t begin, std::size_t end,
                 std::string_view before, std::string_view after,
                 std::string_view replacement) {
  const std::size_t found = text.rfind(before, end);
  if (found == std::string::npos || found < begin) std::abort();
  const std::size_t start = found + before.size();
  text.replace(start, text.find(after, start) - start, replacement);
}

}  // namespace

Cohort SampleCohort() {
  Cohort cohort;
  cohort.name = CohortName::FromRecord("bodies/essai/cohorts/essai-2026");
  cohort.programme = ProgrammeName::FromRecord("bodies/essai/programmes/essai");
  cohort.display_name = "Promotion d’essai";
  cohort.capacity = 30;
  cohort.minimum = 12;
  cohort.time_zone = "Europe/Paris";
  cohort.application_open_date = absl::CivilDay(2025, 9, 1);
  cohort.application_close_date = absl::CivilDay(2026, 3, 15);
  cohort.start_date = absl::CivilDay(2026, 3, 16);
  cohort.end_date = absl::CivilDay(2026, 11, 17);
  cohort.entry_cutoff_date = absl::CivilDay(2026, 3, 16);
  cohort.prices = {{PayerKind::kIndividual, 172500},
                   {PayerKind::kEmployer, 345000},
                   {PayerKind::kCpf, 345000},
                   {PayerKind::kFranceTravail, std::nullopt}};
  cohort.funders = {
      {"opcommerce", PayerKind::kOpco, "funding.opcommerce.lead_time"},
      {"afdas", PayerKind::kOpco, "funding.opco.lead_time"},
      {"cpf", PayerKind::kCpf, "funding.cpf.lead_time"},
      {"france-travail", PayerKind::kFranceTravail,
       "funding.france_travail.lead_time"},
      {"sans-delai", PayerKind::kTransitionsPro, ""}};
  cohort.state = CohortState::kOpen;
  return cohort;
}

Programme SampleProgramme() {
  Programme programme;
  programme.name = ProgrammeName::FromRecord("bodies/essai/programmes/essai");
  programme.display_name = "Programme d’essai";
  programme.access_conditions = {.years_after_bac = 4, .experience_years = 3};
  programme.rank_event = RankEvent::kCompleteFile;
  programme.required_pieces = {PieceKind::kCv, PieceKind::kLetter};
  return programme;
}

Application SampleApplication(std::string_view id) {
  Application application;
  application.cohort = SampleCohort().name;
  application.name =
      ChildName<ApplicationName>(application.cohort, "applications", id);
  application.person = PersonName::FromRecord(Cat("bodies/essai/persons/", id));
  application.given_name = "Candidate";
  application.family_name = "Une";
  application.email = "candidate.une@example.org";
  application.qualification.years_after_bac = 4;
  application.meets_access_conditions = true;
  application.review_state = ReviewState::kReceived;
  for (const PieceKind kind : SampleProgramme().required_pieces) {
    Piece piece;
    piece.kind = kind;
    application.pieces.push_back(piece);
  }
  return application;
}

Application SampleApplication(std::string_view id, int64_t rank,
                              PlaceState place, ReviewState review) {
  Application application = SampleApplication(id);
  application.rank = rank;
  application.place_state = place;
  application.review_state = review;
  return application;
}

absl::Time Paris(int64_t year, int month, int day, int hour, int minute) {
  return absl::FromCivil(absl::CivilMinute(year, month, day, hour, minute),
                         ParisZone());
}

const rules::RuleBook& FrenchRules() {
  static const auto& book = *new rules::RuleBook(LoadOrDie(kFrenchRules));
  return book;
}

rules::RuleBook FrenchRulesWhere(std::string_view id, int64_t value,
                                 std::string_view article) {
  std::ifstream file(kFrenchRules);
  std::string text{std::istreambuf_iterator<char>(file), {}};
  const std::size_t begin = text.find(Cat("id: \"", id, "\""));
  if (begin == std::string::npos) std::abort();
  const std::size_t end = text.find("\n}\n", begin);
  if (!article.empty()) {
    ReplaceLast(text, begin, end, "article: \"", "\"", article);
  }
  ReplaceLast(text, begin, text.find("\n}\n", begin), "\n    value: ", "\n",
              Cat(value));
  const testing::TempDir folder;
  const std::string path = folder.File("fr.txtpb");
  std::ofstream(path) << text;
  return LoadOrDie(path);
}

}  // namespace parcours::enrolment
