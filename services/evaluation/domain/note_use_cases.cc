#include "services/evaluation/domain/note_use_cases.h"

#include <algorithm>
#include <cstddef>
#include <utility>
#include <vector>

#include "common/status/error.h"
#include "common/status/macros.h"
#include "common/text/view.h"
#include "common/types/record.h"
#include "services/evaluation/domain/erasure_use_cases.h"

namespace parcours::evaluation {
namespace {

absl::StatusOr<NoteView> ViewOf(EvaluationUnit& unit,
                                const access::Caller& caller,
                                ValidationNote note,
                                const std::optional<AssessmentPlan>& plan) {
  NoteView view{.note = std::move(note),
                .latest_version = std::nullopt,
                .final_version = std::nullopt,
                .due_date = std::nullopt};
  if (view.note.version_count > 0) {
    ASSIGN_OR_RETURN(
        view.latest_version,
        unit.versions().Find(
            caller.scope, VersionOf(view.note.name, view.note.version_count)));
  }
  if (view.note.final_version == view.note.version_count) {
    view.final_version = view.latest_version;
  } else if (view.note.final_version > 0) {
    ASSIGN_OR_RETURN(
        view.final_version,
        unit.versions().Find(
            caller.scope, VersionOf(view.note.name, view.note.final_version)));
  }
  if (plan.has_value() && plan->note_required) {
    view.due_date = DueDate(view.note, *plan);
  }
  return view;
}

absl::Status IllegalReopening(const ValidationNote& note,
                              std::string_view state) {
  return MakeError(Reason::kIllegalTransition, {{"resource", note.name.text()},
                                                {"state", std::string(state)},
                                                {"action", "ReopenNote"}});
}

// The candidate is not before a jury, and waits for the next.
absl::Status CheckNotJudged(EvaluationUnit& unit, const access::Caller& caller,
                            const ValidationNote& note) {
  ASSIGN_OR_RETURN(
      const std::optional<Jury> sitting,
      unit.OpenJuryOf(caller.scope, note.name.Under<CohortName>()));
  if (sitting.has_value() &&
      std::find(sitting->candidates.begin(), sitting->candidates.end(),
                note.enrolment) != sitting->candidates.end()) {
    return IllegalReopening(note, "BEFORE_JURY");
  }
  ASSIGN_OR_RETURN(const std::optional<Result> result,
                   unit.results().Find(caller.scope, ResultOf(note.enrolment)));
  if (!AwaitsJury(result)) {
    return IllegalReopening(note, NameOf(result->outcome));
  }
  return absl::OkStatus();
}

absl::Status CheckNoConflict(EvaluationUnit& unit, const access::Caller& caller,
                             const PersonName& person,
                             const EnrolmentName& enrolment) {
  ASSIGN_OR_RETURN(const std::vector<Conflict> conflicts,
                   unit.ConflictsAbout(caller.scope.Whole(), enrolment));
  for (const Conflict& conflict : conflicts) {
    if (conflict.person == person) {
      return MakeError(
          Reason::kConflictOfInterest,
          {{"member", person.text()}, {"candidate", enrolment.text()}});
    }
  }
  return absl::OkStatus();
}

// Applies `transition` to the note of somebody who has not been erased.
absl::StatusOr<ValidationNote> ChangeNote(
    EvaluationStore& store, const access::Caller& caller, const NoteName& name,
    const std::string& etag,
    absl::FunctionRef<absl::Status(ValidationNote&)> transition) {
  return ApplyTransition<ValidationNote>(
      store, caller, &EvaluationUnit::notes, name, etag,
      [&](EvaluationUnit& unit, ValidationNote& note) -> absl::Status {
        RETURN_IF_ERROR(CheckNotErased(unit, {note.person}));
        return transition(note);
      });
}

}  // namespace

absl::StatusOr<NoteView> GetNote(EvaluationStore& store,
                                 const access::Caller& caller,
                                 const NoteName& name) {
  std::optional<NoteView> view;
  RETURN_IF_ERROR(store.View(caller, [&](EvaluationUnit& unit) -> absl::Status {
    ASSIGN_OR_RETURN(ValidationNote note, unit.notes().Get(caller.scope, name));
    ASSIGN_OR_RETURN(
        const std::optional<AssessmentPlan> plan,
        unit.plans().Find(caller.scope, PlanOf(name.Under<CohortName>())));
    ASSIGN_OR_RETURN(view, ViewOf(unit, caller, std::move(note), plan));
    return absl::OkStatus();
  }));
  return *std::move(view);
}

absl::StatusOr<Page<NoteView>> ListNotes(EvaluationStore& store,
                                         const access::Caller& caller,
                                         const CohortName& cohort,
                                         std::optional<NoteState> state,
                                         const PageRequest& page) {
  Page<NoteView> views;
  RETURN_IF_ERROR(store.View(caller, [&](EvaluationUnit& unit) -> absl::Status {
    views = {};
    ASSIGN_OR_RETURN(views.feed_position, unit.FeedPosition());
    ASSIGN_OR_RETURN(const std::optional<AssessmentPlan> plan,
                     unit.plans().Find(caller.scope, PlanOf(cohort)));
    ASSIGN_OR_RETURN(Page<ValidationNote> notes,
                     unit.ListNotes(caller.scope, cohort, state, page));
    for (ValidationNote& note : notes.items) {
      ASSIGN_OR_RETURN(NoteView view,
                       ViewOf(unit, caller, std::move(note), plan));
      views.items.push_back(std::move(view));
    }
    views.next_key = notes.next_key;
    return absl::OkStatus();
  }));
  return views;
}

absl::StatusOr<ValidationNote> CreateNote(EvaluationStore& store,
                                          EnrolmentPort& enrolments,
                                          const access::Caller& caller,
                                          const EnrolmentName& enrolment,
                                          const std::string& subject) {
  std::optional<RosterEntry> learner;
  RETURN_IF_ERROR(store.View(caller, [&](EvaluationUnit& unit) -> absl::Status {
    ASSIGN_OR_RETURN(
        learner, unit.roster().Find(caller.scope, RosterEntryOf(enrolment)));
    return absl::OkStatus();
  }));
  const bool on_roster = learner.has_value();
  if (!on_roster) {
    // Nothing says yet that the enrolment is the caller's own.
    if (caller.scope.is_own()) return MakeError(Reason::kPermissionDenied);
    const absl::StatusOr<EnrolmentFacts> facts =
        enrolments.GetEnrolment(caller, enrolment);
    if (facts.status().code() == absl::StatusCode::kNotFound ||
        facts.status().code() == absl::StatusCode::kPermissionDenied) {
      return MakeFieldError("validation_note.enrolment",
                            Reason::kUnknownReference);
    }
    if (!facts.ok()) return facts.status();
    learner.emplace();
    Copy(*facts, *learner);
  }
  return ChangeResource<ValidationNote>(
      store, caller, &EvaluationUnit::notes,
      [&](EvaluationUnit& unit) -> absl::StatusOr<ValidationNote> {
        ASSIGN_OR_RETURN(
            const AssessmentPlan plan,
            unit.plans().Get(caller.scope,
                             PlanOf(enrolment.Under<CohortName>())));
        RETURN_IF_ERROR(CheckNoteRequired(plan));
        ASSIGN_OR_RETURN(ValidationNote note, StartNote(*learner, subject));
        if (on_roster) {
          // Nobody erases the learner meanwhile.
          RETURN_IF_ERROR(unit.roster()
                              .Lock(caller.scope, RosterEntryOf(enrolment))
                              .status());
        }
        RETURN_IF_ERROR(CheckNotErased(unit, {note.person}));
        RETURN_IF_ERROR(InsertNew(unit.notes(), caller, note));
        return note;
      });
}

absl::StatusOr<ValidationNote> ProposeSubject(EvaluationStore& store,
                                              const access::Caller& caller,
                                              const NoteName& name,
                                              const std::string& subject,
                                              const std::string& etag) {
  return ChangeNote(store, caller, name, etag, [&](ValidationNote& note) {
    return ProposeSubject(note, subject);
  });
}

absl::StatusOr<ValidationNote> ApproveSubject(EvaluationStore& store,
                                              const access::Caller& caller,
                                              const NoteName& name,
                                              const std::string& decider,
                                              const std::string& etag) {
  return ChangeNote(store, caller, name, etag, [&](ValidationNote& note) {
    return ApproveSubject(note, decider, caller.now);
  });
}

absl::StatusOr<ValidationNote> AskSubjectChanges(EvaluationStore& store,
                                                 const access::Caller& caller,
                                                 const NoteName& name,
                                                 const std::string& decider,
                                                 const std::string& reason,
                                                 const std::string& etag) {
  return ChangeNote(store, caller, name, etag, [&](ValidationNote& note) {
    return AskSubjectChanges(note, decider, reason, caller.now);
  });
}

absl::StatusOr<NoteVersion> SubmitNoteVersion(EvaluationStore& store,
                                              NoteFiles& files,
                                              const access::Caller& caller,
                                              const VersionRequest& request) {
  if (request.upload.body() != request.note.body()) {
    return MakeFieldError("upload", Reason::kUnknownReference);
  }
  std::optional<documents::Upload> upload;
  RETURN_IF_ERROR(store.View(caller, [&](EvaluationUnit& unit) -> absl::Status {
    RETURN_IF_ERROR(unit.notes().Get(caller.scope, request.note).status());
    ASSIGN_OR_RETURN(upload, unit.uploads().Find(caller.scope, request.upload));
    return absl::OkStatus();
  }));
  if (!upload.has_value()) {
    return MakeFieldError("upload", Reason::kUnknownReference);
  }
  Submission submission{.file = {},
                        .object_id = upload->object_id,
                        .final = request.final,
                        .late_reason = request.late_reason,
                        .accept_late = request.accept_late,
                        .late_accepted_by = request.late_accepted_by};
  // An upload that is not complete is refused below, unless the call repeats
  // the one that took it.
  if (upload->state == documents::UploadState::kComplete) {
    if (!request.sha256.empty() && request.sha256 != upload->sha256) {
      return MakeFieldError("sha256", Reason::kUploadDigestMismatch);
    }
    ASSIGN_OR_RETURN(submission.file, files.Inspect(*upload));
  }
  return ChangeResource<NoteVersion>(
      store, caller, &EvaluationUnit::versions,
      [&](EvaluationUnit& unit) -> absl::StatusOr<NoteVersion> {
        ASSIGN_OR_RETURN(
            const AssessmentPlan plan,
            unit.plans().Get(caller.scope,
                             PlanOf(request.note.Under<CohortName>())));
        ASSIGN_OR_RETURN(ValidationNote note,
                         unit.notes().Lock(caller.scope, request.note));
        RETURN_IF_ERROR(
            CheckEtag(request.etag, request.note.text(), note.version));
        ASSIGN_OR_RETURN(NoteVersion added,
                         AddVersion(note, plan, submission, caller.now));
        RETURN_IF_ERROR(unit.ClaimUpload(caller.scope, request.upload, "upload",
                                         note.person)
                            .status());
        unit.notes().Update(note);
        unit.versions().Insert(added);
        return added;
      });
}

absl::StatusOr<ValidationNote> ReopenNote(EvaluationStore& store,
                                          const access::Caller& caller,
                                          const NoteName& name,
                                          const std::string& reason,
                                          const std::string& etag) {
  return ChangeResource<ValidationNote>(
      store, caller, &EvaluationUnit::notes,
      [&](EvaluationUnit& unit) -> absl::StatusOr<ValidationNote> {
        // The plan stands for the cohort: no jury opens meanwhile.
        RETURN_IF_ERROR(
            unit.plans()
                .Lock(caller.scope, PlanOf(name.Under<CohortName>()))
                .status());
        ASSIGN_OR_RETURN(ValidationNote note,
                         unit.notes().Lock(caller.scope, name));
        RETURN_IF_ERROR(CheckEtag(etag, name.text(), note.version));
        RETURN_IF_ERROR(CheckNotErased(unit, {note.person}));
        RETURN_IF_ERROR(ReopenNote(note, reason));
        RETURN_IF_ERROR(CheckNotJudged(unit, caller, note));
        unit.notes().Update(note);
        return note;
      });
}

absl::StatusOr<ValidationNote> AdaptNote(EvaluationStore& store,
                                         const access::Caller& caller,
                                         const NoteName& name,
                                         const NoteAdaptation& adaptation,
                                         const std::string& etag) {
  return ChangeNote(store, caller, name, etag, [&](ValidationNote& note) {
    return AdaptNote(note, adaptation);
  });
}

absl::StatusOr<FilePart> ReadNoteVersion(EvaluationStore& store,
                                         NoteFiles& files,
                                         const access::Caller& caller,
                                         const NoteVersionName& name,
                                         int64_t offset, int64_t limit) {
  ASSIGN_OR_RETURN(
      const NoteVersion version,
      GetResource<NoteVersion>(store, caller, &EvaluationUnit::versions, name));
  if (version.object_id.empty()) {
    return MakeError(Reason::kNotFound, {{"resource", name.text()}});
  }
  if (offset < 0 || offset > version.byte_size) {
    return MakeFieldError(
        "offset", Reason::kFieldOutOfRange,
        {{"minimum", "0"}, {"maximum", Cat(version.byte_size)}});
  }
  ASSIGN_OR_RETURN(const std::string bytes, files.Read(version.object_id));
  FilePart part;
  part.bytes = bytes.substr(static_cast<std::size_t>(offset),
                            static_cast<std::size_t>(limit));
  const int64_t next = offset + static_cast<int64_t>(part.bytes.size());
  if (next < version.byte_size) part.next_offset = next;
  return part;
}

absl::StatusOr<NoteReader> AssignReader(EvaluationStore& store,
                                        const access::Caller& caller,
                                        const NoteName& note_name,
                                        const PersonName& person,
                                        const std::string& display_name) {
  if (person.body() != note_name.body()) {
    return MakeFieldError("reader.person", Reason::kUnknownReference);
  }
  return ChangeResource<NoteReader>(
      store, caller, &EvaluationUnit::readers,
      [&](EvaluationUnit& unit) -> absl::StatusOr<NoteReader> {
        ASSIGN_OR_RETURN(const ValidationNote note,
                         unit.notes().Lock(caller.scope, note_name));
        if (note.state != NoteState::kFinal) {
          return MakeError(Reason::kIllegalTransition,
                           {{"resource", note.name.text()},
                            {"state", std::string(NameOf(note.state))},
                            {"action", "AssignReader"}});
        }
        RETURN_IF_ERROR(CheckNoConflict(unit, caller, person, note.enrolment));
        NoteReader reader;
        reader.name =
            ChildName<NoteReaderName>(note_name, "readers", person.id());
        RETURN_IF_ERROR(CheckNotErased(unit, {person, note.person}));
        reader.person = person;
        reader.learner = note.person;
        reader.person_display_name = display_name;
        RETURN_IF_ERROR(InsertNew(unit.readers(), caller, reader));
        return reader;
      });
}

absl::StatusOr<NoteReader> SubmitReaderReport(
    EvaluationStore& store, const access::Caller& caller,
    const NoteReaderName& name, const std::string& comments,
    std::optional<int64_t> mark_hundredths, const std::string& etag) {
  return ApplyTransition<NoteReader>(
      store, caller, &EvaluationUnit::readers, name, etag,
      [&](EvaluationUnit& unit, NoteReader& reader) -> absl::Status {
        RETURN_IF_ERROR(CheckSelf(caller, reader.person.text()));
        ASSIGN_OR_RETURN(
            const AssessmentPlan plan,
            unit.plans().Get(caller.scope, PlanOf(name.Under<CohortName>())));
        ASSIGN_OR_RETURN(const ValidationNote note,
                         unit.notes().Get(caller.scope, reader.note()));
        RETURN_IF_ERROR(
            CheckNoConflict(unit, caller, reader.person, note.enrolment));
        return SubmitReport(reader, plan, comments, mark_hundredths,
                            caller.now);
      });
}

}  // namespace parcours::evaluation
