#include "clients/cli/demo/evaluation.h"

#include <algorithm>
#include <cstddef>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "clients/cli/dates.h"
#include "clients/cli/demo/pdf.h"
#include "common/status/error.h"
#include "common/status/macros.h"
#include "common/time/french_calendar.h"

namespace parcours::cli::demo {
namespace {

using enrolment::v1::Enrolment;
using enrolment::v1::Person;
using evaluation::v1::Certificate;
using evaluation::v1::CertificateService;
using evaluation::v1::Decision;
using evaluation::v1::Jury;
using evaluation::v1::JuryCandidate;
using evaluation::v1::JuryMember;
using evaluation::v1::JuryService;
using evaluation::v1::NoteVersion;
using evaluation::v1::ResultService;
using evaluation::v1::ValidationNote;
using evaluation::v1::ValidationNoteService;

constexpr int kMorning = 9;
constexpr int kNoteThreads = 4;
// By how many pages the short note misses the range.
constexpr int kPagesMissing = 3;
// How long before its session a jury is convened; the summons need less.
constexpr int kDaysOfNotice = 30;
// How many members come above the quorum, so that a conflict leaves enough.
constexpr int kMembersAboveQuorum = 1;
// A jury that is announced for a month sits on its first working day from here.
constexpr int kJuryDayOfMonth = 12;
constexpr int kFullMarks = 2000;

const type::v1::AssessmentOptions& Options(const Stage& stage) {
  return stage.programme.assessment();
}

// The first day that a date or month names.
absl::CivilDay FirstDay(const google::type::Date& date) {
  return absl::CivilDay(date.year(), date.month(), std::max(1, date.day()));
}

absl::StatusOr<std::vector<ValidationNote>> Notes(const Stage& stage) {
  evaluation::v1::ListValidationNotesRequest request;
  request.set_parent(stage.cohort.name());
  return ListAll(
      stage.services.evaluation->notes,
      &ValidationNoteService::StubInterface::ListValidationNotes, request,
      [](evaluation::v1::ListValidationNotesResponse & page) -> auto& {
        return *page.mutable_validation_notes();
      });
}

absl::Status Approve(const Stage& stage, const std::string& note) {
  evaluation::v1::ApproveSubjectRequest request;
  request.set_name(note);
  request.set_decider("Tutrice Fictive");
  return stage.services.evaluation->notes
      .Call(&ValidationNoteService::StubInterface::ApproveSubject, request)
      .status();
}

// One subject has to be proposed twice.
absl::Status AskForAnother(const Stage& stage, const ValidationNote& note) {
  evaluation::v1::AskSubjectChangesRequest ask;
  ask.set_name(note.name());
  ask.set_decider("Tutrice Fictive");
  ask.set_reason("Le sujet est trop large : choisir une seule structure.");
  RETURN_IF_ERROR(
      stage.services.evaluation->notes
          .Call(&ValidationNoteService::StubInterface::AskSubjectChanges, ask)
          .status());
  evaluation::v1::ProposeSubjectRequest propose;
  propose.set_name(note.name());
  propose.set_subject(absl::StrCat(note.subject(), ", une seule structure"));
  RETURN_IF_ERROR(
      stage.services.evaluation->notes
          .Call(&ValidationNoteService::StubInterface::ProposeSubject, propose)
          .status());
  stage.narrator.Tell(absl::StrCat(note.person_display_name(),
                                   " : propose un sujet plus précis."));
  return absl::OkStatus();
}

struct Submission {
  ValidationNote note;
  int pages = 0;
};

absl::StatusOr<std::string> SendNote(const Stage& stage,
                                     const Submission& submission) {
  return SendPdf(stage.services.evaluation->uploads, stage.Body(),
                 WritePdf(submission.pages,
                          absl::StrCat("Note de validation, ",
                                       submission.note.person_display_name())));
}

absl::StatusOr<NoteVersion> Submit(
    const Stage& stage,
    const evaluation::v1::SubmitNoteVersionRequest& request) {
  return stage.services.evaluation->notes.Call(
      &ValidationNoteService::StubInterface::SubmitNoteVersion, request);
}

absl::Status SubmitLate(const Stage& stage, const Submission& submission) {
  RETURN_IF_ERROR(AdvanceTo(
      stage, stage.At(DayOf(submission.note.due_date()) + 1, kMorning)));
  ASSIGN_OR_RETURN(const std::string upload, SendNote(stage, submission));
  evaluation::v1::SubmitNoteVersionRequest request;
  request.set_name(submission.note.name());
  request.set_upload(upload);
  request.set_final(true);
  const absl::Status refused = Submit(stage, request).status();
  if (ReasonOf(refused) != Reason::kNoteLate) {
    return refused.ok() ? absl::InternalError(
                              "une note en retard a été reçue sans motif")
                        : refused;
  }
  stage.narrator.Tell(absl::StrCat(submission.note.person_display_name(), " : ",
                                   DescribeError(refused)));
  request.set_late_reason("Panne de l’ordinateur, attestée.");
  request.set_accept_late(true);
  request.set_late_accepted_by(std::string(kCoordinator));
  RETURN_IF_ERROR(Submit(stage, request).status());
  stage.narrator.Tell("Retard motivé et accepté ; il reste marqué.");
  return absl::OkStatus();
}

// Each reader whom the programme asks for reads each note; the readers are
// members of the jury.
absl::Status ReadNotes(const Stage& stage, const std::vector<Person>& readers) {
  const int wanted = Options(stage).readers_per_note();
  ASSIGN_OR_RETURN(const std::vector<ValidationNote> notes, Notes(stage));
  for (const ValidationNote& note : notes) {
    if (note.state() != ValidationNote::STATE_FINAL) continue;
    for (int i = 0; i < wanted && i < static_cast<int>(readers.size()); ++i) {
      const Person& reader = readers[static_cast<std::size_t>(i)];
      evaluation::v1::AssignReaderRequest assign;
      assign.set_parent(note.name());
      assign.mutable_reader()->set_person(reader.name());
      assign.mutable_reader()->set_person_display_name(
          absl::StrCat(reader.given_name(), " ", reader.family_name()));
      ASSIGN_OR_RETURN(
          const evaluation::v1::NoteReader assigned,
          stage.services.evaluation->notes.Call(
              &ValidationNoteService::StubInterface::AssignReader, assign));
      evaluation::v1::SubmitReaderReportRequest report;
      report.set_name(assigned.name());
      report.set_comments("Lecture faite ; avis transmis au jury.");
      if (Options(stage).marked()) {
        report.set_mark_hundredths(
            (Options(stage).pass_mark_hundredths() + kFullMarks) / 2);
      }
      RETURN_IF_ERROR(
          stage.services.evaluation->notes
              .Call(&ValidationNoteService::StubInterface::SubmitReaderReport,
                    report)
              .status());
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<std::vector<Person>> MakeJuryMembers(const Stage& stage) {
  std::vector<Person> members;
  const int count = Options(stage).jury_quorum() + kMembersAboveQuorum;
  for (int i = 1; i <= count; ++i) {
    ASSIGN_OR_RETURN(Person member,
                     MakePerson(stage, absl::StrCat("jury-fictif-", i), "Jury",
                                absl::StrCat("Fictif ", i)));
    members.push_back(std::move(member));
  }
  return members;
}

// The day on which the jury sits.
absl::CivilDay JuryDay(const Stage& stage) {
  const google::type::Date& date =
      stage.cohort.assessment_calendar().jury_date();
  return date.day() == 0 ? RollToWorkingDay(absl::CivilDay(
                               date.year(), date.month(), kJuryDayOfMonth))
                         : DayOf(date);
}

absl::StatusOr<Jury> ConvenedJury(const Stage& stage) {
  evaluation::v1::ListJuriesRequest request;
  request.set_parent(stage.cohort.name());
  ASSIGN_OR_RETURN(const std::vector<Jury> juries,
                   ListAll(
                       stage.services.evaluation->juries,
                       &JuryService::StubInterface::ListJuries, request,
                       [](evaluation::v1::ListJuriesResponse & page) -> auto& {
                         return *page.mutable_juries();
                       }));
  for (const Jury& jury : juries) {
    if (jury.state() == Jury::STATE_CONVENED) return jury;
  }
  return absl::NotFoundError("aucun jury n’est convoqué");
}

absl::Status DeclareConflict(const Stage& stage, const Person& member,
                             const std::string& enrolment) {
  evaluation::v1::DeclareConflictRequest request;
  request.set_parent(stage.cohort.name());
  request.mutable_conflict()->set_person(member.name());
  request.mutable_conflict()->set_enrolment(enrolment);
  request.mutable_conflict()->set_category(
      evaluation::v1::CONFLICT_CATEGORY_EMPLOYMENT);
  RETURN_IF_ERROR(
      stage.services.evaluation->juries
          .Call(&JuryService::StubInterface::DeclareConflict, request)
          .status());
  stage.narrator.Tell(absl::StrCat(member.given_name(), " ",
                                   member.family_name(),
                                   " : déclare un conflit d’intérêts et ne "
                                   "prend pas part à une décision."));
  return absl::OkStatus();
}

// The outcome for each candidate: somebody whose note is out of the range, or
// anybody, is deferred; another one is refused, where enough are awarded.
std::vector<Decision> Deliberate(Stage& stage,
                                 const std::vector<JuryCandidate>& candidates) {
  std::vector<std::size_t> order(candidates.size());
  for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
  stage.random.Shuffle(order);
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) {
                     return candidates[a].note_out_of_range() >
                            candidates[b].note_out_of_range();
                   });
  std::vector<Decision> decisions(candidates.size());
  for (std::size_t i = 0; i < order.size(); ++i) {
    Decision& decision = decisions[order[i]];
    decision.set_enrolment(candidates[order[i]].enrolment());
    const bool deferred = i == 0 && order.size() > 1;
    const bool refused = i == 1 && order.size() > 2;
    int mark = (Options(stage).pass_mark_hundredths() + kFullMarks) / 2;
    if (deferred) {
      decision.set_outcome(Decision::OUTCOME_DEFERRED);
      decision.set_reason("Note à reprendre et à compléter.");
    } else if (refused) {
      decision.set_outcome(Decision::OUTCOME_REFUSED);
      decision.set_reason("L’analyse attendue n’est pas présente.");
    } else {
      decision.set_outcome(Decision::OUTCOME_AWARDED);
    }
    if (deferred || refused) mark = Options(stage).pass_mark_hundredths() / 2;
    if (Options(stage).marked()) decision.set_mark_hundredths(mark);
  }
  return decisions;
}

absl::Status HoldSession(Stage& stage, const Jury& jury) {
  const auto& juries = stage.services.evaluation->juries;
  RETURN_IF_ERROR(
      AdvanceTo(stage, stage.At(DayOf(jury.session_date()), kMorning, 30)));
  evaluation::v1::OpenJuryRequest open;
  open.set_name(jury.name());
  for (const JuryMember& member : jury.members()) {
    open.add_present_members(member.person());
  }
  RETURN_IF_ERROR(
      juries.Call(&JuryService::StubInterface::OpenJury, open).status());
  evaluation::v1::ListJuryCandidatesRequest list;
  list.set_parent(jury.name());
  ASSIGN_OR_RETURN(
      const std::vector<JuryCandidate> candidates,
      ListAll(
          juries, &JuryService::StubInterface::ListJuryCandidates, list,
          [](evaluation::v1::ListJuryCandidatesResponse & page) -> auto& {
            return *page.mutable_candidates();
          }));
  for (const Decision& decision : Deliberate(stage, candidates)) {
    evaluation::v1::RecordDecisionRequest record;
    record.set_parent(jury.name());
    *record.mutable_decision() = decision;
    RETURN_IF_ERROR(
        juries.Call(&JuryService::StubInterface::RecordDecision, record)
            .status());
  }
  ASSIGN_OR_RETURN(const absl::Time now, Now(stage));
  RETURN_IF_ERROR(MoveTo(stage, now + absl::Hours(6)));
  evaluation::v1::CloseMinutesRequest close;
  close.set_name(jury.name());
  ASSIGN_OR_RETURN(
      const evaluation::v1::Minutes minutes,
      juries.Call(&JuryService::StubInterface::CloseMinutes, close));
  stage.narrator.Tell(absl::StrCat(
      "Procès-verbal clos : ", minutes.awarded_count(), " certificats, ",
      Counted(minutes.deferred_count(), "ajournement", "ajournements"), ", ",
      minutes.refused_count(), " refus."));
  return absl::OkStatus();
}

absl::Status VerifyCertificates(const Stage& stage) {
  const auto& service = stage.services.evaluation->certificates;
  evaluation::v1::ListCertificatesRequest list;
  list.set_parent(stage.Body());
  list.set_cohort(stage.cohort.name());
  ASSIGN_OR_RETURN(
      const std::vector<Certificate> certificates,
      ListAll(
          service, &CertificateService::StubInterface::ListCertificates, list,
          [](evaluation::v1::ListCertificatesResponse & page) -> auto& {
            return *page.mutable_certificates();
          }));
  std::size_t verified = 0;
  for (const Certificate& certificate : certificates) {
    if (certificate.number().empty()) continue;
    evaluation::v1::VerifyCertificateRequest request;
    request.set_number(certificate.number());
    request.set_code(certificate.code());
    ASSIGN_OR_RETURN(
        const evaluation::v1::VerifyCertificateResponse answer,
        service.Call(&CertificateService::StubInterface::VerifyCertificate,
                     request));
    if (answer.state() == Certificate::STATE_ISSUED) ++verified;
  }
  if (verified == 0) {
    stage.narrator.Tell(absl::StrCat(
        certificates.size(),
        " résultats proclamés ; sans mandat du certificateur, rien n’est "
        "numéroté ni signé."));
    return absl::OkStatus();
  }
  stage.narrator.Tell(
      absl::StrCat(verified, " certificats vérifiés par numéro et code."));
  evaluation::v1::VerifyCertificateRequest guess;
  guess.set_number(certificates.front().number());
  guess.set_code("0000000000");
  const absl::Status refused =
      service.Call(&CertificateService::StubInterface::VerifyCertificate, guess)
          .status();
  if (refused.ok()) {
    return absl::InternalError("un certificat se vérifie sans son code");
  }
  stage.narrator.Tell(
      absl::StrCat("Le numéro sans le bon code : ", DescribeError(refused)));
  return absl::OkStatus();
}

absl::Status CompleteWithoutJury(const Stage& stage) {
  evaluation::v1::CompleteWithoutJuryRequest request;
  request.set_parent(stage.cohort.name());
  ASSIGN_OR_RETURN(
      const evaluation::v1::CompleteWithoutJuryResponse answer,
      stage.services.evaluation->results.Call(
          &ResultService::StubInterface::CompleteWithoutJury, request));
  stage.narrator.Tell(
      absl::StrCat("Programme sans jury : ", answer.result_count(),
                   " parcours accomplis, aucun certificat."));
  return absl::OkStatus();
}

}  // namespace

bool WritingHasBegun(const Stage& stage, absl::CivilDay day) {
  const auto& calendar = stage.cohort.assessment_calendar();
  return stage.services.evaluation.has_value() &&
         Options(stage).note_required() && calendar.has_writing_start_date() &&
         FirstDay(calendar.writing_start_date()) <= day;
}

absl::Status ProposeSubjects(Stage& stage) {
  if (!stage.services.evaluation.has_value() ||
      !Options(stage).note_required()) {
    return absl::OkStatus();
  }
  ASSIGN_OR_RETURN(const std::vector<ValidationNote> known, Notes(stage));
  std::set<std::string> have_one;
  for (const ValidationNote& note : known) have_one.insert(note.enrolment());
  ASSIGN_OR_RETURN(const std::vector<Enrolment> enrolments, Enrolments(stage));
  int proposed = 0;
  for (const Enrolment& enrolment : enrolments) {
    const bool follows = enrolment.state() == Enrolment::STATE_STARTED ||
                         enrolment.state() == Enrolment::STATE_COMPLETED;
    if (!follows || have_one.contains(enrolment.name())) continue;
    evaluation::v1::CreateValidationNoteRequest request;
    request.set_parent(stage.cohort.name());
    request.mutable_validation_note()->set_enrolment(enrolment.name());
    request.mutable_validation_note()->set_subject(
        absl::StrCat("Sujet fictif de ", enrolment.person_display_name()));
    ASSIGN_OR_RETURN(
        const ValidationNote note,
        stage.services.evaluation->notes.Call(
            &ValidationNoteService::StubInterface::CreateValidationNote,
            request));
    if (proposed == 0) RETURN_IF_ERROR(AskForAnother(stage, note));
    RETURN_IF_ERROR(Approve(stage, note.name()));
    ++proposed;
  }
  if (proposed > 0) {
    stage.narrator.Tell(
        absl::StrCat(proposed, " sujets de note proposés et approuvés."));
  }
  return absl::OkStatus();
}

absl::Status SubmitNotes(Stage& stage) {
  if (!Options(stage).note_required()) return absl::OkStatus();
  stage.narrator.Chapter("Les notes de validation");
  RETURN_IF_ERROR(ProposeSubjects(stage));
  ASSIGN_OR_RETURN(const std::vector<ValidationNote> notes, Notes(stage));
  const int fewest = Options(stage).note_min_pages();
  const int range = Options(stage).note_max_pages() - fewest + 1;
  std::vector<Submission> submissions;
  for (const ValidationNote& note : notes) {
    if (note.state() == ValidationNote::STATE_FINAL) continue;
    const auto extra =
        stage.random.Below(static_cast<std::uint64_t>(std::max(1, range)));
    submissions.push_back(
        {.note = note, .pages = fewest + static_cast<int>(extra)});
  }
  // A learner who left has a subject and sends no note.
  ASSIGN_OR_RETURN(const std::vector<Enrolment> completed,
                   Enrolments(stage, Enrolment::STATE_COMPLETED));
  std::set<std::string> writing;
  for (const Enrolment& enrolment : completed) writing.insert(enrolment.name());
  std::erase_if(submissions, [&](const Submission& submission) {
    return !writing.contains(submission.note.enrolment());
  });
  if (submissions.empty()) return absl::OkStatus();
  stage.random.Shuffle(submissions);
  std::optional<Submission> late;
  if (submissions.size() > 1) {
    late = submissions.back();
    submissions.pop_back();
  }
  submissions.front().pages = std::max(1, fewest - kPagesMissing);
  RETURN_IF_ERROR(AdvanceTo(
      stage, stage.At(DayOf(submissions.front().note.due_date()), kMorning)));
  std::vector<NoteVersion> versions(submissions.size());
  RETURN_IF_ERROR(InParallel(
      static_cast<int>(submissions.size()), kNoteThreads,
      [&](int i) -> absl::Status {
        const Submission& submission = submissions[static_cast<std::size_t>(i)];
        ASSIGN_OR_RETURN(const std::string upload, SendNote(stage, submission));
        evaluation::v1::SubmitNoteVersionRequest request;
        request.set_name(submission.note.name());
        request.set_upload(upload);
        request.set_final(true);
        ASSIGN_OR_RETURN(versions[static_cast<std::size_t>(i)],
                         Submit(stage, request));
        return absl::OkStatus();
      }));
  stage.narrator.Tell(absl::StrCat(versions.size(), " notes reçues à temps."));
  for (std::size_t i = 0; i < versions.size(); ++i) {
    for (const std::string& warning : versions[i].warnings()) {
      stage.narrator.Tell(absl::StrCat(
          submissions[i].note.person_display_name(), " : ", warning));
    }
  }
  if (late.has_value()) RETURN_IF_ERROR(SubmitLate(stage, *late));
  return absl::OkStatus();
}

absl::Status ConveneJury(Stage& stage) {
  if (!Options(stage).jury_required()) return absl::OkStatus();
  stage.narrator.Chapter("Le jury est convoqué");
  const absl::CivilDay day = JuryDay(stage);
  RETURN_IF_ERROR(AdvanceTo(
      stage, stage.At(RollToWorkingDay(day - kDaysOfNotice), kMorning)));
  ASSIGN_OR_RETURN(const std::vector<Person> persons, MakeJuryMembers(stage));
  evaluation::v1::CreateJuryRequest request;
  request.set_parent(stage.cohort.name());
  *request.mutable_jury()->mutable_session_date() = DateOf(day);
  for (const Person& person : persons) {
    JuryMember& member = *request.mutable_jury()->add_members();
    member.set_person(person.name());
    member.set_person_display_name(
        absl::StrCat(person.given_name(), " ", person.family_name()));
    member.set_role(&person == &persons.front() ? JuryMember::ROLE_PRESIDENT
                                                : JuryMember::ROLE_MEMBER);
  }
  RETURN_IF_ERROR(stage.services.evaluation->juries
                      .Call(&JuryService::StubInterface::CreateJury, request)
                      .status());
  stage.narrator.Tell(absl::StrCat(persons.size(), " membres, session du ",
                                   PrintFrench(day), "."));
  ASSIGN_OR_RETURN(const std::vector<Enrolment> completed,
                   Enrolments(stage, Enrolment::STATE_COMPLETED));
  if (completed.empty()) return absl::OkStatus();
  return DeclareConflict(
      stage, persons.back(),
      completed[stage.random.Index(completed.size())].name());
}

absl::Status ProclaimResults(Stage& stage) {
  stage.narrator.Chapter("Les résultats");
  if (!Options(stage).jury_required()) return CompleteWithoutJury(stage);
  ASSIGN_OR_RETURN(const std::vector<Person> members, MakeJuryMembers(stage));
  RETURN_IF_ERROR(ReadNotes(stage, members));
  ASSIGN_OR_RETURN(const Jury jury, ConvenedJury(stage));
  RETURN_IF_ERROR(HoldSession(stage, jury));
  return VerifyCertificates(stage);
}

}  // namespace parcours::cli::demo
