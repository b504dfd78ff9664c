#ifndef PARCOURS_CLIENTS_CLI_DEMO_NARRATOR_H_
#define PARCOURS_CLIENTS_CLI_DEMO_NARRATOR_H_

#include <cstdint>
#include <ostream>
#include <string>
#include <string_view>

#include "absl/time/time.h"

namespace parcours::cli::demo {

// "1 dossier", "2 dossiers": in French, nothing and one are singular.
std::string Counted(std::int64_t count, std::string_view one,
                    std::string_view many);

// Tells the demonstration on screen. On a terminal, progress is one line that
// is written over; elsewhere only what is finished is written. Not thread-safe.
class Narrator {
 public:
  Narrator(std::ostream& out, bool terminal, absl::TimeZone zone)
      : out_(out), terminal_(terminal), zone_(zone) {}

  // A new chapter.
  void Chapter(std::string_view title);

  // The business time has moved to `time`.
  void Date(absl::Time time);

  // Something that happened.
  void Tell(std::string_view line);

  // `done` of `total` of what is going on.
  void Progress(std::string_view what, int done, int total);

 private:
  void ClearProgress();

  std::ostream& out_;
  const bool terminal_;
  const absl::TimeZone zone_;
  bool progress_shown_ = false;
};

}  // namespace parcours::cli::demo

#endif  // PARCOURS_CLIENTS_CLI_DEMO_NARRATOR_H_
