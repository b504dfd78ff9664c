#ifndef PARCOURS_CLIENTS_CLI_DEMO_AGREEMENTS_H_
#define PARCOURS_CLIENTS_CLI_DEMO_AGREEMENTS_H_

#include "absl/status/status.h"
#include "clients/cli/demo/stage.h"

namespace parcours::cli::demo {

// Every admitted candidate with a place and the payer commit in writing: all
// kinds of payer and agreement, a payment asked too early, a withdrawal inside
// the legal period, a commitment that never comes; each freed place goes to the
// waiting list.
absl::Status SignAgreements(Stage& stage);

// A person decides, on the counts, that the course takes place; first payments
// of the contracts are asked, and the calendar is published.
absl::Status DecideToGo(Stage& stage);

}  // namespace parcours::cli::demo

#endif  // PARCOURS_CLIENTS_CLI_DEMO_AGREEMENTS_H_
