#include "clients/cli/demo/narrator.h"

#include "clients/cli/dates.h"
#include "common/text/view.h"

namespace parcours::cli::demo {
namespace {

constexpr int kBarWidth = 30;
constexpr std::string_view kBold = "\x1b[1m";
constexpr std::string_view kDim = "\x1b[2m";
constexpr std::string_view kPlain = "\x1b[0m";
constexpr std::string_view kClearLine = "\r\x1b[K";

}  // namespace

std::string Counted(std::int64_t count, std::string_view one,
                    std::string_view many) {
  return Cat(count, " ", count < 2 ? one : many);
}

void Narrator::Chapter(std::string_view title) {
  ClearProgress();
  out_ << '\n';
  if (terminal_) {
    out_ << kBold << title << kPlain << '\n';
  } else {
    out_ << "== " << title << '\n';
  }
  out_.flush();
}

void Narrator::Date(absl::Time time) {
  ClearProgress();
  const std::string date = PrintFrench(time, zone_);
  if (terminal_) {
    out_ << kDim << "  " << date << kPlain << '\n';
  } else {
    out_ << "  " << date << '\n';
  }
  out_.flush();
}

void Narrator::Tell(std::string_view line) {
  ClearProgress();
  out_ << "    " << line << '\n';
  out_.flush();
}

void Narrator::Progress(std::string_view what, int done, int total) {
  if (!terminal_ || total <= 0) return;
  const int filled = kBarWidth * done / total;
  out_ << kClearLine << "    [";
  for (int i = 0; i < kBarWidth; ++i) out_ << (i < filled ? '#' : '.');
  out_ << "] " << done << '/' << total << ' ' << what;
  out_.flush();
  progress_shown_ = true;
}

void Narrator::ClearProgress() {
  if (!progress_shown_) return;
  out_ << kClearLine;
  progress_shown_ = false;
}

}  // namespace parcours::cli::demo
