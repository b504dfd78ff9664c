#ifndef PARCOURS_SERVICES_EVALUATION_DOMAIN_ERASURE_H_
#define PARCOURS_SERVICES_EVALUATION_DOMAIN_ERASURE_H_

#include "services/evaluation/domain/jury.h"
#include "services/evaluation/domain/names.h"
#include "services/evaluation/domain/result.h"
#include "services/evaluation/domain/roster.h"
#include "services/evaluation/domain/validation_note.h"

namespace parcours::evaluation {

// What erasing somebody takes out of each resource: what says who it is, what
// they wrote and what was written of them. What is counted or covered by a
// digest stays: states, outcomes, marks, dates, digests of files. Certificates
// stay as they are.

void Erase(RosterEntry& entry);
void Erase(ValidationNote& note);
void Erase(NoteVersion& version);
// Keeps the commitment to the reason in its place, so that the minutes' digest
// is what it was.
void Erase(Decision& decision);
void Erase(Result& result);
void Erase(Appeal& appeal);

// Of a reader's report: what it says of the learner, or who the reader is.
void EraseReport(NoteReader& reader);
void EraseReader(NoteReader& reader);

// Who `person` is, of the members of `jury`.
void EraseMember(Jury& jury, const PersonName& person);

}  // namespace parcours::evaluation

#endif  // PARCOURS_SERVICES_EVALUATION_DOMAIN_ERASURE_H_
