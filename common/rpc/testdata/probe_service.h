#ifndef PARCOURS_COMMON_RPC_TESTDATA_PROBE_SERVICE_H_
#define PARCOURS_COMMON_RPC_TESTDATA_PROBE_SERVICE_H_

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/clock.h"
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

// A source that the test speaks through. Says "ready" first.
class Speaker {
 public:
  // The stream's next piece: `text`, which "refuse" and "throw" make an error.
  void Say(std::string text) {
    std::vector<WakeStream> wakes;
    {
      const std::lock_guard lock(mutex_);
      said_.push_back(std::move(text));
      wakes = wakes_;
    }
    for (const WakeStream& wake : wakes) wake();
  }
  // Whenever a stream asks, there is a next piece, of so many bytes.
  void SayEndlessly(std::size_t bytes) {
    endless_ = bytes;
    Say("endless");
  }
  // The tick of streams that have nothing to say.
  void set_tick(absl::Duration tick) {
    const std::lock_guard lock(mutex_);
    tick_ = tick;
  }
  int open() const { return open_; }
  int asked() const { return asked_; }

 private:
  friend class SpokenPieces;

  std::atomic<int> open_ = 0;
  std::atomic<int> asked_ = 0;
  std::atomic<std::size_t> endless_ = 0;
  std::mutex mutex_;  // guards what follows
  std::vector<std::string> said_;
  std::vector<WakeStream> wakes_;
  absl::Duration tick_ = absl::InfiniteDuration();
};

class SpokenPieces final : public PieceSource<probe::ProbeResponse> {
 public:
  SpokenPieces(Speaker& speaker, WakeStream wake) : speaker_(speaker) {
    ++speaker_.open_;
    const std::lock_guard lock(speaker_.mutex_);
    speaker_.wakes_.push_back(std::move(wake));
  }
  ~SpokenPieces() override { --speaker_.open_; }

  absl::StatusOr<std::optional<probe::ProbeResponse>> Next(
      absl::Time& look_again) override {
    ++speaker_.asked_;
    probe::ProbeResponse piece;
    if (!ready_) {
      ready_ = true;
      piece.set_text("ready");
      return piece;
    }
    if (speaker_.endless_ > 0) {
      piece.set_text(std::string(speaker_.endless_, 'x'));
      return piece;
    }
    const std::lock_guard lock(speaker_.mutex_);
    if (next_ < speaker_.said_.size()) {
      piece.set_text(speaker_.said_[next_++]);
      if (piece.text() == "refuse") return MakeError(Reason::kNoJury);
      if (piece.text() == "throw") throw std::runtime_error("private words");
      return piece;
    }
    if (speaker_.tick_ == absl::InfiniteDuration()) return std::nullopt;
    if (last_ + speaker_.tick_ <= absl::Now()) {
      last_ = absl::Now();
      piece.set_text("tick");
      return piece;
    }
    look_again = last_ + speaker_.tick_;
    return std::nullopt;
  }

 private:
  Speaker& speaker_;
  bool ready_ = false;
  std::size_t next_ = 0;
  absl::Time last_ = absl::Now();
};

class ProbeRpc final
    : public ServiceOf<probe::ProbeService,
                       probe::ProbeService::WithRawCallbackMethod_GetThing<
                           probe::ProbeService::CallbackService>> {
 public:
  explicit ProbeRpc(Shell& shell) : ServiceOf(shell) {}

  PARCOURS_RPC(Probe, probe::ProbeRequest, probe::ProbeResponse)
  PARCOURS_RPC(Submit, probe::ProbeRequest, probe::ProbeResponse)
  PARCOURS_RPC_FROM_MEMORY(GetThing, probe::GetThingRequest, probe::Thing)
  PARCOURS_SERVER_STREAM_RPC(Follow, probe::ProbeRequest, probe::ProbeResponse)
  PARCOURS_CLIENT_STREAM_RPC(Send, probe::Chunk, probe::SendResponse)

  Gate& gate() { return gate_; }
  Speaker& speaker() { return speaker_; }
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

  std::shared_ptr<const KeptAnswer<probe::Thing>> GetThingFromMemory(
      const CallContext&, const probe::GetThingRequest& request) {
    if (request.name() == "bodies/opale/things/throw") {
      throw std::runtime_error("private words");
    }
    if (request.name() != "bodies/opale/things/hot") return nullptr;
    probe::Thing thing;
    thing.set_name(request.name());
    thing.set_title("from memory");
    thing.set_remark("for some");
    return std::make_shared<KeptAnswer<probe::Thing>>(std::move(thing));
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

  absl::StatusOr<std::unique_ptr<PieceSource<probe::ProbeResponse>>> Follow(
      const CallContext&, const probe::ProbeRequest& request, WakeStream wake) {
    if (request.text() == "refuse") return MakeError(Reason::kNoJury);
    return std::make_unique<SpokenPieces>(speaker_, std::move(wake));
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
  Speaker speaker_;
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
