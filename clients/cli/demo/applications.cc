#include "clients/cli/demo/applications.h"

#include <algorithm>
#include <barrier>
#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/time/time.h"
#include "clients/cli/dates.h"
#include "clients/cli/demo/payers.h"
#include "clients/cli/demo/pdf.h"
#include "common/status/macros.h"

namespace parcours::cli::demo {
namespace {

using enrolment::v1::Application;
using enrolment::v1::ApplicationService;
using type::v1::PieceKind;

// The demonstration shows an arrival of at least so many at once.
constexpr int kFewestCandidates = 40;
// Chance adds up to so many more.
constexpr int kMostMoreCandidates = 11;
constexpr int kUploadThreads = 8;
constexpr int kFewestIncomplete = 3;
constexpr int kMostPagesOfPiece = 3;

struct Candidate {
  Application application;
  // The pieces sent with the application, and how many pages each has.
  std::vector<std::pair<PieceKind, int>> pieces;
};

int CandidateCount(Stage& stage) {
  const int capacity = stage.cohort.capacity();
  return std::max(kFewestCandidates, capacity + capacity / 3) +
         static_cast<int>(stage.random.Below(kMostMoreCandidates + 1));
}

// Declares enough to be admitted, or nothing that counts.
void Qualify(const enrolment::v1::AccessConditions& conditions, bool enough,
             Random& random, enrolment::v1::Candidate& candidate) {
  if (!enough) return;
  const bool by_level =
      conditions.has_minimum_level_years_after_bac() && random.Chance(60);
  if (by_level || !conditions.has_minimum_experience_years()) {
    candidate.set_years_after_bac(conditions.minimum_level_years_after_bac() +
                                  static_cast<int>(random.Below(2)));
  } else {
    candidate.set_experience_years(conditions.minimum_experience_years() +
                                   static_cast<int>(random.Below(10)));
  }
}

std::vector<Candidate> InventCandidates(Stage& stage) {
  const int count = CandidateCount(stage);
  const auto& required = stage.programme.required_pieces();
  const int incomplete =
      required.empty() ? 0 : std::max(kFewestIncomplete, count / 12);
  const auto& conditions = stage.programme.access_conditions();
  const bool conditioned = conditions.has_minimum_level_years_after_bac() ||
                           conditions.has_minimum_experience_years();
  std::vector<type::v1::PayerKind> kinds = PayerKinds(stage.cohort);
  // Who pays alone is the most frequent case, and the one with a contract.
  if (std::find(kinds.begin(), kinds.end(), type::v1::PAYER_KIND_INDIVIDUAL) !=
      kinds.end()) {
    kinds.push_back(type::v1::PAYER_KIND_INDIVIDUAL);
  }
  stage.random.Shuffle(kinds);
  std::vector<Candidate> candidates(static_cast<std::size_t>(count));
  for (int i = 0; i < count; ++i) {
    Candidate& candidate = candidates[static_cast<std::size_t>(i)];
    auto& person = *candidate.application.mutable_candidate();
    person.set_given_name("Candidate");
    person.set_family_name(absl::StrFormat("Fictive %02d", i + 1));
    person.set_email(
        absl::StrFormat("candidate.fictive.%02d@example.org", i + 1));
    // One candidate enters by derogation: the last one with a complete file.
    const bool derogation = conditioned && i == count - incomplete - 1;
    Qualify(conditions, !derogation, stage.random, person);
    *candidate.application.mutable_payer() =
        PayerOf(stage, kinds[static_cast<std::size_t>(i) % kinds.size()]);
    candidate.application.set_channel(enrolment::v1::CHANNEL_ONLINE);
    const int sent = required.size() - (i >= count - incomplete ? 1 : 0);
    for (int piece = 0; piece < sent; ++piece) {
      candidate.pieces.emplace_back(
          static_cast<PieceKind>(required[piece]),
          1 + static_cast<int>(stage.random.Below(kMostPagesOfPiece)));
    }
  }
  return candidates;
}

std::string TitleOf(PieceKind kind, const enrolment::v1::Candidate& candidate) {
  return absl::StrCat(type::v1::PieceKind_Name(kind), " ",
                      candidate.given_name(), " ", candidate.family_name());
}

absl::StatusOr<enrolment::v1::Piece> SendPiece(
    const Stage& stage, PieceKind kind, int pages,
    const enrolment::v1::Candidate& candidate) {
  ASSIGN_OR_RETURN(const std::string upload,
                   SendPdf(stage.services.enrolment.uploads, stage.Body(),
                           WritePdf(pages, TitleOf(kind, candidate))));
  enrolment::v1::Piece piece;
  piece.set_kind(kind);
  piece.set_upload(upload);
  return piece;
}

absl::Status SubmitAll(const Stage& stage,
                       const std::vector<Candidate>& candidates) {
  const int count = static_cast<int>(candidates.size());
  std::vector<enrolment::v1::SubmitApplicationRequest> requests(
      candidates.size());
  RETURN_IF_ERROR(InParallel(count, kUploadThreads, [&](int i) -> absl::Status {
    const Candidate& candidate = candidates[static_cast<std::size_t>(i)];
    auto& request = requests[static_cast<std::size_t>(i)];
    request.set_parent(stage.cohort.name());
    *request.mutable_application() = candidate.application;
    for (const auto& [kind, pages] : candidate.pieces) {
      ASSIGN_OR_RETURN(
          *request.add_pieces(),
          SendPiece(stage, kind, pages, candidate.application.candidate()));
    }
    return absl::OkStatus();
  }));
  // Nobody sends before everybody is ready.
  std::barrier everybody_ready(count);
  return InParallel(count, count, [&](int i) -> absl::Status {
    everybody_ready.arrive_and_wait();
    return stage.services.enrolment.applications
        .Call(&ApplicationService::StubInterface::SubmitApplication,
              requests[static_cast<std::size_t>(i)])
        .status();
  });
}

// What came in, as the service tells it.
absl::Status TellArrival(Stage& stage) {
  RETURN_IF_ERROR(RefreshCohort(stage));
  ASSIGN_OR_RETURN(const std::vector<Application> applications,
                   Applications(stage));
  const auto incomplete = std::count_if(
      applications.begin(), applications.end(), [](const Application& one) {
        return one.review_state() ==
               enrolment::v1::REVIEW_STATE_AWAITING_PIECES;
      });
  stage.narrator.Tell(absl::StrCat(
      applications.size(), " candidatures : ",
      Counted(stage.cohort.held_count(), "place retenue", "places retenues"),
      " sur ", stage.cohort.capacity(), ", ", stage.cohort.waitlisted_count(),
      " en liste d’attente, ",
      Counted(incomplete, "dossier incomplet", "dossiers incomplets"), "."));
  return absl::OkStatus();
}

// All incomplete files but one are completed, one after the other.
absl::Status CompleteFiles(Stage& stage) {
  ASSIGN_OR_RETURN(const std::vector<Application> applications,
                   Applications(stage));
  std::vector<const Application*> incomplete;
  for (const Application& application : applications) {
    if (application.missing_pieces_size() > 0) {
      incomplete.push_back(&application);
    }
  }
  for (std::size_t i = 0; i + 1 < incomplete.size(); ++i) {
    const Application& application = *incomplete[i];
    enrolment::v1::AttachPieceRequest request;
    request.set_name(application.name());
    const auto kind = static_cast<PieceKind>(application.missing_pieces(0));
    ASSIGN_OR_RETURN(*request.mutable_piece(),
                     SendPiece(stage, kind, 1, application.candidate()));
    ASSIGN_OR_RETURN(
        const Application completed,
        stage.services.enrolment.applications.Call(
            &ApplicationService::StubInterface::AttachPiece, request));
    stage.narrator.Tell(absl::StrCat(Described(completed),
                                     " : la pièce manquante est arrivée."));
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status ReceiveApplications(Stage& stage) {
  stage.narrator.Chapter("Les candidatures arrivent toutes à la fois");
  RETURN_IF_ERROR(MakeOrganisations(stage));
  constexpr int kOpeningHour = 9;
  const absl::CivilDay opening = DayOf(stage.cohort.application_open_date());
  RETURN_IF_ERROR(AdvanceTo(stage, stage.At(opening, kOpeningHour)));
  const std::vector<Candidate> candidates = InventCandidates(stage);
  RETURN_IF_ERROR(SubmitAll(stage, candidates));
  RETURN_IF_ERROR(TellArrival(stage));
  RETURN_IF_ERROR(
      AdvanceTo(stage, stage.At(opening, kOpeningHour) + absl::Hours(3)));
  RETURN_IF_ERROR(CompleteFiles(stage));
  return TellArrival(stage);
}

}  // namespace parcours::cli::demo
