#include "services/scheduling/domain/erasure.h"

#include <utility>
#include <vector>

#include "absl/strings/str_replace.h"
#include "common/text/view.h"

namespace parcours::scheduling {

void Erase(RosterEntry& entry) {
  entry.display_name.clear();
  // Says something of their health.
  entry.has_measures = false;
}

void Erase(Trainer& trainer) { trainer.display_name.clear(); }

void Erase(CompletionRecord& record) {
  record.learner_display_name.clear();
  record.text.clear();
}

void Erase(AttendanceEntry& entry) {
  entry.witness.clear();
  entry.statement.clear();
  entry.reason.clear();
  entry.salt.clear();
}

bool EraseName(const PersonName& person, HalfDay& half_day) {
  bool erased = false;
  for (TrainerAssignment& trainer : half_day.trainers) {
    if (trainer.person != person || trainer.display_name.empty()) continue;
    trainer.display_name.clear();
    erased = true;
  }
  return erased;
}

bool EraseName(const PersonName& person, CalendarVersion& version) {
  bool erased = false;
  for (HalfDay& half_day : version.half_days) {
    if (EraseName(person, half_day)) erased = true;
  }
  for (Recipient& recipient : version.recipients) {
    if (recipient.person != person || recipient.display_name.empty()) continue;
    recipient.display_name.clear();
    erased = true;
  }
  return erased;
}

bool EraseNames(const std::set<std::string>& names, std::string& text) {
  if (text.empty()) return false;
  std::vector<std::pair<absl::string_view, absl::string_view>> replacements;
  for (const std::string& name : names) {
    if (!name.empty()) {
      replacements.emplace_back(name, AbslView(kErasedName));
    }
  }
  return absl::StrReplaceAll(replacements, &text) > 0;
}

bool EraseNames(const std::set<std::string>& names, AttendanceEntry& entry) {
  bool erased = false;
  for (std::string* text : {&entry.witness, &entry.statement, &entry.reason}) {
    if (EraseNames(names, *text)) erased = true;
  }
  if (erased) entry.salt.clear();
  return erased;
}

}  // namespace parcours::scheduling
