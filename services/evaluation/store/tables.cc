#include "services/evaluation/store/tables.h"

#include "common/storage/json.h"

namespace parcours::evaluation {

NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(PlanDate, year, month, day)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(CertificationMandate, reference,
                                   effective_from, effective_until)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(CreditWording, wording, waived_unit,
                                   unit_ects, diploma_code, diploma_title)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(NoteAdaptation, min_pages, max_pages,
                                   due_date, agreed_by)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(JuryMember, person, display_name, role,
                                   quality, present)

const storage::Table<AssessmentPlan>& AssessmentPlanTable() {
  static const auto& table = *new storage::Table<AssessmentPlan>(
      storage::Table<AssessmentPlan>("assessment_plan")
          .Within(storage::Reach::SharedWithinBody())
          .Column("note_required", &AssessmentPlan::note_required)
          .Column("note_min_pages", &AssessmentPlan::note_min_pages)
          .Column("note_max_pages", &AssessmentPlan::note_max_pages)
          .Column("jury_required", &AssessmentPlan::jury_required)
          .Column("jury_quorum", &AssessmentPlan::jury_quorum)
          .Column("attendance_floor_basis_points",
                  &AssessmentPlan::attendance_floor_basis_points)
          .Column("marked", &AssessmentPlan::marked)
          .Column("pass_mark_hundredths", &AssessmentPlan::pass_mark_hundredths)
          .Column("oral", &AssessmentPlan::oral)
          .Column("readers_per_note", &AssessmentPlan::readers_per_note)
          .Json("writing_start", &AssessmentPlan::writing_start)
          .Json("writing_end", &AssessmentPlan::writing_end)
          .Json("jury_date", &AssessmentPlan::jury_date)
          .Column("note_due_date", &AssessmentPlan::note_due_date)
          .Column("certification_mode", &AssessmentPlan::certification_mode)
          .Json("certification_mandate", &AssessmentPlan::certification_mandate)
          .Column("certificate_title", &AssessmentPlan::certificate_title)
          .Column("certificate_kind", &AssessmentPlan::certificate_kind)
          .Json("credit_wording", &AssessmentPlan::credit_wording)
          .Column("certifier_display_name",
                  &AssessmentPlan::certifier_display_name)
          .Column("body_display_name", &AssessmentPlan::body_display_name)
          .Column("action_title", &AssessmentPlan::action_title));
  return table;
}

const storage::Table<ValidationNote>& ValidationNoteTable() {
  static const auto& table = *new storage::Table<ValidationNote>(
      storage::Table<ValidationNote>("validation_note")
          .Within(storage::Reach::Through({"name", "enrolment"}))
          .Column("enrolment", &ValidationNote::enrolment)
          .Column("person", &ValidationNote::person)
          .Column("person_display_name", &ValidationNote::person_display_name)
          .Column("state", &ValidationNote::state)
          .Column("subject", &ValidationNote::subject)
          .Column("subject_remarks", &ValidationNote::subject_remarks)
          .Column("subject_decider", &ValidationNote::subject_decider)
          .Column("subject_decision_time",
                  &ValidationNote::subject_decision_time)
          .Column("version_count", &ValidationNote::version_count)
          .Column("final_version", &ValidationNote::final_version)
          .SealedFor("person", &ValidationNote::person)
          .SealedJson("adaptation", &ValidationNote::adaptation)
          .Column("reopen_reason", &ValidationNote::reopen_reason));
  return table;
}

const storage::Table<NoteVersion>& NoteVersionTable() {
  static const auto& table = *new storage::Table<NoteVersion>(
      storage::Table<NoteVersion>("note_version")
          .Column("final", &NoteVersion::final)
          .Column("object_id", &NoteVersion::object_id)
          .Column("sha256", &NoteVersion::sha256)
          .Column("byte_size", &NoteVersion::byte_size)
          .Column("page_count", &NoteVersion::page_count)
          .Column("out_of_range", &NoteVersion::out_of_range)
          .Column("late", &NoteVersion::late)
          .Column("late_reason", &NoteVersion::late_reason)
          .Column("late_accepted_by", &NoteVersion::late_accepted_by)
          .Column("warnings", &NoteVersion::warnings));
  return table;
}

const storage::Table<NoteReader>& NoteReaderTable() {
  static const auto& table = *new storage::Table<NoteReader>(
      storage::Table<NoteReader>("note_reader")
          .Column("person", &NoteReader::person)
          .Column("person_display_name", &NoteReader::person_display_name)
          .Column("reported", &NoteReader::reported)
          .Column("learner", &NoteReader::learner)
          .SealedFor("learner", &NoteReader::learner)
          .Sealed("comments", &NoteReader::comments)
          .Column("mark_hundredths", &NoteReader::mark_hundredths)
          .Column("report_time", &NoteReader::report_time));
  return table;
}

const storage::Table<Conflict>& ConflictTable() {
  static const auto& table = *new storage::Table<Conflict>(
      storage::Table<Conflict>("conflict")
          .Column("person", &Conflict::person)
          .Column("enrolment", &Conflict::enrolment)
          .Column("category", &Conflict::category));
  return table;
}

const storage::Table<Jury>& JuryTable() {
  static const auto& table =
      *new storage::Table<Jury>(storage::Table<Jury>("jury")
                                    .Column("session_date", &Jury::session_date)
                                    .Column("place", &Jury::place)
                                    .Json("members", &Jury::members)
                                    .Column("state", &Jury::state)
                                    .Column("quorum", &Jury::quorum)
                                    .Column("candidates", &Jury::candidates)
                                    .Column("open_time", &Jury::open_time)
                                    .Column("close_time", &Jury::close_time));
  return table;
}

const storage::Table<Decision>& DecisionTable() {
  static const auto& table = *new storage::Table<Decision>(
      storage::Table<Decision>("decision")
          .Column("enrolment", &Decision::enrolment)
          .Column("person", &Decision::person)
          .SealedFor("person", &Decision::person)
          .Column("outcome", &Decision::outcome)
          .Sealed("reason", &Decision::reason)
          .Column("reason_salt", &Decision::reason_salt)
          .Column("reason_commitment", &Decision::reason_commitment)
          .Column("mark_hundredths", &Decision::mark_hundredths)
          .Column("deciding_members", &Decision::deciding_members)
          .Column("corrects", &Decision::corrects)
          .Column("corrected_by", &Decision::corrected_by)
          .Column("decide_time", &Decision::decide_time));
  return table;
}

const storage::Table<Minutes>& MinutesTable() {
  static const auto& table = *new storage::Table<Minutes>(
      storage::Table<Minutes>("minutes")
          .Column("position", &Minutes::position)
          .Column("text", &Minutes::text)
          .Column("text_salt", &Minutes::text_salt)
          .Column("digest", &Minutes::digest)
          .Column("previous_digest", &Minutes::previous_digest)
          .Column("awarded_count", &Minutes::awarded_count)
          .Column("deferred_count", &Minutes::deferred_count)
          .Column("refused_count", &Minutes::refused_count)
          .Column("departed", &Minutes::departed)
          .Column("close_time", &Minutes::close_time));
  return table;
}

const storage::Table<Result>& ResultTable() {
  static const auto& table = *new storage::Table<Result>(
      storage::Table<Result>("result")
          .Within(storage::Reach::Through({"enrolment"}))
          .Column("enrolment", &Result::enrolment)
          .Column("person", &Result::person)
          .Column("person_display_name", &Result::person_display_name)
          .Column("outcome", &Result::outcome)
          .Column("decision", &Result::decision)
          .Column("certificate", &Result::certificate)
          .Column("proclaim_time", &Result::proclaim_time));
  return table;
}

const storage::Table<Appeal>& AppealTable() {
  static const auto& table = *new storage::Table<Appeal>(
      storage::Table<Appeal>("appeal")
          .Within(storage::Reach::Through({"enrolment"}))
          .Column("decision", &Appeal::decision)
          .Column("enrolment", &Appeal::enrolment)
          .Column("person", &Appeal::person)
          .SealedFor("person", &Appeal::person)
          .Column("ground", &Appeal::ground)
          .Sealed("statement", &Appeal::statement)
          .Column("state", &Appeal::state)
          .Sealed("answer", &Appeal::answer)
          .Column("answered_by", &Appeal::answered_by)
          .Column("answer_time", &Appeal::answer_time));
  return table;
}

const storage::Table<Certificate>& CertificateTable() {
  static const auto& table = *new storage::Table<Certificate>(
      storage::Table<Certificate>("certificate")
          .Within(storage::Reach::Through({"enrolment"}))
          .Column("enrolment", &Certificate::enrolment)
          .Column("decision", &Certificate::decision)
          .Column("state", &Certificate::state)
          .Column("number", &Certificate::number)
          .Column("code", &Certificate::code)
          .Column("holder_display_name", &Certificate::holder_display_name)
          .Column("title", &Certificate::title)
          .Column("kind", &Certificate::kind)
          .Column("certifier_display_name",
                  &Certificate::certifier_display_name)
          .Column("credit_wording", &Certificate::credit_wording)
          .Column("mandate_reference", &Certificate::mandate_reference)
          .Column("award_date", &Certificate::award_date)
          .Column("issue_count", &Certificate::issue_count)
          .Column("duplicate", &Certificate::duplicate)
          .Column("revoke_reason", &Certificate::revoke_reason));
  return table;
}

const storage::Table<RosterEntry>& RosterEntryTable() {
  static const auto& table = *new storage::Table<RosterEntry>(
      storage::Table<RosterEntry>("roster_entry")
          .Within(storage::Reach::Through({"name", "enrolment"}))
          .Column("enrolment", &RosterEntry::enrolment)
          .Column("person", &RosterEntry::person)
          .Column("display_name", &RosterEntry::display_name)
          .Column("payer_kind", &RosterEntry::payer_kind)
          .Column("organisation", &RosterEntry::organisation)
          .Column("funder_id", &RosterEntry::funder_id)
          .Column("has_measures", &RosterEntry::has_measures)
          .Column("state", &RosterEntry::state));
  return table;
}

std::vector<storage::SealingOfBefore::Part> PartsOfBefore() {
  using storage::SealingOfBefore;
  return {SealingOfBefore::PartOf(ValidationNoteTable()),
          SealingOfBefore::PartOf(NoteReaderTable()),
          SealingOfBefore::PartOf(DecisionTable()),
          SealingOfBefore::PartOf(AppealTable())};
}

}  // namespace parcours::evaluation
