#include "clients/cli/demo/offers.h"

#include <algorithm>
#include <cstddef>
#include <optional>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "clients/cli/dates.h"
#include "common/status/error.h"
#include "common/status/macros.h"

namespace parcours::cli::demo {
namespace {

using enrolment::v1::Application;
using enrolment::v1::ApplicationService;

// What is left for the next in the list when an offer has expired.
constexpr int kDaysToFillAPlace = 3;

absl::Status Accept(const Stage& stage, const Application& application) {
  enrolment::v1::AcceptOfferRequest request;
  request.set_name(application.name());
  absl::StatusOr<Application> accepted =
      stage.services.enrolment.applications.Call(
          &ApplicationService::StubInterface::AcceptOffer, request);
  const bool own_choice =
      ReasonOf(accepted.status()) == Reason::kOwnChoiceNeeded;
  if (own_choice) {
    stage.narrator.Tell(DescribeError(accepted.status()));
    request.set_at_own_cost(true);
    accepted = stage.services.enrolment.applications.Call(
        &ApplicationService::StubInterface::AcceptOffer, request);
  }
  RETURN_IF_ERROR(accepted.status());
  stage.narrator.Tell(absl::StrCat(Described(application),
                                   " : accepte la place proposée",
                                   own_choice ? ", à ses frais." : "."));
  return absl::OkStatus();
}

absl::Status Decline(const Stage& stage, const Application& application) {
  enrolment::v1::DeclineOfferRequest request;
  request.set_name(application.name());
  RETURN_IF_ERROR(
      stage.services.enrolment.applications
          .Call(&ApplicationService::StubInterface::DeclineOffer, request)
          .status());
  stage.narrator.Tell(
      absl::StrCat(Described(application), " : décline la place proposée."));
  return absl::OkStatus();
}

}  // namespace

absl::Status AnswerOffers(Stage& stage, std::vector<Answer> answers) {
  std::size_t answered = 0;
  while (true) {
    ASSIGN_OR_RETURN(const std::vector<Application> offered,
                     Applications(stage, enrolment::v1::PLACE_STATE_OFFERED));
    if (offered.empty()) return absl::OkStatus();
    std::optional<absl::Time> wait_until;
    for (const Application& application : offered) {
      const Answer answer =
          answered < answers.size() ? answers[answered] : Answer::kAccept;
      ++answered;
      const absl::Time expires = TimeOf(application.place_expire_time());
      // Nobody lets an offer run out that could not be made again.
      const bool can_wait =
          expires < stage.At(stage.last_entry_day() - kDaysToFillAPlace, 0);
      switch (answer == Answer::kNone && !can_wait ? Answer::kDecline
                                                   : answer) {
        case Answer::kAccept:
          RETURN_IF_ERROR(Accept(stage, application));
          break;
        case Answer::kDecline:
          RETURN_IF_ERROR(Decline(stage, application));
          break;
        case Answer::kNone:
          stage.narrator.Tell(absl::StrCat(
              Described(application), " : une place lui est proposée jusqu’au ",
              PrintFrench(expires, stage.zone), " ; aucune réponse."));
          wait_until = std::max(wait_until.value_or(expires), expires);
          break;
      }
    }
    if (wait_until.has_value()) {
      RETURN_IF_ERROR(AdvanceTo(stage, *wait_until + absl::Minutes(1)));
      stage.narrator.Tell("L’offre a expiré ; la place passe à la suivante.");
    }
  }
}

absl::Status OfferFirstPlace(Stage& stage) {
  stage.narrator.Chapter("Une place se libère : la liste d’attente avance");
  return AnswerOffers(stage, {Answer::kNone, Answer::kDecline});
}

}  // namespace parcours::cli::demo
