#ifndef PARCOURS_SERVICES_EVALUATION_RPC_CONVERT_H_
#define PARCOURS_SERVICES_EVALUATION_RPC_CONVERT_H_

#include "absl/status/statusor.h"
#include "parcours/evaluation/v1/assessment_plan.pb.h"
#include "parcours/evaluation/v1/certificate.pb.h"
#include "parcours/evaluation/v1/jury.pb.h"
#include "parcours/evaluation/v1/result.pb.h"
#include "parcours/evaluation/v1/roster.pb.h"
#include "parcours/evaluation/v1/validation_note.pb.h"
#include "services/evaluation/domain/jury_use_cases.h"
#include "services/evaluation/domain/note_use_cases.h"
#include "services/evaluation/domain/result_use_cases.h"

namespace parcours::evaluation {

namespace pb = ::parcours::evaluation::v1;

// Between the contract and the domain. What comes in has passed validation.
// Read takes everything but the name and what is output only.

pb::AssessmentPlan ToProto(const AssessmentPlan& plan);
void Read(const pb::AssessmentPlan& message, AssessmentPlan& plan);

pb::ValidationNote ToProto(const NoteView& view);
pb::NoteVersion ToProto(const NoteVersion& version);
pb::NoteReader ToProto(const NoteReader& reader);
NoteAdaptation FromProto(const pb::NoteAdaptation& message);

pb::Conflict ToProto(const Conflict& conflict);
pb::Jury ToProto(const Jury& jury);
// FIELD_MALFORMED for a member who is no person of the jury's body.
absl::Status Read(const pb::Jury& message, Jury& jury);
pb::JuryCandidate ToProto(const JuryCandidate& candidate);
pb::Decision ToProto(const Decision& decision);
absl::StatusOr<Decision> FromProto(const pb::Decision& message);
pb::Minutes ToProto(const Minutes& minutes);
pb::JuryPack ToProto(const JuryName& jury, const JuryPack& pack);

pb::Result ToProto(const Result& result);
pb::Appeal ToProto(const Appeal& appeal);

pb::Certificate ToProto(const Certificate& certificate);
// What anybody with number and code may know.
pb::VerifyCertificateResponse ToVerification(const Certificate& certificate);

pb::RosterEntry ToProto(const RosterEntry& entry);

}  // namespace parcours::evaluation

#endif  // PARCOURS_SERVICES_EVALUATION_RPC_CONVERT_H_
