#ifndef PARCOURS_SERVICES_EVALUATION_STORE_TABLES_H_
#define PARCOURS_SERVICES_EVALUATION_STORE_TABLES_H_

#include <vector>

#include "common/storage/sealing_of_before.h"
#include "common/storage/table.h"
#include "services/evaluation/domain/assessment_plan.h"
#include "services/evaluation/domain/certificate.h"
#include "services/evaluation/domain/jury.h"
#include "services/evaluation/domain/result.h"
#include "services/evaluation/domain/roster.h"
#include "services/evaluation/domain/validation_note.h"

namespace parcours::evaluation {

// How the resources of evaluation stand in its tables (migrations/). Built
// once, then immutable.
const storage::Table<AssessmentPlan>& AssessmentPlanTable();
const storage::Table<ValidationNote>& ValidationNoteTable();
const storage::Table<NoteVersion>& NoteVersionTable();
const storage::Table<NoteReader>& NoteReaderTable();
const storage::Table<Conflict>& ConflictTable();
const storage::Table<Jury>& JuryTable();
const storage::Table<Decision>& DecisionTable();
const storage::Table<Minutes>& MinutesTable();
const storage::Table<Result>& ResultTable();
const storage::Table<Appeal>& AppealTable();
const storage::Table<Certificate>& CertificateTable();
const storage::Table<RosterEntry>& RosterEntryTable();

// What may have been written before persons had keys.
std::vector<storage::SealingOfBefore::Part> PartsOfBefore();

}  // namespace parcours::evaluation

#endif  // PARCOURS_SERVICES_EVALUATION_STORE_TABLES_H_
