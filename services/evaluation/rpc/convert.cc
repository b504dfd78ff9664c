#include "services/evaluation/rpc/convert.h"

#include <optional>
#include <string>

#include "common/rpc/convert.h"
#include "common/status/macros.h"
#include "common/text/view.h"
#include "common/types/etag.h"

namespace parcours::evaluation {
namespace {

using rpc::CivilDayOf;
using rpc::DateOf;
using rpc::EnumFromProto;
using rpc::EnumToProto;
using rpc::TimestampOf;

// What every resource ends with.
template <typename Resource, typename Message>
void WriteCommon(const Resource& resource, Message& message) {
  message.set_name(resource.name.text());
  message.set_etag(EtagOf(resource.version));
  *message.mutable_create_time() = TimestampOf(resource.create_time);
  *message.mutable_update_time() = TimestampOf(resource.update_time);
}

google::type::Date ToDate(const PlanDate& date) {
  google::type::Date message;
  message.set_year(static_cast<int32_t>(date.year));
  message.set_month(date.month);
  message.set_day(date.day);
  return message;
}

// A year alone means its last month, as deadlines do.
PlanDate ToPlanDate(const google::type::Date& message) {
  constexpr int kLastMonth = 12;
  return {.year = message.year(),
          .month = message.month() == 0 ? kLastMonth : message.month(),
          .day = message.day()};
}

type::v1::CertificationMode ToProto(CertificationMode mode) {
  switch (mode) {
    case CertificationMode::kUndecided:
      return type::v1::CERTIFICATION_MODE_UNSPECIFIED;
    case CertificationMode::kDelegated:
      return type::v1::CERTIFICATION_MODE_DELEGATED;
    case CertificationMode::kHandover:
      return type::v1::CERTIFICATION_MODE_HANDOVER;
  }
  return type::v1::CERTIFICATION_MODE_UNSPECIFIED;
}

CertificationMode FromProto(type::v1::CertificationMode mode) {
  switch (mode) {
    case type::v1::CERTIFICATION_MODE_DELEGATED:
      return CertificationMode::kDelegated;
    case type::v1::CERTIFICATION_MODE_HANDOVER:
      return CertificationMode::kHandover;
    default:
      return CertificationMode::kUndecided;
  }
}

type::v1::AssessmentOptions OptionsToProto(const AssessmentPlan& plan) {
  type::v1::AssessmentOptions options;
  options.set_note_required(plan.note_required);
  options.set_note_min_pages(static_cast<int32_t>(plan.note_min_pages));
  options.set_note_max_pages(static_cast<int32_t>(plan.note_max_pages));
  options.set_jury_required(plan.jury_required);
  options.set_jury_quorum(static_cast<int32_t>(plan.jury_quorum));
  if (plan.attendance_floor_basis_points.has_value()) {
    options.set_attendance_floor_basis_points(
        static_cast<int32_t>(*plan.attendance_floor_basis_points));
  }
  options.set_marked(plan.marked);
  if (plan.pass_mark_hundredths.has_value()) {
    options.set_pass_mark_hundredths(
        static_cast<int32_t>(*plan.pass_mark_hundredths));
  }
  options.set_oral(plan.oral);
  options.set_readers_per_note(static_cast<int32_t>(plan.readers_per_note));
  return options;
}

void ReadOptions(const type::v1::AssessmentOptions& options,
                 AssessmentPlan& plan) {
  plan.note_required = options.note_required();
  plan.note_min_pages = options.note_min_pages();
  plan.note_max_pages = options.note_max_pages();
  plan.jury_required = options.jury_required();
  plan.jury_quorum = options.jury_quorum();
  plan.attendance_floor_basis_points.reset();
  if (options.has_attendance_floor_basis_points()) {
    plan.attendance_floor_basis_points =
        options.attendance_floor_basis_points();
  }
  plan.marked = options.marked();
  plan.pass_mark_hundredths.reset();
  if (options.has_pass_mark_hundredths()) {
    plan.pass_mark_hundredths = options.pass_mark_hundredths();
  }
  plan.oral = options.oral();
  plan.readers_per_note = options.readers_per_note();
}

}  // namespace

pb::AssessmentPlan ToProto(const AssessmentPlan& plan) {
  pb::AssessmentPlan message;
  WriteCommon(plan, message);
  *message.mutable_options() = OptionsToProto(plan);
  if (plan.writing_start.has_value()) {
    *message.mutable_calendar()->mutable_writing_start_date() =
        ToDate(*plan.writing_start);
  }
  if (plan.writing_end.has_value()) {
    *message.mutable_calendar()->mutable_writing_end_date() =
        ToDate(*plan.writing_end);
  }
  if (plan.jury_date.has_value()) {
    *message.mutable_calendar()->mutable_jury_date() = ToDate(*plan.jury_date);
  }
  if (plan.note_due_date.has_value()) {
    *message.mutable_note_due_date() = DateOf(*plan.note_due_date);
  }
  message.set_certification_mode(ToProto(plan.certification_mode));
  if (plan.certification_mandate.has_value()) {
    pb::CertificationMandate& mandate =
        *message.mutable_certification_mandate();
    mandate.set_reference(plan.certification_mandate->reference);
    *mandate.mutable_effective_from() =
        DateOf(plan.certification_mandate->effective_from);
    if (plan.certification_mandate->effective_until.has_value()) {
      *mandate.mutable_effective_until() =
          DateOf(*plan.certification_mandate->effective_until);
    }
  }
  message.set_certificate_title(plan.certificate_title);
  message.set_certificate_kind(plan.certificate_kind);
  if (plan.credit_wording.has_value()) {
    type::v1::CreditWording& credit = *message.mutable_credit_wording();
    credit.set_wording(plan.credit_wording->wording);
    credit.set_waived_unit(plan.credit_wording->waived_unit);
    credit.set_unit_ects(static_cast<int32_t>(plan.credit_wording->unit_ects));
    credit.set_diploma_code(plan.credit_wording->diploma_code);
    credit.set_diploma_title(plan.credit_wording->diploma_title);
  }
  message.set_certifier_display_name(plan.certifier_display_name);
  message.set_body_display_name(plan.body_display_name);
  message.set_action_title(plan.action_title);
  return message;
}

void Read(const pb::AssessmentPlan& message, AssessmentPlan& plan) {
  ReadOptions(message.options(), plan);
  const type::v1::AssessmentCalendar& calendar = message.calendar();
  plan.writing_start.reset();
  plan.writing_end.reset();
  plan.jury_date.reset();
  if (calendar.has_writing_start_date()) {
    plan.writing_start = ToPlanDate(calendar.writing_start_date());
  }
  if (calendar.has_writing_end_date()) {
    plan.writing_end = ToPlanDate(calendar.writing_end_date());
  }
  if (calendar.has_jury_date()) {
    plan.jury_date = ToPlanDate(calendar.jury_date());
  }
  plan.note_due_date.reset();
  if (message.has_note_due_date()) {
    plan.note_due_date = CivilDayOf(message.note_due_date());
  }
  plan.certification_mode = FromProto(message.certification_mode());
  plan.certification_mandate.reset();
  if (message.has_certification_mandate()) {
    const pb::CertificationMandate& mandate = message.certification_mandate();
    plan.certification_mandate = CertificationMandate{
        .reference = mandate.reference(),
        .effective_from = CivilDayOf(mandate.effective_from())};
    if (mandate.has_effective_until()) {
      plan.certification_mandate->effective_until =
          CivilDayOf(mandate.effective_until());
    }
  }
  plan.certificate_title = message.certificate_title();
  plan.certificate_kind = message.certificate_kind();
  plan.credit_wording.reset();
  if (message.has_credit_wording()) {
    const type::v1::CreditWording& credit = message.credit_wording();
    plan.credit_wording =
        CreditWording{.wording = credit.wording(),
                      .waived_unit = credit.waived_unit(),
                      .unit_ects = credit.unit_ects(),
                      .diploma_code = credit.diploma_code(),
                      .diploma_title = credit.diploma_title()};
  }
  plan.certifier_display_name = message.certifier_display_name();
  plan.body_display_name = message.body_display_name();
  plan.action_title = message.action_title();
}

pb::ValidationNote ToProto(const NoteView& view) {
  const ValidationNote& note = view.note;
  pb::ValidationNote message;
  WriteCommon(note, message);
  message.set_enrolment(note.enrolment.text());
  message.set_person(note.person.text());
  message.set_person_display_name(note.person_display_name);
  message.set_state(EnumToProto<pb::ValidationNote::State>(note.state));
  message.set_subject(note.subject);
  message.set_subject_remarks(note.subject_remarks);
  message.set_subject_decider(note.subject_decider);
  if (note.subject_decision_time.has_value()) {
    *message.mutable_subject_decision_time() =
        TimestampOf(*note.subject_decision_time);
  }
  message.set_version_count(static_cast<int32_t>(note.version_count));
  if (view.latest_version.has_value()) {
    *message.mutable_latest_version() = ToProto(*view.latest_version);
  }
  if (view.final_version.has_value()) {
    *message.mutable_final_version() = ToProto(*view.final_version);
  }
  if (note.adaptation.has_value()) {
    pb::NoteAdaptation& adaptation = *message.mutable_adaptation();
    adaptation.set_min_pages(static_cast<int32_t>(note.adaptation->min_pages));
    adaptation.set_max_pages(static_cast<int32_t>(note.adaptation->max_pages));
    if (note.adaptation->due_date.has_value()) {
      *adaptation.mutable_due_date() = DateOf(*note.adaptation->due_date);
    }
    adaptation.set_agreed_by(note.adaptation->agreed_by);
  }
  if (view.due_date.has_value()) {
    *message.mutable_due_date() = DateOf(*view.due_date);
  }
  message.set_reopen_reason(note.reopen_reason);
  return message;
}

pb::NoteVersion ToProto(const NoteVersion& version) {
  pb::NoteVersion message;
  message.set_name(version.name.text());
  message.set_final(version.final);
  message.set_sha256(version.sha256);
  message.set_byte_size(version.byte_size);
  message.set_page_count(static_cast<int32_t>(version.page_count));
  message.set_out_of_range(version.out_of_range);
  message.set_late(version.late);
  message.set_late_reason(version.late_reason);
  message.set_late_accepted_by(version.late_accepted_by);
  for (const std::string& warning : version.warnings) {
    message.add_warnings(warning);
  }
  *message.mutable_submit_time() = TimestampOf(version.create_time);
  return message;
}

pb::NoteReader ToProto(const NoteReader& reader) {
  pb::NoteReader message;
  WriteCommon(reader, message);
  message.set_person(reader.person.text());
  message.set_person_display_name(reader.person_display_name);
  message.set_reported(reader.reported);
  message.set_comments(reader.comments);
  if (reader.mark_hundredths.has_value()) {
    message.set_mark_hundredths(static_cast<int32_t>(*reader.mark_hundredths));
  }
  if (reader.report_time.has_value()) {
    *message.mutable_report_time() = TimestampOf(*reader.report_time);
  }
  return message;
}

NoteAdaptation FromProto(const pb::NoteAdaptation& message) {
  NoteAdaptation adaptation{.min_pages = message.min_pages(),
                            .max_pages = message.max_pages(),
                            .due_date = std::nullopt,
                            .agreed_by = message.agreed_by()};
  if (message.has_due_date()) {
    adaptation.due_date = CivilDayOf(message.due_date());
  }
  return adaptation;
}

pb::Conflict ToProto(const Conflict& conflict) {
  pb::Conflict message;
  message.set_name(conflict.name.text());
  message.set_person(conflict.person.text());
  message.set_enrolment(conflict.enrolment.text());
  message.set_category(EnumToProto<pb::ConflictCategory>(conflict.category));
  *message.mutable_create_time() = TimestampOf(conflict.create_time);
  return message;
}

pb::Jury ToProto(const Jury& jury) {
  pb::Jury message;
  WriteCommon(jury, message);
  *message.mutable_session_date() = DateOf(jury.session_date);
  message.set_place(jury.place);
  for (const JuryMember& member : jury.members) {
    pb::JuryMember& added = *message.add_members();
    added.set_person(member.person.text());
    added.set_person_display_name(member.display_name);
    added.set_role(EnumToProto<pb::JuryMember::Role>(member.role));
    added.set_quality(member.quality);
    added.set_present(member.present);
  }
  message.set_state(EnumToProto<pb::Jury::State>(jury.state));
  message.set_quorum(static_cast<int32_t>(jury.quorum));
  for (const EnrolmentName& candidate : jury.candidates) {
    message.add_candidates(candidate.text());
  }
  if (jury.open_time.has_value()) {
    *message.mutable_open_time() = TimestampOf(*jury.open_time);
  }
  if (jury.close_time.has_value()) {
    *message.mutable_close_time() = TimestampOf(*jury.close_time);
  }
  return message;
}

absl::Status Read(const pb::Jury& message, Jury& jury) {
  jury.session_date = CivilDayOf(message.session_date());
  jury.place = message.place();
  jury.members.clear();
  for (int i = 0; i < message.members_size(); ++i) {
    const pb::JuryMember& member = message.members(i);
    const std::string field = Cat("jury.members[", i, "].person");
    ASSIGN_OR_RETURN(const PersonName person,
                     PersonName::Parse(member.person(), field));
    if (person.body() != jury.name.body()) {
      return MakeFieldError(field, Reason::kUnknownReference);
    }
    jury.members.push_back({.person = person,
                            .display_name = member.person_display_name(),
                            .role = EnumFromProto<MemberRole>(member.role()),
                            .quality = member.quality()});
  }
  return absl::OkStatus();
}

pb::JuryCandidate ToProto(const JuryCandidate& candidate) {
  pb::JuryCandidate message;
  message.set_enrolment(candidate.learner.enrolment.text());
  message.set_person(candidate.learner.person.text());
  message.set_person_display_name(candidate.learner.display_name);
  if (candidate.note.has_value()) {
    message.set_validation_note(candidate.note->name.text());
  }
  if (candidate.final_version.has_value()) {
    message.set_note_page_count(
        static_cast<int32_t>(candidate.final_version->page_count));
    message.set_note_out_of_range(candidate.final_version->out_of_range);
    message.set_note_late(candidate.final_version->late);
  }
  message.set_report_count(static_cast<int32_t>(candidate.report_count));
  if (candidate.attendance.has_value()) {
    message.set_attended_minutes(
        static_cast<int32_t>(candidate.attendance->attended_minutes));
    message.set_due_minutes(
        static_cast<int32_t>(candidate.attendance->due_minutes));
  }
  message.set_below_attendance_floor(candidate.below_attendance_floor);
  for (const PersonName& member : candidate.conflicted_members) {
    message.add_conflicted_members(member.text());
  }
  message.set_earlier_decision(candidate.earlier_decision.text());
  message.set_decision(candidate.decision.text());
  return message;
}

pb::Decision ToProto(const Decision& decision) {
  pb::Decision message;
  WriteCommon(decision, message);
  message.set_enrolment(decision.enrolment.text());
  message.set_outcome(EnumToProto<pb::Decision::Outcome>(decision.outcome));
  message.set_reason(decision.reason);
  if (decision.mark_hundredths.has_value()) {
    message.set_mark_hundredths(
        static_cast<int32_t>(*decision.mark_hundredths));
  }
  for (const PersonName& member : decision.deciding_members) {
    message.add_deciding_members(member.text());
  }
  message.set_corrects(decision.corrects.text());
  *message.mutable_decide_time() = TimestampOf(decision.decide_time);
  message.set_corrected_by(decision.corrected_by.text());
  return message;
}

absl::StatusOr<Decision> FromProto(const pb::Decision& message) {
  Decision decision;
  ASSIGN_OR_RETURN(
      decision.enrolment,
      EnrolmentName::Parse(message.enrolment(), "decision.enrolment"));
  decision.outcome = EnumFromProto<DecisionOutcome>(message.outcome());
  decision.reason = message.reason();
  if (message.has_mark_hundredths()) {
    decision.mark_hundredths = message.mark_hundredths();
  }
  for (int i = 0; i < message.deciding_members_size(); ++i) {
    ASSIGN_OR_RETURN(
        PersonName member,
        PersonName::Parse(message.deciding_members(i),
                          Cat("decision.deciding_members[", i, "]")));
    decision.deciding_members.push_back(std::move(member));
  }
  if (!message.corrects().empty()) {
    ASSIGN_OR_RETURN(
        decision.corrects,
        DecisionName::Parse(message.corrects(), "decision.corrects"));
  }
  return decision;
}

pb::Minutes ToProto(const Minutes& minutes) {
  pb::Minutes message;
  message.set_name(minutes.name.text());
  message.set_text(minutes.text);
  message.set_digest(minutes.digest);
  message.set_previous_digest(minutes.previous_digest);
  message.set_position(minutes.position);
  message.set_awarded_count(static_cast<int32_t>(minutes.awarded_count));
  message.set_deferred_count(static_cast<int32_t>(minutes.deferred_count));
  message.set_refused_count(static_cast<int32_t>(minutes.refused_count));
  for (const EnrolmentName& enrolment : minutes.departed) {
    message.add_departed_candidates(enrolment.text());
  }
  *message.mutable_close_time() = TimestampOf(minutes.close_time);
  return message;
}

pb::JuryPack ToProto(const JuryName& jury, const JuryPack& pack) {
  pb::JuryPack message;
  message.set_jury(jury.text());
  *message.mutable_minutes() = ToProto(pack.minutes);
  for (const JuryPackEntry& entry : pack.entries) {
    pb::JuryPackEntry& added = *message.add_entries();
    added.set_enrolment(entry.decision.enrolment.text());
    added.set_person(entry.result.person.text());
    added.set_holder_display_name(entry.result.person_display_name);
    added.set_decision(entry.decision.name.text());
    if (entry.certificate.has_value()) {
      added.set_certificate(entry.certificate->name.text());
      added.set_certificate_number(entry.certificate->number);
      added.set_holder_display_name(entry.certificate->holder_display_name);
    }
    added.set_note_sha256(entry.note_sha256);
  }
  return message;
}

pb::Result ToProto(const Result& result) {
  pb::Result message;
  WriteCommon(result, message);
  message.set_enrolment(result.enrolment.text());
  message.set_person(result.person.text());
  message.set_person_display_name(result.person_display_name);
  message.set_outcome(EnumToProto<pb::Result::Outcome>(result.outcome));
  message.set_decision(result.decision.text());
  message.set_certificate(result.certificate.text());
  *message.mutable_proclaim_time() = TimestampOf(result.proclaim_time);
  return message;
}

pb::Appeal ToProto(const Appeal& appeal) {
  pb::Appeal message;
  WriteCommon(appeal, message);
  message.set_decision(appeal.decision.text());
  message.set_ground(EnumToProto<pb::Appeal::Ground>(appeal.ground));
  message.set_statement(appeal.statement);
  message.set_state(EnumToProto<pb::Appeal::State>(appeal.state));
  message.set_answer(appeal.answer);
  message.set_answered_by(appeal.answered_by);
  if (appeal.answer_time.has_value()) {
    *message.mutable_answer_time() = TimestampOf(*appeal.answer_time);
  }
  return message;
}

pb::Certificate ToProto(const Certificate& certificate) {
  pb::Certificate message;
  WriteCommon(certificate, message);
  message.set_enrolment(certificate.enrolment.text());
  message.set_decision(certificate.decision.text());
  message.set_state(EnumToProto<pb::Certificate::State>(certificate.state));
  message.set_number(certificate.number);
  message.set_code(certificate.code);
  message.set_holder_display_name(certificate.holder_display_name);
  message.set_title(certificate.title);
  message.set_kind(certificate.kind);
  message.set_certifier_display_name(certificate.certifier_display_name);
  message.set_credit_wording(certificate.credit_wording);
  message.set_mandate_reference(certificate.mandate_reference);
  *message.mutable_award_date() = DateOf(certificate.award_date);
  message.set_issue_count(static_cast<int32_t>(certificate.issue_count));
  message.set_duplicate(certificate.duplicate);
  message.set_revoke_reason(certificate.revoke_reason);
  return message;
}

pb::VerifyCertificateResponse ToVerification(const Certificate& certificate) {
  pb::VerifyCertificateResponse message;
  message.set_number(certificate.number);
  message.set_title(certificate.title);
  message.set_holder_display_name(certificate.holder_display_name);
  *message.mutable_award_date() = DateOf(certificate.award_date);
  message.set_state(EnumToProto<pb::Certificate::State>(certificate.state));
  message.set_certifier_display_name(certificate.certifier_display_name);
  message.set_credit_wording(certificate.credit_wording);
  return message;
}

pb::RosterEntry ToProto(const RosterEntry& entry) {
  pb::RosterEntry message;
  message.set_name(entry.name.text());
  message.set_enrolment(entry.enrolment.text());
  message.set_person(entry.person.text());
  message.set_display_name(entry.display_name);
  type::v1::PayerKind payer = type::v1::PAYER_KIND_UNSPECIFIED;
  if (type::v1::PayerKind_Parse(Cat("PAYER_KIND_", entry.payer_kind), &payer)) {
    message.set_payer_kind(payer);
  }
  message.set_funder_id(entry.funder_id);
  message.set_has_measures(entry.has_measures);
  message.set_state(std::string(NameOf(entry.state)));
  *message.mutable_update_time() = TimestampOf(entry.update_time);
  return message;
}

}  // namespace parcours::evaluation
