#include "services/enrolment/rpc/programme_rpc.h"

#include <optional>
#include <string>

#include "common/rpc/update_mask.h"
#include "common/status/error.h"
#include "common/status/macros.h"
#include "common/types/etag.h"
#include "common/types/record.h"
#include "services/enrolment/domain/external_ids.h"
#include "services/enrolment/domain/programme_use_cases.h"
#include "services/enrolment/rpc/convert.h"

namespace parcours::enrolment {
namespace {

Mode ModeOf(bool validate_only) {
  return validate_only ? Mode::kValidateOnly : Mode::kCommit;
}

cache::ReadOptions ReadOptionsOf(const access::Caller& caller) {
  return {.deadline = caller.deadline,
          .known_position = caller.known_position.value_or(0)};
}

// The update of a resource that `message` asks for: the stored one with the
// fields of the mask written over, in the contract's form.
template <typename Resource, typename Request, typename Message,
          typename ToMessage>
Update<Resource> UpdateOf(const Request& request, const Message& message,
                          ToMessage to_message) {
  return {.name = Repository<Resource>::Name::FromRecord(message.name()),
          .apply =
              [&request, &message, to_message](Resource& resource) {
                Message merged;
                if (resource.version > 0) merged = to_message(resource);
                RETURN_IF_ERROR(
                    rpc::MergeMasked(request.update_mask(), message, merged));
                Read(merged, resource);
                return absl::OkStatus();
              },
          .etag = message.etag(),
          .allow_missing = request.allow_missing(),
          .mode = ModeOf(request.validate_only())};
}

}  // namespace

std::string EncodeProgramme(const AnsweredProgramme& programme) {
  const grpc::Slice& encoded = programme.answer.encoded();
  return {reinterpret_cast<const char*>(encoded.begin()), encoded.size()};
}

std::optional<AnsweredProgramme> DecodeProgramme(std::string_view bytes) {
  pb::Programme programme;
  if (!programme.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) {
    return std::nullopt;
  }
  const std::optional<int64_t> version = VersionOf(programme.etag());
  if (!version.has_value()) return std::nullopt;
  return AnsweredProgramme{.answer = rpc::KeptAnswer(std::move(programme)),
                           .version = *version};
}

absl::StatusOr<pb::Body> ProgrammeRpc::CreateBody(
    const rpc::CallContext& call, const pb::CreateBodyRequest& request) {
  Body body;
  ASSIGN_OR_RETURN(
      body.name,
      BodyName::Parse(
          (BodyName::FromRecord("bodies/" + request.body_id())).text(),
          "body_id"));
  Read(request.body(), body);
  ASSIGN_OR_RETURN(
      const Body created,
      enrolment::CreateBody(dependencies_.store, call.caller, std::move(body),
                            ModeOf(request.validate_only())));
  return ToProto(created);
}

absl::StatusOr<pb::Body> ProgrammeRpc::GetBody(
    const rpc::CallContext& call, const pb::GetBodyRequest& request) {
  ASSIGN_OR_RETURN(const Body found,
                   GetResource<Body>(dependencies_.store, call.caller,
                                     &EnrolmentUnit::bodies,
                                     BodyName::FromRecord(request.name())));
  return ToProto(found);
}

absl::StatusOr<pb::ListBodiesResponse> ProgrammeRpc::ListBodies(
    const rpc::CallContext& call, const pb::ListBodiesRequest& request) {
  ASSIGN_OR_RETURN(const PageRequest page,
                   dependencies_.page_tokens.Read(request));
  ASSIGN_OR_RETURN(const Page<Body> found,
                   ListResources<Body>(dependencies_.store, call.caller,
                                       &EnrolmentUnit::bodies, "", page));
  return PageResponse<pb::ListBodiesResponse>(
      dependencies_, request, found, [](auto& response, const Body& item) {
        *response.add_bodies() = ToProto(item);
      });
}

absl::StatusOr<pb::Body> ProgrammeRpc::UpdateBody(
    const rpc::CallContext& call, const pb::UpdateBodyRequest& request) {
  ASSIGN_OR_RETURN(
      const Body updated,
      enrolment::UpdateBody(
          dependencies_.store, call.caller,
          UpdateOf<Body>(request, request.body(),
                         [](const Body& stored) { return ToProto(stored); })));
  return ToProto(updated);
}

absl::StatusOr<pb::Programme> ProgrammeRpc::CreateProgramme(
    const rpc::CallContext& call, const pb::CreateProgrammeRequest& request) {
  Programme programme;
  ASSIGN_OR_RETURN(
      programme.name,
      ProgrammeName::Parse(
          (ChildName<ProgrammeName>(BodyName::FromRecord(request.parent()),
                                    "programmes", request.programme_id()))
              .text(),
          "programme_id"));
  Read(request.programme(), programme);
  ASSIGN_OR_RETURN(const Programme created,
                   enrolment::CreateProgramme(dependencies_.store, call.caller,
                                              std::move(programme),
                                              ModeOf(request.validate_only())));
  return ToProto(created);
}

std::shared_ptr<const rpc::KeptAnswer<pb::Programme>>
ProgrammeRpc::GetProgrammeFromMemory(const rpc::CallContext& call,
                                     const pb::GetProgrammeRequest& request) {
  const ProgrammeCache::Pointer found =
      programmes_.TryMemory(request.name(), ReadOptionsOf(call.caller));
  if (found == nullptr ||
      !call.caller.scope.Covers(
          ProgrammeName::FromRecord(request.name()).body())) {
    return nullptr;
  }
  return {found, &found->answer};
}

absl::StatusOr<pb::Programme> ProgrammeRpc::GetProgramme(
    const rpc::CallContext& call, const pb::GetProgrammeRequest& request) {
  const ProgrammeName name = ProgrammeName::FromRecord(request.name());
  if (!call.caller.scope.Covers(name.body())) {
    return MakeError(Reason::kPermissionDenied);
  }
  // What is cached depends on nobody: the scope was checked above.
  access::Caller reader = call.caller;
  reader.scope = access::Scope::Installation();
  const auto load = [&]() -> absl::StatusOr<AnsweredProgramme> {
    ASSIGN_OR_RETURN(const Programme programme,
                     GetResource<Programme>(dependencies_.store, reader,
                                            &EnrolmentUnit::programmes, name));
    return AnsweredProgramme{.answer = rpc::KeptAnswer(ToProto(programme)),
                             .version = programme.version};
  };
  const absl::StatusOr<ProgrammeCache::Pointer> found =
      programmes_.Get(request.name(), load, ReadOptionsOf(call.caller));
  if (ReasonOf(found.status()) == Reason::kNotFound &&
      !call.caller.scope.is_full()) {
    return MakeError(Reason::kPermissionDenied);
  }
  RETURN_IF_ERROR(found.status());
  return (*found)->answer.message();
}

absl::StatusOr<pb::ListProgrammesResponse> ProgrammeRpc::ListProgrammes(
    const rpc::CallContext& call, const pb::ListProgrammesRequest& request) {
  ASSIGN_OR_RETURN(const PageRequest page,
                   dependencies_.page_tokens.Read(request));
  ASSIGN_OR_RETURN(const Page<Programme> found,
                   ListOfBody<Programme>(dependencies_.store, call.caller,
                                         &EnrolmentUnit::programmes,
                                         BodyName::FromRecord(request.parent()),
                                         /*external_id=*/std::nullopt, page));
  return PageResponse<pb::ListProgrammesResponse>(
      dependencies_, request, found, [](auto& response, const Programme& item) {
        *response.add_programmes() = ToProto(item);
      });
}

absl::StatusOr<pb::Programme> ProgrammeRpc::UpdateProgramme(
    const rpc::CallContext& call, const pb::UpdateProgrammeRequest& request) {
  ASSIGN_OR_RETURN(const Programme updated,
                   enrolment::UpdateProgramme(
                       dependencies_.store, call.caller,
                       UpdateOf<Programme>(request, request.programme(),
                                           [](const Programme& stored) {
                                             return ToProto(stored);
                                           })));
  return ToProto(updated);
}

absl::StatusOr<pb::Cohort> ProgrammeRpc::CreateCohort(
    const rpc::CallContext& call, const pb::CreateCohortRequest& request) {
  Cohort cohort;
  ASSIGN_OR_RETURN(
      cohort.name,
      CohortName::Parse(
          (ChildName<CohortName>(BodyName::FromRecord(request.parent()),
                                 "cohorts", request.cohort_id()))
              .text(),
          "cohort_id"));
  Read(request.cohort(), cohort);
  ASSIGN_OR_RETURN(const Cohort created,
                   enrolment::CreateCohort(dependencies_.store, call.caller,
                                           std::move(cohort),
                                           ModeOf(request.validate_only())));
  return ToProto(CohortView{.cohort = created});
}

absl::StatusOr<pb::Cohort> ProgrammeRpc::GetCohort(
    const rpc::CallContext& call, const pb::GetCohortRequest& request) {
  ASSIGN_OR_RETURN(
      const CohortView view,
      enrolment::GetCohort(dependencies_.store, call.caller,
                           CohortName::FromRecord(request.name())));
  return ToProto(view);
}

absl::StatusOr<pb::ListCohortsResponse> ProgrammeRpc::ListCohorts(
    const rpc::CallContext& call, const pb::ListCohortsRequest& request) {
  ASSIGN_OR_RETURN(const PageRequest page,
                   dependencies_.page_tokens.Read(request));
  ASSIGN_OR_RETURN(
      const Page<CohortView> found,
      enrolment::ListCohorts(dependencies_.store, call.caller,
                             BodyName::FromRecord(request.parent()), page));
  return PageResponse<pb::ListCohortsResponse>(
      dependencies_, request, found,
      [](auto& response, const CohortView& item) {
        *response.add_cohorts() = ToProto(item);
      });
}

absl::StatusOr<pb::Cohort> ProgrammeRpc::UpdateCohort(
    const rpc::CallContext& call, const pb::UpdateCohortRequest& request) {
  ASSIGN_OR_RETURN(
      const Cohort cohort,
      enrolment::UpdateCohort(
          dependencies_.store, dependencies_.rules, call.caller,
          UpdateOf<Cohort>(request, request.cohort(), [](const Cohort& stored) {
            return ToProto(CohortView{.cohort = stored});
          })));
  return Viewed(call.caller, cohort);
}

absl::StatusOr<pb::Cohort> ProgrammeRpc::Viewed(const access::Caller& caller,
                                                const Cohort& cohort) {
  ASSIGN_OR_RETURN(const PlaceCounts counts,
                   CountPlacesOf(dependencies_.store, caller, cohort.name));
  return ToProto(CohortView{.cohort = cohort, .counts = counts});
}

absl::StatusOr<pb::Cohort> ProgrammeRpc::OpenCohort(
    const rpc::CallContext& call, const pb::OpenCohortRequest& request) {
  ASSIGN_OR_RETURN(const Cohort cohort,
                   enrolment::OpenCohort(
                       dependencies_.store, dependencies_.rules, call.caller,
                       CohortName::FromRecord(request.name()), request.etag()));
  return Viewed(call.caller, cohort);
}

absl::StatusOr<pb::Cohort> ProgrammeRpc::DecideCohort(
    const rpc::CallContext& call, const pb::DecideCohortRequest& request) {
  ASSIGN_OR_RETURN(
      const Cohort cohort,
      enrolment::DecideCohort(
          dependencies_.store, dependencies_.rules, call.caller,
          CohortName::FromRecord(request.name()), FromProto(request.decision()),
          {.decider = request.decider(), .reason = request.reason()},
          request.etag()));
  return Viewed(call.caller, cohort);
}

absl::StatusOr<pb::GoNoGo> ProgrammeRpc::GetGoNoGo(
    const rpc::CallContext& call, const pb::GetGoNoGoRequest& request) {
  ASSIGN_OR_RETURN(
      const GoNoGo go_no_go,
      enrolment::GetGoNoGo(dependencies_.store, call.caller,
                           CohortName::FromRecord(request.name())));
  return ToProto(go_no_go);
}

}  // namespace parcours::enrolment
