#ifndef PARCOURS_CLIENTS_CLI_DEMO_EVALUATION_H_
#define PARCOURS_CLIENTS_CLI_DEMO_EVALUATION_H_

#include "absl/status/status.h"
#include "absl/time/civil_time.h"
#include "clients/cli/demo/stage.h"

namespace parcours::cli::demo {

// Whether the programme asks for notes, evaluation is there, and the writing
// has begun on `day`.
bool WritingHasBegun(const Stage& stage, absl::CivilDay day);

// Everybody who follows the course proposes a subject, and it is approved; one
// is asked to change it first. Does nothing for those who have one.
absl::Status ProposeSubjects(Stage& stage);

// The final notes come in: one too short, which is accepted with a warning, one
// late, with a reason and the coordinator's agreement. Nothing happens in a
// programme without notes.
absl::Status SubmitNotes(Stage& stage);

// The jury of a programme that has one is convened in time, and a member
// declares a conflict of interest.
absl::Status ConveneJury(Stage& stage);

// The convened jury sits and decides: awarded, deferred, refused. Its minutes
// are closed and every certificate with a number is verified as the public
// does. Without a jury, completed enrolments get their result.
absl::Status ProclaimResults(Stage& stage);

}  // namespace parcours::cli::demo

#endif  // PARCOURS_CLIENTS_CLI_DEMO_EVALUATION_H_
