#ifndef PARCOURS_SERVICES_EVALUATION_DOMAIN_LEGAL_HOLDS_H_
#define PARCOURS_SERVICES_EVALUATION_DOMAIN_LEGAL_HOLDS_H_

#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "common/privacy/legal_hold.h"
#include "common/rules/rule_book.h"
#include "services/evaluation/domain/certificate.h"
#include "services/evaluation/domain/jury.h"
#include "services/evaluation/domain/names.h"
#include "services/evaluation/domain/result.h"
#include "services/evaluation/domain/roster.h"
#include "services/evaluation/domain/validation_note.h"

namespace parcours::evaluation {

// Everything that this service holds on a person, each kind by name.
struct PersonRecord {
  PersonName person;
  // As a learner; `reports` are those on their notes.
  std::vector<RosterEntry> roster;
  std::vector<ValidationNote> notes;
  std::vector<NoteVersion> versions;
  std::vector<NoteReader> reports;
  std::vector<Decision> decisions;
  std::vector<Result> results;
  std::vector<Appeal> appeals;
  std::vector<Certificate> certificates;
  // Sessions under way with them among the candidates.
  std::vector<Jury> sessions;
  // As a member of juries and a reader of others' notes; `conflicts` are those
  // that they declared.
  std::vector<Jury> juries;
  std::vector<NoteReader> readings;
  std::vector<Conflict> conflicts;
};

// Why the person must be kept at `now`, by resource. All of it is under way: a
// note that was handed in and waits for a result, unless the learner has left;
// a session on them; a decision that may still be appealed
// (certification.appeal); an appeal without an answer; a jury of theirs that is
// not closed. Certificates hold nobody: they survive. INTERNAL when a rule is
// missing.
absl::StatusOr<std::vector<privacy::LegalHold>> LegalHoldsOn(
    const PersonRecord& record, const rules::RuleBook& rules, absl::Time now);

}  // namespace parcours::evaluation

#endif  // PARCOURS_SERVICES_EVALUATION_DOMAIN_LEGAL_HOLDS_H_
