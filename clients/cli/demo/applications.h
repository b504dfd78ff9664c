#ifndef PARCOURS_CLIENTS_CLI_DEMO_APPLICATIONS_H_
#define PARCOURS_CLIENTS_CLI_DEMO_APPLICATIONS_H_

#include "absl/status/status.h"
#include "clients/cli/demo/stage.h"

namespace parcours::cli::demo {

// The first day of the window: everybody applies at the same moment, each from
// a thread of its own; some files lack a piece, which comes later or never.
absl::Status ReceiveApplications(Stage& stage);

}  // namespace parcours::cli::demo

#endif  // PARCOURS_CLIENTS_CLI_DEMO_APPLICATIONS_H_
