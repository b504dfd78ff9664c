#include "services/evaluation/domain/result_use_cases.h"

#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "common/status/error.h"
#include "common/status/macros.h"
#include "common/types/record.h"
#include "services/evaluation/domain/erasure.h"

namespace parcours::evaluation {

absl::StatusOr<int64_t> CompleteWithoutJury(EvaluationStore& store,
                                            EnrolmentPort& enrolments,
                                            const access::Caller& caller,
                                            const CohortName& cohort) {
  ASSIGN_OR_RETURN(const AssessmentPlan plan,
                   GetResource<AssessmentPlan>(
                       store, caller, &EvaluationUnit::plans, PlanOf(cohort)));
  if (plan.jury_required) {
    return MakeError(Reason::kIllegalTransition,
                     {{"resource", plan.name.text()},
                      {"state", "JURY_REQUIRED"},
                      {"action", "CompleteWithoutJury"}});
  }
  ASSIGN_OR_RETURN(const std::vector<EnrolmentFacts> facts,
                   enrolments.ListEnrolments(caller, cohort));
  RETURN_IF_ERROR(
      store
          .Change(caller,
                  [&](EvaluationUnit& unit) -> absl::StatusOr<std::string> {
                    RETURN_IF_ERROR(
                        unit.plans().Lock(caller.scope, plan.name).status());
                    std::vector<PersonName> persons;
                    for (const EnrolmentFacts& one : facts) {
                      persons.push_back(one.person);
                    }
                    ASSIGN_OR_RETURN(const std::set<PersonName> erased,
                                     unit.ErasedAmong(persons));
                    for (const EnrolmentFacts& one : facts) {
                      if (one.state != EnrolmentState::kCompleted) continue;
                      Result result = CompletedResult(one, caller.now);
                      if (erased.contains(result.person)) Erase(result);
                      ASSIGN_OR_RETURN(
                          const std::optional<Result> known,
                          unit.results().Find(caller.scope, result.name));
                      if (!known.has_value()) unit.results().Insert(result);
                    }
                    return plan.name.text();
                  })
          .status());
  int64_t count = 0;
  RETURN_IF_ERROR(store.View(caller, [&](EvaluationUnit& unit) -> absl::Status {
    ASSIGN_OR_RETURN(const std::vector<Result> results,
                     unit.ResultsOf(caller.scope, cohort));
    count = static_cast<int64_t>(results.size());
    return absl::OkStatus();
  }));
  return count;
}

absl::StatusOr<Appeal> LodgeAppeal(EvaluationStore& store,
                                   const rules::RuleBook& rules,
                                   const access::Caller& caller,
                                   const CohortName& cohort, Appeal appeal) {
  appeal.name = ChildName<AppealName>(cohort, "appeals", NewUuidV7(caller.now));
  if (appeal.decision.Under<CohortName>() != cohort) {
    return MakeFieldError("appeal.decision", Reason::kUnknownReference);
  }
  return ChangeResource<Appeal>(
      store, caller, &EvaluationUnit::appeals,
      [&](EvaluationUnit& unit) -> absl::StatusOr<Appeal> {
        RETURN_IF_ERROR(
            unit.plans().Lock(caller.scope, PlanOf(cohort)).status());
        const ResultName result_name =
            ChildName<ResultName>(cohort, "results", appeal.decision.id());
        ASSIGN_OR_RETURN(const std::optional<Result> result,
                         unit.results().Find(caller.scope, result_name));
        RETURN_IF_ERROR(
            CheckAppeal(appeal, result.value_or(Result{}), rules, caller.now));
        ASSIGN_OR_RETURN(const std::optional<Appeal> open,
                         unit.OpenAppealAgainst(caller.scope, appeal.decision));
        if (open.has_value()) {
          return MakeError(Reason::kIllegalTransition,
                           {{"resource", open->name.text()},
                            {"state", std::string(NameOf(open->state))},
                            {"action", "LodgeAppeal"}});
        }
        Appeal lodged = appeal;
        lodged.enrolment = result->enrolment;
        lodged.person = result->person;
        unit.appeals().Insert(lodged);
        return lodged;
      });
}

absl::StatusOr<Appeal> AnswerAppeal(EvaluationStore& store,
                                    const access::Caller& caller,
                                    const AppealName& name, bool upheld,
                                    const std::string& answer,
                                    const std::string& answered_by,
                                    const std::string& etag) {
  return ApplyTransition<Appeal>(store, caller, &EvaluationUnit::appeals, name,
                                 etag, [&](EvaluationUnit&, Appeal& appeal) {
                                   return AnswerAppeal(appeal, upheld, answer,
                                                       answered_by, caller.now);
                                 });
}

absl::StatusOr<Certificate> VerifyCertificate(EvaluationStore& store,
                                              const access::Caller& caller,
                                              const std::string& number,
                                              const std::string& code) {
  std::optional<Certificate> genuine;
  RETURN_IF_ERROR(store.View(caller, [&](EvaluationUnit& unit) -> absl::Status {
    genuine.reset();
    // Anybody may ask about any body: the code is the permission.
    ASSIGN_OR_RETURN(
        const std::vector<Certificate> numbered,
        unit.CertificatesByNumber(access::Scope::Installation(), number));
    for (const Certificate& certificate : numbered) {
      if (CodeMatches(certificate, code)) genuine = certificate;
    }
    return absl::OkStatus();
  }));
  if (!genuine.has_value()) return MakeError(Reason::kPermissionDenied);
  return *std::move(genuine);
}

absl::StatusOr<Certificate> ReissueCertificate(
    EvaluationStore& store, EnrolmentPort& enrolments,
    const access::Caller& caller, const CertificateName& name, ReissueKind kind,
    const std::string& reason, const std::string& etag) {
  ASSIGN_OR_RETURN(const Certificate certificate,
                   GetResource<Certificate>(
                       store, caller, &EvaluationUnit::certificates, name));
  std::string holder = certificate.holder_display_name;
  if (kind == ReissueKind::kNameChange) {
    ASSIGN_OR_RETURN(const EnrolmentFacts facts,
                     enrolments.GetEnrolment(caller, certificate.enrolment));
    // The certificate keeps the name that it has.
    if (facts.display_name.empty()) return MakeError(Reason::kPersonErased);
    holder = facts.display_name;
  }
  return ApplyTransition<Certificate>(
      store, caller, &EvaluationUnit::certificates, name, etag,
      [&](EvaluationUnit&, Certificate& reissued) {
        return Reissue(reissued, kind, holder, reason);
      });
}

absl::StatusOr<Certificate> RecordCertifierNumber(EvaluationStore& store,
                                                  const access::Caller& caller,
                                                  const CertificateName& name,
                                                  const std::string& number,
                                                  const std::string& etag) {
  return ApplyTransition<Certificate>(
      store, caller, &EvaluationUnit::certificates, name, etag,
      [&](EvaluationUnit& unit, Certificate& certificate) -> absl::Status {
        RETURN_IF_ERROR(RecordNumber(certificate, number));
        ASSIGN_OR_RETURN(
            const std::vector<Certificate> numbered,
            unit.CertificatesByNumber(
                access::Scope::Body(certificate.name.body()), number));
        if (!numbered.empty()) {
          return MakeError(Reason::kAlreadyExists, {{"resource", number}});
        }
        return absl::OkStatus();
      });
}

}  // namespace parcours::evaluation
