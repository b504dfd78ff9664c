#include "services/evaluation/domain/erasure.h"

namespace parcours::evaluation {

void Erase(RosterEntry& entry) {
  entry.display_name.clear();
  // Says something of their health.
  entry.has_measures = false;
}

void Erase(ValidationNote& note) {
  note.person_display_name.clear();
  note.subject.clear();
  note.subject_remarks.clear();
  note.adaptation.reset();
  note.reopen_reason.clear();
}

void Erase(NoteVersion& version) {
  version.object_id.clear();
  version.late_reason.clear();
}

void Erase(Decision& decision) {
  decision.reason_commitment = ReasonCommitment(decision);
  decision.reason.clear();
  decision.reason_salt.clear();
}

void Erase(Result& result) { result.person_display_name.clear(); }

void Erase(Appeal& appeal) {
  appeal.statement.clear();
  appeal.answer.clear();
}

void EraseReport(NoteReader& reader) { reader.comments.clear(); }

void EraseReader(NoteReader& reader) { reader.person_display_name.clear(); }

void EraseMember(Jury& jury, const PersonName& person) {
  for (JuryMember& member : jury.members) {
    if (member.person != person) continue;
    member.display_name.clear();
    member.quality.clear();
  }
}

}  // namespace parcours::evaluation
