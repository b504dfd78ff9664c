#include "services/evaluation/rpc/jury_rpc.h"

#include <string>
#include <vector>

#include "common/rpc/convert.h"
#include "common/rpc/update_mask.h"
#include "common/status/macros.h"
#include "common/text/view.h"
#include "common/types/record.h"
#include "services/evaluation/domain/jury_use_cases.h"
#include "services/evaluation/rpc/convert.h"

namespace parcours::evaluation {

absl::StatusOr<pb::Conflict> JuryRpc::DeclareConflict(
    const rpc::CallContext& call, const pb::DeclareConflictRequest& request) {
  ASSIGN_OR_RETURN(const CohortName cohort,
                   CohortName::Parse(request.parent(), "parent"));
  Conflict conflict;
  ASSIGN_OR_RETURN(
      conflict.person,
      PersonName::Parse(request.conflict().person(), "conflict.person"));
  ASSIGN_OR_RETURN(conflict.enrolment,
                   EnrolmentName::Parse(request.conflict().enrolment(),
                                        "conflict.enrolment"));
  conflict.category =
      rpc::EnumFromProto<ConflictCategory>(request.conflict().category());
  ASSIGN_OR_RETURN(const Conflict declared,
                   evaluation::DeclareConflict(dependencies_.store, call.caller,
                                               cohort, std::move(conflict)));
  return ToProto(declared);
}

absl::StatusOr<pb::ListConflictsResponse> JuryRpc::ListConflicts(
    const rpc::CallContext& call, const pb::ListConflictsRequest& request) {
  ASSIGN_OR_RETURN(const CohortName cohort,
                   CohortName::Parse(request.parent(), "parent"));
  ASSIGN_OR_RETURN(const PageRequest page,
                   dependencies_.page_tokens.Read(request));
  ASSIGN_OR_RETURN(
      const Page<Conflict> found,
      ListResources<Conflict>(dependencies_.store, call.caller,
                              &EvaluationUnit::conflicts, cohort.text(), page));
  return PageResponse<pb::ListConflictsResponse>(
      dependencies_, request, found, [](auto& response, const Conflict& item) {
        *response.add_conflicts() = ToProto(item);
      });
}

absl::StatusOr<pb::Jury> JuryRpc::CreateJury(
    const rpc::CallContext& call, const pb::CreateJuryRequest& request) {
  ASSIGN_OR_RETURN(const CohortName cohort,
                   CohortName::Parse(request.parent(), "parent"));
  Jury jury;
  jury.name =
      ChildName<JuryName>(cohort, "juries",
                          request.jury_id().empty() ? NewUuidV7(call.caller.now)
                                                    : request.jury_id());
  RETURN_IF_ERROR(Read(request.jury(), jury));
  ASSIGN_OR_RETURN(const Jury created,
                   evaluation::CreateJury(dependencies_.store, call.caller,
                                          std::move(jury)));
  return ToProto(created);
}

absl::StatusOr<pb::Jury> JuryRpc::GetJury(const rpc::CallContext& call,
                                          const pb::GetJuryRequest& request) {
  ASSIGN_OR_RETURN(const JuryName name, JuryName::Parse(request.name()));
  ASSIGN_OR_RETURN(const Jury jury,
                   GetResource<Jury>(dependencies_.store, call.caller,
                                     &EvaluationUnit::juries, name));
  return ToProto(jury);
}

absl::StatusOr<pb::ListJuriesResponse> JuryRpc::ListJuries(
    const rpc::CallContext& call, const pb::ListJuriesRequest& request) {
  ASSIGN_OR_RETURN(const CohortName cohort,
                   CohortName::Parse(request.parent(), "parent"));
  ASSIGN_OR_RETURN(const PageRequest page,
                   dependencies_.page_tokens.Read(request));
  ASSIGN_OR_RETURN(
      const Page<Jury> found,
      ListResources<Jury>(dependencies_.store, call.caller,
                          &EvaluationUnit::juries, cohort.text(), page));
  return PageResponse<pb::ListJuriesResponse>(
      dependencies_, request, found, [](auto& response, const Jury& item) {
        *response.add_juries() = ToProto(item);
      });
}

absl::StatusOr<pb::Jury> JuryRpc::UpdateJury(
    const rpc::CallContext& call, const pb::UpdateJuryRequest& request) {
  ASSIGN_OR_RETURN(const JuryName name,
                   JuryName::Parse(request.jury().name(), "jury.name"));
  ASSIGN_OR_RETURN(const Jury jury,
                   evaluation::UpdateJury(
                       dependencies_.store, call.caller, name,
                       [&](Jury& stored) -> absl::Status {
                         pb::Jury merged = ToProto(stored);
                         RETURN_IF_ERROR(rpc::MergeMasked(
                             request.update_mask(), request.jury(), merged));
                         return Read(merged, stored);
                       },
                       request.jury().etag()));
  return ToProto(jury);
}

absl::StatusOr<pb::Jury> JuryRpc::OpenJury(const rpc::CallContext& call,
                                           const pb::OpenJuryRequest& request) {
  ASSIGN_OR_RETURN(const JuryName name, JuryName::Parse(request.name()));
  std::vector<PersonName> present;
  for (int i = 0; i < request.present_members_size(); ++i) {
    ASSIGN_OR_RETURN(PersonName person,
                     PersonName::Parse(request.present_members(i),
                                       Cat("present_members[", i, "]")));
    present.push_back(std::move(person));
  }
  ASSIGN_OR_RETURN(
      const Jury jury,
      evaluation::OpenJury(dependencies_.store, dependencies_.enrolments,
                           call.caller, name, present, request.etag()));
  return ToProto(jury);
}

absl::StatusOr<pb::ListJuryCandidatesResponse> JuryRpc::ListJuryCandidates(
    const rpc::CallContext& call,
    const pb::ListJuryCandidatesRequest& request) {
  ASSIGN_OR_RETURN(const JuryName jury,
                   JuryName::Parse(request.parent(), "parent"));
  ASSIGN_OR_RETURN(const PageRequest page,
                   dependencies_.page_tokens.Read(request));
  ASSIGN_OR_RETURN(const Page<JuryCandidate> found,
                   evaluation::ListJuryCandidates(dependencies_.store,
                                                  dependencies_.scheduling,
                                                  call.caller, jury, page));
  return PageResponse<pb::ListJuryCandidatesResponse>(
      dependencies_, request, found,
      [](auto& response, const JuryCandidate& item) {
        *response.add_candidates() = ToProto(item);
      });
}

absl::StatusOr<pb::Decision> JuryRpc::RecordDecision(
    const rpc::CallContext& call, const pb::RecordDecisionRequest& request) {
  ASSIGN_OR_RETURN(const JuryName jury,
                   JuryName::Parse(request.parent(), "parent"));
  ASSIGN_OR_RETURN(Decision decision, FromProto(request.decision()));
  ASSIGN_OR_RETURN(
      const Decision recorded,
      evaluation::RecordDecision(dependencies_.store, dependencies_.enrolments,
                                 call.caller, jury, std::move(decision)));
  return ToProto(recorded);
}

absl::StatusOr<pb::Decision> JuryRpc::GetDecision(
    const rpc::CallContext& call, const pb::GetDecisionRequest& request) {
  ASSIGN_OR_RETURN(const DecisionName name,
                   DecisionName::Parse(request.name()));
  ASSIGN_OR_RETURN(const Decision decision,
                   GetResource<Decision>(dependencies_.store, call.caller,
                                         &EvaluationUnit::decisions, name));
  return ToProto(decision);
}

absl::StatusOr<pb::ListDecisionsResponse> JuryRpc::ListDecisions(
    const rpc::CallContext& call, const pb::ListDecisionsRequest& request) {
  ASSIGN_OR_RETURN(const JuryName jury,
                   JuryName::Parse(request.parent(), "parent"));
  ASSIGN_OR_RETURN(const PageRequest page,
                   dependencies_.page_tokens.Read(request));
  ASSIGN_OR_RETURN(
      const Page<Decision> found,
      ListResources<Decision>(dependencies_.store, call.caller,
                              &EvaluationUnit::decisions, jury.text(), page));
  return PageResponse<pb::ListDecisionsResponse>(
      dependencies_, request, found, [](auto& response, const Decision& item) {
        *response.add_decisions() = ToProto(item);
      });
}

absl::StatusOr<pb::Minutes> JuryRpc::CloseMinutes(
    const rpc::CallContext& call, const pb::CloseMinutesRequest& request) {
  ASSIGN_OR_RETURN(const JuryName name, JuryName::Parse(request.name()));
  ASSIGN_OR_RETURN(
      const Minutes minutes,
      evaluation::CloseMinutes(dependencies_.store, dependencies_.enrolments,
                               call.caller, name, request.etag()));
  return ToProto(minutes);
}

absl::StatusOr<pb::Minutes> JuryRpc::GetMinutes(
    const rpc::CallContext& call, const pb::GetMinutesRequest& request) {
  ASSIGN_OR_RETURN(const MinutesName name, MinutesName::Parse(request.name()));
  ASSIGN_OR_RETURN(const Minutes minutes,
                   GetResource<Minutes>(dependencies_.store, call.caller,
                                        &EvaluationUnit::minutes, name));
  return ToProto(minutes);
}

absl::StatusOr<pb::VerifyMinutesResponse> JuryRpc::VerifyMinutes(
    const rpc::CallContext& call, const pb::VerifyMinutesRequest& request) {
  ASSIGN_OR_RETURN(const BodyName body,
                   BodyName::Parse(request.parent(), "parent"));
  ASSIGN_OR_RETURN(
      const MinutesVerification verification,
      evaluation::VerifyMinutes(dependencies_.store, call.caller, body,
                                request.position(), request.digest()));
  pb::VerifyMinutesResponse response;
  response.set_intact(verification.intact);
  response.set_length(verification.length);
  response.set_first_broken_position(verification.first_broken_position);
  return response;
}

absl::StatusOr<pb::JuryPack> JuryRpc::GetJuryPack(
    const rpc::CallContext& call, const pb::GetJuryPackRequest& request) {
  ASSIGN_OR_RETURN(const JuryName name, JuryName::Parse(request.name()));
  ASSIGN_OR_RETURN(
      const JuryPack pack,
      evaluation::GetJuryPack(dependencies_.store, call.caller, name));
  return ToProto(name, pack);
}

}  // namespace parcours::evaluation
