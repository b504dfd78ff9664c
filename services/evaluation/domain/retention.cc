#include "services/evaluation/domain/retention.h"

#include <optional>
#include <string>
#include <utility>

#include "common/privacy/retention_period.h"
#include "common/status/macros.h"
#include "common/time/clock.h"
#include "services/evaluation/domain/erasure.h"

namespace parcours::evaluation {
namespace {

using privacy::RetentionClass;

constexpr int kMost = 500;

// All that came before this is due.
absl::Time Before(const rules::DatedRule& rule, absl::CivilDay today) {
  return ParisMidnight(privacy::FirstStartKept(rule, today));
}

struct Due {
  std::vector<RetentionClass> classes;
  // What the first class is about.
  std::vector<Result> results;
  // And the second.
  std::vector<Appeal> appeals;
};

absl::StatusOr<Due> FindDue(EvaluationUnit& unit, const rules::RuleBook& rules,
                            const access::Caller& caller,
                            const BodyName& body) {
  const absl::CivilDay today = ParisDay(caller.now);
  ASSIGN_OR_RETURN(const rules::DatedRule note_rule,
                   rules.AsOf("retention.validation_note", today));
  ASSIGN_OR_RETURN(const rules::DatedRule appeal_rule,
                   rules.AsOf("retention.appeal", today));
  Due due;
  RetentionClass notes{.kind = "validation_note",
                       .description_fr = "Fichiers des notes de validation",
                       .rule = note_rule,
                       .starts_fr = "après le résultat",
                       .due = {}};
  ASSIGN_OR_RETURN(std::vector<Result> results,
                   unit.ResultsWithNoteFiles(caller.scope, body,
                                             Before(note_rule, today), kMost));
  for (Result& result : results) {
    if (!IsOverdue(result, note_rule, caller.now)) continue;
    ASSIGN_OR_RETURN(const std::optional<Appeal> waiting,
                     unit.OpenAppealAgainst(caller.scope, result.decision));
    if (waiting.has_value()) continue;
    notes.due.push_back(NoteOf(result.enrolment).text());
    due.results.push_back(std::move(result));
  }
  RetentionClass texts{.kind = "appeal",
                       .description_fr = "Exposé des recours et réponses",
                       .rule = appeal_rule,
                       .starts_fr = "après la réponse",
                       .due = {}};
  ASSIGN_OR_RETURN(std::vector<Appeal> appeals,
                   unit.AppealsWithTexts(caller.scope, body,
                                         Before(appeal_rule, today), kMost));
  for (Appeal& appeal : appeals) {
    if (!IsOverdue(appeal, appeal_rule, caller.now)) continue;
    texts.due.push_back(appeal.name.text());
    due.appeals.push_back(std::move(appeal));
  }
  due.classes.push_back(std::move(notes));
  due.classes.push_back(std::move(texts));
  return due;
}

absl::Status RemoveFiles(EvaluationUnit& unit, const access::Caller& caller,
                         const Result& result) {
  const NoteName note = NoteOf(result.enrolment);
  RETURN_IF_ERROR(unit.notes().Lock(caller.scope, note).status());
  ASSIGN_OR_RETURN(const std::vector<NoteVersion> versions,
                   unit.VersionsOf(caller.scope, note));
  RETURN_IF_ERROR(unit.ExpireFiles(result.person, versions));
  for (NoteVersion version : versions) {
    if (version.object_id.empty()) continue;
    version.object_id.clear();
    unit.versions().Update(version);
  }
  return absl::OkStatus();
}

absl::Status RemoveTexts(EvaluationUnit& unit, const access::Caller& caller,
                         const AppealName& name) {
  ASSIGN_OR_RETURN(Appeal appeal, unit.appeals().Lock(caller.scope, name));
  Erase(appeal);
  unit.appeals().Update(appeal);
  return absl::OkStatus();
}

}  // namespace

bool IsOverdue(const Result& result, const rules::DatedRule& rule,
               absl::Time now) {
  return privacy::IsOverdue(ParisDay(result.proclaim_time), rule,
                            ParisDay(now));
}

bool IsOverdue(const Appeal& appeal, const rules::DatedRule& rule,
               absl::Time now) {
  return appeal.answer_time.has_value() &&
         privacy::IsOverdue(ParisDay(*appeal.answer_time), rule, ParisDay(now));
}

absl::StatusOr<std::vector<RetentionClass>> DueIn(EvaluationStore& store,
                                                  const rules::RuleBook& rules,
                                                  const access::Caller& caller,
                                                  const BodyName& body) {
  RETURN_IF_ERROR(CheckWithin(caller, body.text()));
  std::vector<RetentionClass> classes;
  RETURN_IF_ERROR(store.View(caller, [&](EvaluationUnit& unit) -> absl::Status {
    ASSIGN_OR_RETURN(Due due, FindDue(unit, rules, caller, body));
    classes = std::move(due.classes);
    return absl::OkStatus();
  }));
  return classes;
}

absl::StatusOr<std::vector<RetentionClass>> RemoveDue(
    EvaluationStore& store, const rules::RuleBook& rules,
    const access::Caller& caller, const BodyName& body,
    absl::FunctionRef<absl::Status(const std::vector<RetentionClass>&)> check) {
  RETURN_IF_ERROR(CheckWithin(caller, body.text()));
  std::vector<RetentionClass> removed;
  const auto remove = [&](EvaluationUnit& unit) -> absl::StatusOr<std::string> {
    ASSIGN_OR_RETURN(Due due, FindDue(unit, rules, caller, body));
    RETURN_IF_ERROR(check(due.classes));
    for (const Result& result : due.results) {
      RETURN_IF_ERROR(RemoveFiles(unit, caller, result));
    }
    for (const Appeal& appeal : due.appeals) {
      RETURN_IF_ERROR(RemoveTexts(unit, caller, appeal.name));
    }
    removed = std::move(due.classes);
    return body.text();
  };
  ASSIGN_OR_RETURN(const ChangeOutcome outcome, store.Change(caller, remove));
  if (outcome.replayed) return DueIn(store, rules, caller, body);
  return removed;
}

}  // namespace parcours::evaluation
