#ifndef PARCOURS_CLIENTS_CLI_DEMO_OFFERS_H_
#define PARCOURS_CLIENTS_CLI_DEMO_OFFERS_H_

#include <vector>

#include "absl/status/status.h"
#include "clients/cli/demo/stage.h"

namespace parcours::cli::demo {

// How somebody in the waiting list answers an offer.
enum class Answer { kAccept, kDecline, kNone };

// Answers every open offer until none is left: the first ones as `answers`
// says, the others by accepting. Without an answer, time passes until the offer
// expires.
absl::Status AnswerOffers(Stage& stage, std::vector<Answer> answers = {});

// The chapter of the first freed place: one offer expires, the next is
// declined, the third is accepted.
absl::Status OfferFirstPlace(Stage& stage);

}  // namespace parcours::cli::demo

#endif  // PARCOURS_CLIENTS_CLI_DEMO_OFFERS_H_
