#include "clients/cli/demo/review.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/civil_time.h"
#include "clients/cli/dates.h"
#include "clients/cli/demo/pdf.h"
#include "common/status/macros.h"
#include "common/time/french_calendar.h"

namespace parcours::cli::demo {
namespace {

using enrolment::v1::Application;
using enrolment::v1::ApplicationService;

constexpr int kReviewHour = 10;
constexpr std::size_t kMostRefusals = 3;

// A twentieth of the time until the course starts, but not more than a week:
// the story fits in short and in long years.
absl::CivilDay ReviewDay(const Stage& stage) {
  const absl::CivilDay opening = DayOf(stage.cohort.application_open_date());
  const std::int64_t wait =
      std::clamp<std::int64_t>((stage.start_day() - opening) / 20, 1, 7);
  return RollToWorkingDay(opening + wait);
}

absl::Status Refuse(const Stage& stage, const Application& application) {
  enrolment::v1::RefuseApplicationRequest request;
  request.set_name(application.name());
  request.set_decider(std::string(kCoordinator));
  request.set_reason(
      "Le projet présenté ne correspond pas aux objectifs de la formation.");
  RETURN_IF_ERROR(
      stage.services.enrolment.applications
          .Call(&ApplicationService::StubInterface::RefuseApplication, request)
          .status());
  stage.narrator.Tell(absl::StrCat(Described(application), " : refusée par ",
                                   std::string(kCoordinator),
                                   ", qui le motive."));
  return absl::OkStatus();
}

absl::Status Admit(const Stage& stage, const Application& application) {
  enrolment::v1::AdmitApplicationRequest request;
  request.set_name(application.name());
  request.set_decider(std::string(kCoordinator));
  const bool derogation = !application.meets_access_conditions();
  request.set_reason(derogation ? "Parcours jugé équivalent."
                                : "Conditions d’accès remplies.");
  if (derogation) {
    request.set_derogation_proof(
        "Attestation d’engagement, jointe au dossier.");
  }
  ASSIGN_OR_RETURN(
      const Application admitted,
      stage.services.enrolment.applications.Call(
          &ApplicationService::StubInterface::AdmitApplication, request));
  if (admitted.decision().derogation()) {
    stage.narrator.Tell(absl::StrCat(Described(admitted),
                                     " : admise par dérogation, sur preuve."));
  }
  return absl::OkStatus();
}

absl::Status AskPieceAgain(const Stage& stage, const Application& application) {
  enrolment::v1::RequestPieceRequest request;
  request.set_name(application.name());
  request.set_kind(application.pieces(0).kind());
  request.set_reason("Le fichier est illisible.");
  ASSIGN_OR_RETURN(
      const Application asked,
      stage.services.enrolment.applications.Call(
          &ApplicationService::StubInterface::RequestPiece, request));
  stage.narrator.Tell(absl::StrCat(
      Described(asked),
      " : une pièce est illisible, le rang est gardé jusqu’au ",
      PrintFrench(TimeOf(asked.pieces_due_time()), stage.zone), "."));
  return absl::OkStatus();
}

absl::Status SendPieceAgain(const Stage& stage,
                            const Application& application) {
  ASSIGN_OR_RETURN(const std::string upload,
                   SendPdf(stage.services.enrolment.uploads, stage.Body(),
                           WritePdf(1, absl::StrCat("Nouvel envoi, ",
                                                    Described(application)))));
  enrolment::v1::AttachPieceRequest request;
  request.set_name(application.name());
  request.mutable_piece()->set_kind(application.pieces(0).kind());
  request.mutable_piece()->set_upload(upload);
  ASSIGN_OR_RETURN(
      const Application attached,
      stage.services.enrolment.applications.Call(
          &ApplicationService::StubInterface::AttachPiece, request));
  stage.narrator.Tell(
      absl::StrCat(Described(attached), " : pièce renvoyée, même rang."));
  return Admit(stage, attached);
}

absl::Status WithdrawIncomplete(const Stage& stage) {
  ASSIGN_OR_RETURN(const std::vector<Application> applications,
                   Applications(stage));
  for (const Application& application : applications) {
    const bool incomplete = application.review_state() ==
                            enrolment::v1::REVIEW_STATE_AWAITING_PIECES;
    // Without a place it takes nothing from anybody, and may still come.
    if (!incomplete ||
        application.place_state() == enrolment::v1::PLACE_STATE_NONE) {
      continue;
    }
    enrolment::v1::WithdrawApplicationRequest request;
    request.set_name(application.name());
    request.set_reason("Dossier jamais complété.");
    RETURN_IF_ERROR(
        stage.services.enrolment.applications
            .Call(&ApplicationService::StubInterface::WithdrawApplication,
                  request)
            .status());
  }
  return absl::OkStatus();
}

// Whom the story singles out: by rank, so that it does not depend on who came
// first.
struct Choices {
  std::set<std::string> refused;
  std::optional<std::string> unreadable;
};

Choices Choose(Stage& stage, const std::vector<Application>& applications) {
  std::vector<const Application*> ordinary;
  for (const Application& application : applications) {
    // Where the commitment gives the rank, nobody has a place yet.
    const bool before_the_list =
        application.place_state() == enrolment::v1::PLACE_STATE_HELD ||
        application.rank() == 0;
    if (before_the_list && application.meets_access_conditions() &&
        application.review_state() == enrolment::v1::REVIEW_STATE_RECEIVED) {
      ordinary.push_back(&application);
    }
  }
  stage.random.Shuffle(ordinary);
  Choices choices;
  if (ordinary.empty()) return choices;
  // The last one is asked for a piece again, the first ones are refused: few,
  // so that the waiting list suffices.
  if (ordinary.size() > 1 && ordinary.back()->pieces_size() > 0) {
    choices.unreadable = ordinary.back()->name();
    ordinary.pop_back();
  }
  const std::size_t most =
      std::clamp<std::size_t>(ordinary.size() / 6, 1, kMostRefusals);
  const std::size_t refusals = 1 + stage.random.Index(most);
  for (std::size_t i = 0; i < std::min(refusals, ordinary.size()); ++i) {
    choices.refused.insert(ordinary[i]->name());
  }
  return choices;
}

}  // namespace

absl::Status ReviewApplications(Stage& stage) {
  stage.narrator.Chapter("Une personne examine chaque dossier");
  const absl::CivilDay day = ReviewDay(stage);
  RETURN_IF_ERROR(AdvanceTo(stage, stage.At(day, kReviewHour)));
  ASSIGN_OR_RETURN(const std::vector<Application> applications,
                   Applications(stage));
  const Choices choices = Choose(stage, applications);
  const Application* asked_again = nullptr;
  int admitted = 0;
  for (const Application& application : applications) {
    if (application.review_state() != enrolment::v1::REVIEW_STATE_RECEIVED) {
      continue;
    }
    if (choices.refused.contains(application.name())) {
      RETURN_IF_ERROR(Refuse(stage, application));
    } else if (application.name() == choices.unreadable) {
      RETURN_IF_ERROR(AskPieceAgain(stage, application));
      asked_again = &application;
    } else {
      RETURN_IF_ERROR(Admit(stage, application));
      stage.narrator.Progress("admissions", ++admitted,
                              static_cast<int>(applications.size()));
    }
  }
  RETURN_IF_ERROR(AdvanceTo(stage, stage.At(day + 1, kReviewHour)));
  if (asked_again != nullptr) {
    RETURN_IF_ERROR(SendPieceAgain(stage, *asked_again));
  }
  RETURN_IF_ERROR(WithdrawIncomplete(stage));
  RETURN_IF_ERROR(RefreshCohort(stage));
  stage.narrator.Tell(absl::StrCat(
      Counted(stage.cohort.held_count(), "place tenue", "places tenues"),
      ", dont ", Counted(stage.cohort.offered_count(), "proposée", "proposées"),
      " à la liste d’attente, où ",
      Counted(stage.cohort.waitlisted_count(), "personne attend",
              "personnes attendent"),
      "."));
  return absl::OkStatus();
}

}  // namespace parcours::cli::demo
