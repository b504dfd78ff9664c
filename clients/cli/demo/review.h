#ifndef PARCOURS_CLIENTS_CLI_DEMO_REVIEW_H_
#define PARCOURS_CLIENTS_CLI_DEMO_REVIEW_H_

#include "absl/status/status.h"
#include "clients/cli/demo/stage.h"

namespace parcours::cli::demo {

// A named person decides on every complete file in order of rank, the waiting
// list included: refuses one, asks a piece again that cannot be read, admits
// one by derogation. Files that stay incomplete are withdrawn.
absl::Status ReviewApplications(Stage& stage);

}  // namespace parcours::cli::demo

#endif  // PARCOURS_CLIENTS_CLI_DEMO_REVIEW_H_
