#ifndef PARCOURS_COMMON_RPC_TESTDATA_PROBE_SERVICE_H_
#define PARCOURS_COMMON_RPC_TESTDATA_PROBE_SERVICE_H_

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>

#include "absl/status/statusor.h"
#include "common/rpc/shell.h"
#include "common/rpc/testdata/gate.h"
#include "common/rpc/testdata/probe.grpc.pb.h"
#include "common/status/error.h"

namespace parcours::rpc {

namespace probe = ::parcours::testdata::v1;

class Receiver final : public ChunkReceiver<probe::Chunk, probe::SendResponse> {
 public:
  explicit Receiver(std::atomic<int>& destroyed) : destroyed_(destroyed) {}
  ~Receiver() override { ++destroyed_; }

  absl::Status Consume(const probe::Chunk& chunk) override {
    if (chunk.data() == "refuse") return MakeError(Reason::kUploadEmpty);
    if (chunk.data() == "throw") throw std::runtime_error("private words");
    response_.set_size(response_.size() +
                       static_cast<int64_t>(chunk.data().size()));
    response_.set_chunks(response_.chunks() + 1);
    return absl::OkStatus();
  }

  absl::StatusOr<probe::SendResponse> Finish() override {
    if (response_.chunks() == 0) return MakeError(Reason::kUploadEmpty);
    return response_;
  }

 private:
  probe::SendResponse response_;
  std::atomic<int>& destroyed_;
};

class ProbeRpc final : public ServiceOf<probe::ProbeService> {
 public:
  explicit ProbeRpc(Shell& shell) : ServiceOf(shell) {}

  PARCOURS_RPC(Probe, probe::ProbeRequest, probe::ProbeResponse)
  PARCOURS_RPC(Submit, probe::ProbeRequest, probe::ProbeResponse)
  PARCOURS_RPC_FROM_MEMORY(GetThing, probe::GetThingRequest, probe::Thing)
  PARCOURS_CLIENT_STREAM_RPC(Send, probe::Chunk, probe::SendResponse)

  Gate& gate() { return gate_; }
  int runs() const { return runs_; }
  int receivers_destroyed() const { return receivers_destroyed_; }

 private:
  absl::StatusOr<probe::ProbeResponse> Probe(
      const CallContext& call, const probe::ProbeRequest& request) {
    ++runs_;
    if (request.text() == "wait") gate_.Pass();
    if (request.text() == "throw") throw std::runtime_error("private words");
    if (request.text() == "throw an int") throw 7;
    if (request.text() == "leak") return absl::InternalError("private words");
    if (request.text() == "refuse") return MakeError(Reason::kNoJury);
    if (request.text() == "flaky" && runs_ % 2 == 1) {
      return MakeError(Reason::kDatabaseUnavailable);
    }
    probe::ProbeResponse response;
    response.set_text(request.text());
    response.set_subject(call.caller.principal.subject);
    response.set_request_id(call.caller.request_id);
    response.set_request_digest(call.caller.request_digest);
    response.set_method(call.caller.method);
    response.set_full_scope(call.caller.scope.is_full());
    response.mutable_deadline()->set_seconds(
        absl::ToUnixSeconds(call.caller.deadline));
    response.set_trace_id(call.caller.trace_id);
    return response;
  }

  absl::StatusOr<probe::ProbeResponse> Submit(
      const CallContext& call, const probe::ProbeRequest& request) {
    return Probe(call, request);
  }

  std::optional<absl::StatusOr<probe::Thing>> GetThingFromMemory(
      const CallContext&, const probe::GetThingRequest& request) {
    if (request.name() == "bodies/opale/things/throw") {
      throw std::runtime_error("private words");
    }
    if (request.name() != "bodies/opale/things/hot") return std::nullopt;
    probe::Thing thing;
    thing.set_name(request.name());
    thing.set_title("from memory");
    thing.set_remark("for some");
    return thing;
  }

  absl::StatusOr<probe::Thing> GetThing(const CallContext&,
                                        const probe::GetThingRequest& request) {
    ++runs_;
    if (request.name() == "bodies/opale/things/flaky" && runs_ % 2 == 1) {
      return MakeError(Reason::kDatabaseUnavailable);
    }
    if (request.name() != "bodies/opale/things/cold" &&
        request.name() != "bodies/opale/things/flaky") {
      return MakeError(Reason::kNotFound, {{"resource", request.name()}});
    }
    probe::Thing thing;
    thing.set_name(request.name());
    thing.set_title("from the record");
    thing.set_remark("for some");
    thing.mutable_parent_thing()->set_remark("for some");
    return thing;
  }

  absl::StatusOr<
      std::unique_ptr<ChunkReceiver<probe::Chunk, probe::SendResponse>>>
  Send(const CallContext& call) {
    if (!call.caller.scope.is_full()) {
      return MakeError(Reason::kPermissionDenied);
    }
    return std::make_unique<Receiver>(receivers_destroyed_);
  }

  Gate gate_;
  std::atomic<int> runs_ = 0;
  std::atomic<int> receivers_destroyed_ = 0;
};

class UnguardedRpc final : public ServiceOf<probe::UnguardedService> {
 public:
  explicit UnguardedRpc(Shell& shell) : ServiceOf(shell) {}
  PARCOURS_RPC(Open, probe::ProbeRequest, probe::ProbeResponse)

 private:
  absl::StatusOr<probe::ProbeResponse> Open(const CallContext&,
                                            const probe::ProbeRequest&) {
    return probe::ProbeResponse();
  }
};

}  // namespace parcours::rpc

#endif  // PARCOURS_COMMON_RPC_TESTDATA_PROBE_SERVICE_H_
