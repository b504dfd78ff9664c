#include "services/evaluation/domain/jury_use_cases.h"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "common/crypto/digest.h"
#include "common/status/error.h"
#include "common/status/macros.h"
#include "common/time/clock.h"
#include "common/types/record.h"
#include "services/evaluation/domain/erasure.h"
#include "services/evaluation/domain/erasure_use_cases.h"

namespace parcours::evaluation {
namespace {

using FactsByEnrolment = std::map<EnrolmentName, EnrolmentFacts>;

absl::Status NotACandidate(const EnrolmentName& enrolment,
                           std::string_view cause) {
  return MakeError(Reason::kNotACandidate, {{"candidate", enrolment.text()},
                                            {"cause", std::string(cause)}});
}

absl::StatusOr<FactsByEnrolment> AskOwner(EnrolmentPort& enrolments,
                                          const access::Caller& caller,
                                          const CohortName& cohort) {
  ASSIGN_OR_RETURN(std::vector<EnrolmentFacts> listed,
                   enrolments.ListEnrolments(caller, cohort));
  FactsByEnrolment facts;
  for (EnrolmentFacts& one : listed) facts.emplace(one.name, std::move(one));
  return facts;
}

// OK when the owner says that the learner may be awarded a certificate.
absl::Status CheckMayBeAwarded(const FactsByEnrolment& facts,
                               const EnrolmentName& enrolment) {
  const auto known = facts.find(enrolment);
  if (known == facts.end()) return NotACandidate(enrolment, "NOT_ENROLLED");
  if (!MayBeAssessed(known->second.state)) {
    return NotACandidate(enrolment, NameOf(known->second.state));
  }
  return absl::OkStatus();
}

// Adds to the roster whom it does not know yet; what it knows, it follows by
// the feed alone.
absl::Status AddToRoster(EvaluationUnit& unit, const access::Caller& caller,
                         const EnrolmentFacts& facts) {
  ASSIGN_OR_RETURN(const std::optional<RosterEntry> known,
                   unit.roster().Find(caller.scope, RosterEntryOf(facts.name)));
  if (known.has_value()) return absl::OkStatus();
  RosterEntry entry;
  Copy(facts, entry);
  ASSIGN_OR_RETURN(const std::set<PersonName> erased,
                   unit.ErasedAmong({entry.person}));
  if (!erased.empty()) Erase(entry);
  unit.roster().Insert(entry);
  return absl::OkStatus();
}

// PERSON_ERASED for a member who has been erased and is named again.
absl::Status CheckMembersNotErased(EvaluationUnit& unit, const Jury& jury) {
  std::vector<PersonName> named;
  for (const JuryMember& member : jury.members) {
    if (!member.display_name.empty()) named.push_back(member.person);
  }
  return CheckNotErased(unit, named);
}

// `facts`, without the names of those who were erased after the owner said
// them.
absl::StatusOr<FactsByEnrolment> WithoutErased(EvaluationUnit& unit,
                                               FactsByEnrolment facts) {
  std::vector<PersonName> persons;
  for (const auto& [enrolment, one] : facts) persons.push_back(one.person);
  ASSIGN_OR_RETURN(const std::set<PersonName> erased,
                   unit.ErasedAmong(persons));
  for (auto& [enrolment, one] : facts) {
    if (erased.contains(one.person)) one.display_name.clear();
  }
  return facts;
}

absl::StatusOr<JuryState> StateOf(EvaluationStore& store,
                                  const access::Caller& caller,
                                  const JuryName& name) {
  ASSIGN_OR_RETURN(
      const Jury jury,
      GetResource<Jury>(store, caller, &EvaluationUnit::juries, name));
  return jury.state;
}

// The plan, locked: it stands for the cohort in the order of locks.
absl::StatusOr<AssessmentPlan> LockPlan(EvaluationUnit& unit,
                                        const access::Caller& caller,
                                        const CohortName& cohort) {
  return unit.plans().Lock(caller.scope, PlanOf(cohort));
}

// A first decision or a resit is about a candidate of the session; a
// correction is about the decision in force.
absl::Status CheckBeforeJury(EvaluationUnit& unit, const access::Caller& caller,
                             const Jury& jury, const Decision& decision) {
  if (decision.corrects.empty()) {
    if (std::find(jury.candidates.begin(), jury.candidates.end(),
                  decision.enrolment) == jury.candidates.end()) {
      return NotACandidate(decision.enrolment, "NOT_ON_THE_LIST");
    }
    return absl::OkStatus();
  }
  ASSIGN_OR_RETURN(
      const std::optional<Result> result,
      unit.results().Find(caller.scope, ResultOf(decision.enrolment)));
  if (!result.has_value() || result->decision != decision.corrects ||
      decision.corrects.Under<JuryName>() == jury.name) {
    return MakeFieldError("decision.corrects", Reason::kUnknownReference);
  }
  return absl::OkStatus();
}

absl::Status CheckHasFinalNote(EvaluationUnit& unit,
                               const access::Caller& caller,
                               const AssessmentPlan& plan,
                               const EnrolmentName& enrolment) {
  if (!plan.note_required) return absl::OkStatus();
  ASSIGN_OR_RETURN(const std::optional<ValidationNote> note,
                   unit.notes().Find(caller.scope, NoteOf(enrolment)));
  if (!note.has_value() || note->state != NoteState::kFinal) {
    return NotACandidate(enrolment, "NO_FINAL_NOTE");
  }
  return absl::OkStatus();
}

// What the minutes say of each candidate beside the decision.
absl::StatusOr<std::vector<MinutesCandidate>> DescribeCandidates(
    EvaluationUnit& unit, const access::Caller& caller,
    const CohortName& cohort, const FactsByEnrolment& facts) {
  ASSIGN_OR_RETURN(const std::vector<ValidationNote> notes,
                   unit.NotesOf(caller.scope, cohort));
  ASSIGN_OR_RETURN(const std::vector<NoteVersion> versions,
                   unit.VersionsOf(caller.scope, cohort));
  std::map<NoteVersionName, const NoteVersion*> by_name;
  for (const NoteVersion& version : versions) by_name[version.name] = &version;
  std::map<EnrolmentName, const NoteVersion*> final_versions;
  for (const ValidationNote& note : notes) {
    const auto found = by_name.find(VersionOf(note.name, note.final_version));
    if (found != by_name.end()) final_versions[note.enrolment] = found->second;
  }
  std::vector<MinutesCandidate> described;
  for (const auto& [enrolment, one] : facts) {
    MinutesCandidate candidate{.enrolment = enrolment,
                               .display_name = one.display_name};
    const auto found = final_versions.find(enrolment);
    if (found != final_versions.end()) {
      candidate.page_count = found->second->page_count;
      candidate.out_of_range = found->second->out_of_range;
      candidate.late = found->second->late;
    }
    described.push_back(std::move(candidate));
  }
  return described;
}

// Gives `result` its certificate: a new one for an award, none any more for
// anything else.
absl::Status SettleCertificate(EvaluationUnit& unit,
                               const access::Caller& caller,
                               const AssessmentPlan& plan,
                               const Decision& decision, Result& result) {
  std::optional<Certificate> present;
  if (!result.certificate.empty()) {
    ASSIGN_OR_RETURN(
        present, unit.certificates().Lock(caller.scope, result.certificate));
  }
  if (decision.outcome == DecisionOutcome::kAwarded) {
    if (present.has_value()) {
      present->decision = decision.name;
      unit.certificates().Update(*present);
      return absl::OkStatus();
    }
    Certificate awarded = ProclaimCertificate(
        decision, plan, result.person_display_name, caller.now);
    if (plan.certification_mode == CertificationMode::kDelegated) {
      ASSIGN_OR_RETURN(
          const int64_t sequence,
          unit.NextInSeries(awarded.name.Under<BodyName>(),
                            Series::kCertificate, awarded.award_date.year()));
      RETURN_IF_ERROR(IssueCertificate(awarded, plan, sequence));
    }
    unit.certificates().Insert(awarded);
    result.certificate = awarded.name;
    return absl::OkStatus();
  }
  if (present.has_value()) {
    RETURN_IF_ERROR(Revoke(*present, decision.name));
    unit.certificates().Update(*present);
  }
  result.certificate = CertificateName();
  return absl::OkStatus();
}

// Makes a decision of minutes that are being closed take effect.
absl::Status TakeEffect(EvaluationUnit& unit, const access::Caller& caller,
                        const AssessmentPlan& plan,
                        const FactsByEnrolment& facts,
                        const Decision& decision) {
  if (!decision.corrects.empty()) {
    ASSIGN_OR_RETURN(Decision corrected,
                     unit.decisions().Lock(caller.scope, decision.corrects));
    corrected.corrected_by = decision.name;
    unit.decisions().Update(corrected);
  }
  ASSIGN_OR_RETURN(
      std::optional<Result> known,
      unit.results().Find(caller.scope, ResultOf(decision.enrolment)));
  Result result = known.value_or(Result{});
  const auto learner = facts.find(decision.enrolment);
  if (learner == facts.end()) {
    return NotACandidate(decision.enrolment, "NOT_ENROLLED");
  }
  Proclaim(decision, learner->second, caller.now, result);
  RETURN_IF_ERROR(SettleCertificate(unit, caller, plan, decision, result));
  if (known.has_value()) {
    unit.results().Update(result);
  } else {
    unit.results().Insert(result);
  }
  return absl::OkStatus();
}

bool BelowFloor(const AttendanceFigures& figures, const AssessmentPlan& plan) {
  // In ten-thousandths of the time due.
  constexpr int64_t kWhole = 10000;
  return plan.attendance_floor_basis_points.has_value() &&
         figures.attended_minutes * kWhole <
             figures.due_minutes * *plan.attendance_floor_basis_points;
}

// Everything that ListJuryCandidates shows, read in one snapshot.
struct CandidateFacts {
  Jury jury;
  AssessmentPlan plan;
  std::map<EnrolmentName, RosterEntry> roster;
  std::map<EnrolmentName, ValidationNote> notes;
  std::map<NoteVersionName, NoteVersion> versions;
  std::map<NoteName, int64_t> reports;
  std::vector<Conflict> conflicts;
  std::map<EnrolmentName, Result> results;
  std::map<EnrolmentName, DecisionName> decisions;
  int64_t feed_position = 0;
};

absl::Status ReadCandidates(EvaluationUnit& unit, const access::Caller& caller,
                            const JuryName& name, CandidateFacts& facts) {
  facts = {};
  ASSIGN_OR_RETURN(facts.feed_position, unit.FeedPosition());
  ASSIGN_OR_RETURN(facts.jury, unit.juries().Get(caller.scope, name));
  const CohortName cohort = facts.jury.cohort();
  ASSIGN_OR_RETURN(facts.plan, unit.plans().Get(caller.scope, PlanOf(cohort)));
  ASSIGN_OR_RETURN(const std::vector<RosterEntry> roster,
                   unit.RosterOf(caller.scope, cohort));
  for (const RosterEntry& one : roster) facts.roster[one.enrolment] = one;
  ASSIGN_OR_RETURN(const std::vector<ValidationNote> notes,
                   unit.NotesOf(caller.scope, cohort));
  for (const ValidationNote& one : notes) facts.notes[one.enrolment] = one;
  ASSIGN_OR_RETURN(const std::vector<NoteVersion> versions,
                   unit.VersionsOf(caller.scope, cohort));
  for (const NoteVersion& one : versions) facts.versions[one.name] = one;
  ASSIGN_OR_RETURN(const std::vector<NoteReader> readers,
                   unit.ReadersOf(caller.scope, cohort));
  for (const NoteReader& one : readers) {
    if (one.reported) ++facts.reports[one.note()];
  }
  ASSIGN_OR_RETURN(facts.conflicts, unit.ConflictsOf(caller.scope, cohort));
  ASSIGN_OR_RETURN(const std::vector<Result> results,
                   unit.ResultsOf(caller.scope, cohort));
  for (const Result& one : results) facts.results[one.enrolment] = one;
  ASSIGN_OR_RETURN(const std::vector<Decision> decisions,
                   unit.DecisionsOf(caller.scope, name));
  for (const Decision& one : decisions) {
    facts.decisions[one.enrolment] = one.name;
  }
  return absl::OkStatus();
}

JuryCandidate CandidateOf(const CandidateFacts& facts,
                          const EnrolmentName& enrolment) {
  JuryCandidate candidate;
  candidate.learner.enrolment = enrolment;
  if (const auto found = facts.roster.find(enrolment);
      found != facts.roster.end()) {
    candidate.learner = found->second;
  }
  if (const auto found = facts.notes.find(enrolment);
      found != facts.notes.end()) {
    candidate.note = found->second;
    const auto version = facts.versions.find(
        VersionOf(found->second.name, found->second.final_version));
    if (version != facts.versions.end()) {
      candidate.final_version = version->second;
    }
    if (const auto reports = facts.reports.find(found->second.name);
        reports != facts.reports.end()) {
      candidate.report_count = reports->second;
    }
  }
  for (const Conflict& conflict : facts.conflicts) {
    const bool sits = std::any_of(
        facts.jury.members.begin(), facts.jury.members.end(),
        [&](const JuryMember& m) { return m.person == conflict.person; });
    if (sits && conflict.enrolment == enrolment) {
      candidate.conflicted_members.push_back(conflict.person);
    }
  }
  if (const auto found = facts.decisions.find(enrolment);
      found != facts.decisions.end()) {
    candidate.decision = found->second;
  }
  if (const auto found = facts.results.find(enrolment);
      found != facts.results.end() &&
      found->second.decision != candidate.decision) {
    candidate.earlier_decision = found->second.decision;
  }
  return candidate;
}

}  // namespace

absl::StatusOr<Conflict> DeclareConflict(EvaluationStore& store,
                                         const access::Caller& caller,
                                         const CohortName& cohort,
                                         Conflict conflict) {
  RETURN_IF_ERROR(CheckSelf(caller, conflict.person.text()));
  conflict.name =
      ChildName<ConflictName>(cohort, "conflicts", NewUuidV7(caller.now));
  return ChangeResource<Conflict>(
      store, caller, &EvaluationUnit::conflicts,
      [&](EvaluationUnit& unit) -> absl::StatusOr<Conflict> {
        RETURN_IF_ERROR(LockPlan(unit, caller, cohort).status());
        ASSIGN_OR_RETURN(const std::optional<RosterEntry> learner,
                         unit.roster().Find(caller.scope,
                                            RosterEntryOf(conflict.enrolment)));
        FieldViolations violations;
        if (!learner.has_value() ||
            conflict.enrolment.Under<CohortName>() != cohort) {
          violations.Add("conflict.enrolment", Reason::kUnknownReference);
        }
        if (conflict.person.body() != cohort.body()) {
          violations.Add("conflict.person", Reason::kUnknownReference);
        }
        RETURN_IF_ERROR(violations.ToStatus());
        ASSIGN_OR_RETURN(
            const std::vector<Conflict> known,
            unit.ConflictsAbout(caller.scope.Whole(), conflict.enrolment));
        for (const Conflict& one : known) {
          if (one.person == conflict.person) {
            return MakeError(Reason::kAlreadyExists,
                             {{"resource", one.name.text()}});
          }
        }
        unit.conflicts().Insert(conflict);
        return conflict;
      });
}

absl::StatusOr<Jury> CreateJury(EvaluationStore& store,
                                const access::Caller& caller, Jury jury) {
  return ChangeResource<Jury>(
      store, caller, &EvaluationUnit::juries,
      [&](EvaluationUnit& unit) -> absl::StatusOr<Jury> {
        ASSIGN_OR_RETURN(const AssessmentPlan plan,
                         LockPlan(unit, caller, jury.cohort()));
        RETURN_IF_ERROR(CheckJuryRequired(plan));
        RETURN_IF_ERROR(CheckMembers(jury, plan));
        RETURN_IF_ERROR(CheckMembersNotErased(unit, jury));
        Jury convened = jury;
        RETURN_IF_ERROR(InsertNew(unit.juries(), caller, convened));
        return convened;
      });
}

absl::StatusOr<Jury> UpdateJury(EvaluationStore& store,
                                const access::Caller& caller,
                                const JuryName& name,
                                const std::function<absl::Status(Jury&)>& apply,
                                const std::string& etag) {
  return ApplyTransition<Jury>(
      store, caller, &EvaluationUnit::juries, name, etag,
      [&](EvaluationUnit& unit, Jury& jury) -> absl::Status {
        RETURN_IF_ERROR(CheckConvened(jury, "UpdateJury"));
        ASSIGN_OR_RETURN(const AssessmentPlan plan,
                         unit.plans().Get(caller.scope, PlanOf(jury.cohort())));
        RETURN_IF_ERROR(apply(jury));
        RETURN_IF_ERROR(CheckMembers(jury, plan));
        return CheckMembersNotErased(unit, jury);
      });
}

absl::StatusOr<Jury> OpenJury(EvaluationStore& store, EnrolmentPort& enrolments,
                              const access::Caller& member,
                              const JuryName& name,
                              const std::vector<PersonName>& present,
                              const std::string& etag) {
  ASSIGN_OR_RETURN(const access::Caller caller,
                   WithinBody(store, member, &EvaluationUnit::juries, name));
  ASSIGN_OR_RETURN(const JuryState state, StateOf(store, caller, name));
  const CohortName cohort = name.Under<CohortName>();
  FactsByEnrolment facts;
  if (state == JuryState::kConvened) {
    ASSIGN_OR_RETURN(facts, AskOwner(enrolments, caller, cohort));
  }
  return ChangeResource<Jury>(
      store, caller, &EvaluationUnit::juries,
      [&](EvaluationUnit& unit) -> absl::StatusOr<Jury> {
        ASSIGN_OR_RETURN(const AssessmentPlan plan,
                         LockPlan(unit, caller, cohort));
        ASSIGN_OR_RETURN(Jury jury, unit.juries().Lock(caller.scope, name));
        RETURN_IF_ERROR(CheckEtag(etag, name.text(), jury.version));
        ASSIGN_OR_RETURN(const std::optional<Jury> sitting,
                         unit.OpenJuryOf(caller.scope, cohort));
        if (sitting.has_value()) {
          return MakeError(Reason::kIllegalTransition,
                           {{"resource", sitting->name.text()},
                            {"state", std::string(NameOf(sitting->state))},
                            {"action", "OpenJury"}});
        }
        ASSIGN_OR_RETURN(const std::vector<Result> results,
                         unit.ResultsOf(caller.scope, cohort));
        std::map<EnrolmentName, Result> by_enrolment;
        for (const Result& result : results) {
          by_enrolment[result.enrolment] = result;
        }
        std::vector<EnrolmentName> candidates;
        for (const auto& [enrolment, one] : facts) {
          const auto result = by_enrolment.find(enrolment);
          const bool awaits =
              result == by_enrolment.end() || AwaitsJury(result->second);
          if (awaits && MayBeAssessed(one.state)) {
            candidates.push_back(enrolment);
          }
          RETURN_IF_ERROR(AddToRoster(unit, caller, one));
        }
        RETURN_IF_ERROR(OpenSession(jury, plan, present, std::move(candidates),
                                    caller.now));
        unit.juries().Update(jury);
        return jury;
      });
}

absl::StatusOr<Page<JuryCandidate>> ListJuryCandidates(
    EvaluationStore& store, SchedulingPort* scheduling,
    const access::Caller& member, const JuryName& name,
    const PageRequest& page) {
  ASSIGN_OR_RETURN(const access::Caller caller,
                   WithinBody(store, member, &EvaluationUnit::juries, name));
  CandidateFacts facts;
  RETURN_IF_ERROR(store.View(caller, [&](EvaluationUnit& unit) -> absl::Status {
    return ReadCandidates(unit, caller, name, facts);
  }));
  if (facts.jury.state == JuryState::kConvened) {
    return CheckSits(facts.jury, "ListJuryCandidates");
  }
  std::map<EnrolmentName, AttendanceFigures> attendance;
  if (scheduling != nullptr) {
    const absl::StatusOr<std::vector<AttendanceFigures>> listed =
        scheduling->ListAttendance(caller, facts.jury.cohort());
    if (listed.ok()) {
      for (const AttendanceFigures& one : *listed) {
        attendance[one.enrolment] = one;
      }
    }
  }
  std::vector<EnrolmentName> candidates = facts.jury.candidates;
  std::sort(candidates.begin(), candidates.end());
  Page<JuryCandidate> listed;
  listed.feed_position = facts.feed_position;
  for (const EnrolmentName& enrolment : candidates) {
    if (enrolment.text() <= page.after_key) continue;
    if (static_cast<int>(listed.items.size()) == page.size) {
      listed.next_key = listed.items.back().learner.enrolment.text();
      break;
    }
    JuryCandidate candidate = CandidateOf(facts, enrolment);
    if (const auto found = attendance.find(enrolment);
        found != attendance.end()) {
      candidate.attendance = found->second;
      candidate.below_attendance_floor = BelowFloor(found->second, facts.plan);
    }
    listed.items.push_back(std::move(candidate));
  }
  return listed;
}

absl::StatusOr<Decision> RecordDecision(EvaluationStore& store,
                                        EnrolmentPort& enrolments,
                                        const access::Caller& member,
                                        const JuryName& jury_name,
                                        Decision decision) {
  ASSIGN_OR_RETURN(
      const access::Caller caller,
      WithinBody(store, member, &EvaluationUnit::juries, jury_name));
  if (decision.enrolment.Under<CohortName>() != jury_name.Under<CohortName>()) {
    return MakeFieldError("decision.enrolment", Reason::kUnknownReference);
  }
  ASSIGN_OR_RETURN(const JuryState state, StateOf(store, caller, jury_name));
  decision.name = DecisionOf(jury_name, decision.enrolment);
  absl::Status award = absl::OkStatus();
  if (state == JuryState::kOpen &&
      decision.outcome == DecisionOutcome::kAwarded) {
    FactsByEnrolment facts;
    const absl::StatusOr<EnrolmentFacts> asked =
        enrolments.GetEnrolment(caller, decision.enrolment);
    if (asked.ok()) {
      facts.emplace(decision.enrolment, *asked);
    } else if (asked.status().code() != absl::StatusCode::kNotFound) {
      return asked.status();
    }
    award = CheckMayBeAwarded(facts, decision.enrolment);
  }
  return ChangeResource<Decision>(
      store, caller, &EvaluationUnit::decisions,
      [&](EvaluationUnit& unit) -> absl::StatusOr<Decision> {
        ASSIGN_OR_RETURN(const AssessmentPlan plan,
                         LockPlan(unit, caller, jury_name.Under<CohortName>()));
        ASSIGN_OR_RETURN(const Jury jury,
                         unit.juries().Lock(caller.scope, jury_name));
        RETURN_IF_ERROR(CheckSits(jury, "RecordDecision"));
        RETURN_IF_ERROR(CheckDecision(decision, plan));
        RETURN_IF_ERROR(CheckBeforeJury(unit, caller, jury, decision));
        RETURN_IF_ERROR(award);
        if (decision.outcome == DecisionOutcome::kAwarded) {
          RETURN_IF_ERROR(
              CheckHasFinalNote(unit, caller, plan, decision.enrolment));
        }
        ASSIGN_OR_RETURN(const std::vector<Conflict> conflicts,
                         unit.ConflictsAbout(caller.scope, decision.enrolment));
        Decision recorded = decision;
        // All who are before a jury are on the roster since it opened.
        ASSIGN_OR_RETURN(
            const RosterEntry candidate,
            unit.roster().Get(caller.scope, RosterEntryOf(decision.enrolment)));
        recorded.person = candidate.person;
        RETURN_IF_ERROR(CheckNotErased(unit, {recorded.person}));
        RETURN_IF_ERROR(SettleDecidingMembers(jury, conflicts, recorded));
        recorded.reason_salt = crypto::RandomHex(16);
        recorded.decide_time = caller.now;
        ASSIGN_OR_RETURN(const std::optional<Decision> known,
                         unit.decisions().Find(caller.scope, recorded.name));
        if (known.has_value()) {
          recorded.version = known->version;
          recorded.create_time = known->create_time;
          unit.decisions().Update(recorded);
        } else {
          unit.decisions().Insert(recorded);
        }
        return recorded;
      });
}

absl::StatusOr<Minutes> CloseMinutes(EvaluationStore& store,
                                     EnrolmentPort& enrolments,
                                     const access::Caller& member,
                                     const JuryName& name,
                                     const std::string& etag) {
  ASSIGN_OR_RETURN(const access::Caller caller,
                   WithinBody(store, member, &EvaluationUnit::juries, name));
  ASSIGN_OR_RETURN(const JuryState state, StateOf(store, caller, name));
  const CohortName cohort = name.Under<CohortName>();
  FactsByEnrolment facts;
  if (state == JuryState::kOpen) {
    ASSIGN_OR_RETURN(facts, AskOwner(enrolments, caller, cohort));
  }
  return ChangeResource<Minutes>(
      store, caller, &EvaluationUnit::minutes,
      [&](EvaluationUnit& unit) -> absl::StatusOr<Minutes> {
        ASSIGN_OR_RETURN(const AssessmentPlan plan,
                         LockPlan(unit, caller, cohort));
        ASSIGN_OR_RETURN(Jury jury, unit.juries().Lock(caller.scope, name));
        RETURN_IF_ERROR(CheckSits(jury, "CloseMinutes"));
        RETURN_IF_ERROR(CheckEtag(etag, name.text(), jury.version));
        ASSIGN_OR_RETURN(const std::vector<Decision> decisions,
                         unit.DecisionsOf(caller.scope, name));
        ASSIGN_OR_RETURN(const FactsByEnrolment named,
                         WithoutErased(unit, facts));
        std::vector<EnrolmentName> undecided = jury.candidates;
        for (const Decision& decision : decisions) {
          std::erase(undecided, decision.enrolment);
          if (decision.outcome != DecisionOutcome::kAwarded) continue;
          RETURN_IF_ERROR(CheckMayBeAwarded(facts, decision.enrolment));
          RETURN_IF_ERROR(CheckMandate(plan, ParisDay(caller.now)));
        }
        std::vector<EnrolmentName> departed;
        for (const EnrolmentName& enrolment : undecided) {
          if (!CheckMayBeAwarded(named, enrolment).ok() ||
              named.at(enrolment).display_name.empty()) {
            departed.push_back(enrolment);
          }
        }
        ASSIGN_OR_RETURN(const std::vector<MinutesCandidate> candidates,
                         DescribeCandidates(unit, caller, cohort, named));
        const BodyName body = name.Under<BodyName>();
        ASSIGN_OR_RETURN(const int64_t position,
                         unit.NextInSeries(body, Series::kMinutes, 0));
        ASSIGN_OR_RETURN(const std::optional<Minutes> previous,
                         unit.LastMinutes(caller.scope, body));
        ASSIGN_OR_RETURN(
            Minutes minutes,
            CloseSession(jury,
                         {.plan = plan,
                          .decisions = decisions,
                          .candidates = candidates,
                          .departed = departed,
                          .position = position,
                          .previous_digest =
                              previous.has_value() ? previous->digest : "",
                          .now = caller.now}));
        unit.juries().Update(jury);
        unit.minutes().Insert(minutes);
        for (const Decision& decision : decisions) {
          RETURN_IF_ERROR(TakeEffect(unit, caller, plan, named, decision));
        }
        return minutes;
      });
}

absl::StatusOr<MinutesVerification> VerifyMinutes(EvaluationStore& store,
                                                  const access::Caller& caller,
                                                  const BodyName& body,
                                                  int64_t position,
                                                  const std::string& digest) {
  RETURN_IF_ERROR(CheckWithin(caller, body.text()));
  MinutesVerification verification;
  RETURN_IF_ERROR(store.View(caller, [&](EvaluationUnit& unit) -> absl::Status {
    verification = {};
    ASSIGN_OR_RETURN(const std::vector<Minutes> chain,
                     unit.MinutesOfBody(caller.scope, body));
    const auto broken_at = [&verification](int64_t where) {
      if (verification.intact) verification.first_broken_position = where;
      verification.intact = false;
    };
    std::string previous;
    for (const Minutes& minutes : chain) {
      ++verification.length;
      ASSIGN_OR_RETURN(const std::vector<Decision> decisions,
                       unit.DecisionsOf(caller.scope, minutes.jury()));
      const bool kept = position == verification.length && !digest.empty();
      if (minutes.position != verification.length ||
          minutes.previous_digest != previous ||
          DigestOf(minutes, decisions) != minutes.digest ||
          (kept && minutes.digest != digest)) {
        broken_at(verification.length);
      }
      previous = minutes.digest;
    }
    // A chain that was cut short is broken after its end.
    if (position > verification.length) broken_at(verification.length + 1);
    return absl::OkStatus();
  }));
  return verification;
}

absl::StatusOr<JuryPack> GetJuryPack(EvaluationStore& store,
                                     const access::Caller& caller,
                                     const JuryName& name) {
  JuryPack pack;
  RETURN_IF_ERROR(store.View(caller, [&](EvaluationUnit& unit) -> absl::Status {
    pack = {};
    ASSIGN_OR_RETURN(const Jury jury, unit.juries().Get(caller.scope, name));
    if (jury.state != JuryState::kClosed) {
      return MakeError(Reason::kIllegalTransition,
                       {{"resource", jury.name.text()},
                        {"state", std::string(NameOf(jury.state))},
                        {"action", "GetJuryPack"}});
    }
    ASSIGN_OR_RETURN(pack.minutes,
                     unit.minutes().Get(caller.scope, MinutesOf(name)));
    ASSIGN_OR_RETURN(const std::vector<Decision> decisions,
                     unit.DecisionsOf(caller.scope, name));
    for (const Decision& decision : decisions) {
      if (decision.outcome != DecisionOutcome::kAwarded ||
          !decision.corrected_by.empty()) {
        continue;
      }
      JuryPackEntry entry{.decision = decision,
                          .result = {},
                          .certificate = std::nullopt,
                          .note_sha256 = ""};
      ASSIGN_OR_RETURN(
          entry.result,
          unit.results().Get(caller.scope, ResultOf(decision.enrolment)));
      if (!entry.result.certificate.empty()) {
        ASSIGN_OR_RETURN(
            entry.certificate,
            unit.certificates().Find(caller.scope, entry.result.certificate));
      }
      ASSIGN_OR_RETURN(
          const std::optional<ValidationNote> note,
          unit.notes().Find(caller.scope, NoteOf(decision.enrolment)));
      if (note.has_value() && note->final_version > 0) {
        ASSIGN_OR_RETURN(
            const std::optional<NoteVersion> version,
            unit.versions().Find(caller.scope,
                                 VersionOf(note->name, note->final_version)));
        if (version.has_value()) entry.note_sha256 = version->sha256;
      }
      pack.entries.push_back(std::move(entry));
    }
    return absl::OkStatus();
  }));
  return pack;
}

}  // namespace parcours::evaluation
