#ifndef PARCOURS_COMMON_RPC_SHELL_H_
#define PARCOURS_COMMON_RPC_SHELL_H_

#include <atomic>
#include <chrono>
#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <type_traits>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "common/rpc/call_context.h"
#include "common/rpc/identity.h"
#include "common/rpc/kept_answer.h"
#include "common/rpc/quota.h"
#include "common/rpc/read_journal.h"
#include "common/rpc/service_method.h"
#include "common/rpc/trace.h"
#include "common/rpc/worker_pool.h"
#include "common/status/error.h"
#include "common/telemetry/metrics.h"
#include "common/time/clock.h"
#include "google/protobuf/message.h"
#include "grpcpp/impl/codegen/proto_utils.h"
#include "grpcpp/impl/service_type.h"
#include "grpcpp/server_context.h"
#include "grpcpp/support/byte_buffer.h"
#include "grpcpp/support/server_callback.h"
#include "grpcpp/support/slice.h"

namespace parcours::rpc {

// The host part of whoever is at the other end: "127.0.0.1", "::1", or "unix".
std::string PeerHost(const grpc::CallbackServerContext& context);

struct ShellOptions {
  // Business time of the calls. Required; outlives the shell.
  const BusinessClock* clock = nullptr;
  // Required; outlives the shell.
  telemetry::Metrics* metrics = nullptr;
  // Key of the digests of requests: at least 16 secret bytes, the same after a
  // restart, since digests are compared with stored ones.
  std::string digest_key;

  // Budget of a call whose client sent no deadline, and the most that any
  // deadline is worth.
  absl::Duration default_budget = absl::Seconds(10);
  absl::Duration max_budget = absl::Seconds(60);
  // The same for a stream of chunks, and how long one chunk may take to come.
  absl::Duration stream_budget = absl::Minutes(10);
  absl::Duration stall_timeout = absl::Seconds(30);

  // How long a stream of pieces lasts at most; then it ends with OK. And the
  // most of them that are open at a time.
  absl::Duration piece_stream_life = absl::Minutes(10);
  int max_piece_streams = 2000;

  WorkerPool::Options workers;
  // Most reads and writes that run or wait at a time. Submissions are limited
  // by their queue alone.
  int max_in_flight = 512;
  // Full names of the methods of class kSubmission.
  std::vector<std::string> submissions;
  // What an overloaded shell asks callers to wait.
  absl::Duration retry_after = absl::Seconds(1);

  // Required.
  Identify identify;
  // The position of this service's change feed in the token that a call carries
  // as `parcours-feed-token`; null where calls carry none.
  std::function<absl::StatusOr<std::optional<int64_t>>(std::string_view token)>
      known_position;
  // Makes `clock` follow other processes that move business time, before a call
  // begins its work; null where there are none.
  std::function<absl::Status(absl::Time deadline)> follow_time;
  // From where a call comes, as quotas count it.
  std::function<std::string(const grpc::CallbackServerContext&)> address_of =
      PeerHost;
  // Both outlive the shell; null for none.
  Quota* quota = nullptr;
  ReadJournal* read_journal = nullptr;
};

// A client's stream of chunks, as a service's code receives it: one object for
// each call, called by one worker at a time and in order. Destroyed without
// Finish when the stream ends in any other way.
template <typename Chunk, typename Response>
class ChunkReceiver {
 public:
  virtual ~ChunkReceiver() = default;
  // An error ends the stream.
  virtual absl::Status Consume(const Chunk& chunk) = 0;
  // The client has sent everything.
  virtual absl::StatusOr<Response> Finish() = 0;
};

// A stream of pieces to a client, as a service's code sends it: one object for
// each call, asked by one worker at a time. Destroyed when the stream ends, on
// any thread.
template <typename Piece>
class PieceSource {
 public:
  virtual ~PieceSource() = default;
  // The next piece, asked for when the client has taken the last. Nothing when
  // there is none now: then it is asked again once it is woken, and about
  // `look_again` (real time), which it may set, without. An error ends the
  // stream.
  virtual absl::StatusOr<std::optional<Piece>> Next(absl::Time& look_again) = 0;
  // Whether there is a last piece. Then nothing from Next, with `look_again`
  // left alone, ends the stream with OK; and a stream that has not come to its
  // end within its life ends with DEADLINE_EXCEEDED.
  virtual bool has_end() const { return false; }
};

// Wakes the stream that it was given with: its source has something to say.
// Never waits, may be called from any thread, also after the stream has ended.
using WakeStream = std::function<void()>;

// What every call passes through, in this order. Outermost: metrics, access
// log, mapping and masking of errors. Then trace, deadline, identity, quota,
// role and scope, admission, worker; on the worker: deadline again, validation
// without look-up, the service's code, the journal of reads, and last the
// fields that the caller may not read are taken out. An answer from memory is
// given in between, in gRPC's own thread, after role and scope: it needs
// neither pool nor validation, because a malformed request finds nothing there.
//
// The access log has a line for every call at info, except for OK answers from
// memory, which have one at debug: writing it would cost more than the answer.
//
// Thread-safe. Outlives the server that calls it.
class Shell {
 public:
  explicit Shell(ShellOptions options);
  ~Shell();
  Shell(const Shell&) = delete;
  Shell& operator=(const Shell&) = delete;

  const ShellOptions& options() const { return options_; }

  // The method as the contract describes it; kept as long as the shell.
  const ServiceMethod& MethodOf(std::string_view service,
                                std::string_view method);

  // New calls are refused from now on with DRAINING, and streams of pieces end
  // with it.
  void BeginDrain();
  // Waits until no call runs, streams of pieces not counted, or `deadline`
  // (real time) has passed; true when none runs, nor a service's code for a
  // stream.
  bool WaitUntilIdle(absl::Time deadline);
  int in_flight() const { return in_flight_.load(std::memory_order_acquire); }

  // Answers one call by `use`, a function of (const CallContext&, const
  // Request&) to absl::StatusOr<Response>, on a worker.
  template <typename Request, typename Response, typename Use>
  grpc::ServerUnaryReactor* Unary(const ServiceMethod& method,
                                  grpc::CallbackServerContext* context,
                                  const Request* request, Response* response,
                                  Use use);

  // Unary that first asks `from_memory`, a function of the same arguments to
  // std::shared_ptr<const KeptAnswer<Response>>, null for none, which must not
  // block. It sees the request before validation and without request_id, and
  // its answer stands in no journal: not for methods whose reads are audited.
  // The method is one of bytes, so that an answer that hides nothing is sent as
  // it is kept.
  template <typename Request, typename Response, typename FromMemory,
            typename Use>
  grpc::ServerUnaryReactor* UnaryFromMemory(
      const ServiceMethod& method, grpc::CallbackServerContext* context,
      const grpc::ByteBuffer* request, grpc::ByteBuffer* response,
      FromMemory from_memory, Use use);

  // Receives a stream by the object that `open`, a function of (const
  // CallContext&) to absl::StatusOr<std::unique_ptr<ChunkReceiver<Chunk,
  // Response>>>, returns; `open` runs on a worker. Each chunk is validated.
  template <typename Chunk, typename Response, typename Open>
  grpc::ServerReadReactor<Chunk>* ClientStream(
      const ServiceMethod& method, grpc::CallbackServerContext* context,
      Response* response, Open open);

  // Sends a stream of the pieces of the source that `open`, a function of
  // (const CallContext&, const Request&, WakeStream) to
  // absl::StatusOr<std::unique_ptr<PieceSource<Piece>>>, returns; `open` runs
  // on a worker. A stream that waits, for its source or its reader, holds none,
  // and keeps no more than the piece that is being sent. A reader that takes
  // nothing for `stall_timeout` is cut off.
  template <typename Request, typename Piece, typename Open>
  grpc::ServerWriteReactor<Piece>* ServerStream(
      const ServiceMethod& method, grpc::CallbackServerContext* context,
      const Request* request, Open open);

 private:
  // One call in progress, up to the moment it is answered.
  struct Call {
    const ServiceMethod* method = nullptr;
    grpc::CallbackServerContext* context = nullptr;
    std::chrono::steady_clock::time_point start;
    std::string trace_id;
    std::string traceparent;
    bool admitted = false;
    bool from_memory = false;
  };

  template <typename Response, typename Held, typename Use, typename Deliver>
  class UnaryWork;
  template <typename Chunk, typename Response, typename Open>
  class StreamCall;
  template <typename Request, typename Piece, typename Open>
  class PieceStream;

  // A stream that the watch looks at for deadline and stall.
  class WatchedStream {
   public:
    virtual ~WatchedStream() = default;
    virtual void Watch(absl::Time now) = 0;
    // The server drains.
    virtual void Drain() {}
  };

  // What Unary and UnaryFromMemory have in common. `request` points to the
  // request and may own it; `from_memory` answers the call or returns false;
  // `deliver` takes the answer of `use`.
  template <typename Response, typename Held, typename FromMemory, typename Use,
            typename Deliver>
  grpc::ServerUnaryReactor* Answer(const ServiceMethod& method,
                                   grpc::CallbackServerContext* context,
                                   Held request, FromMemory from_memory,
                                   Use use, Deliver deliver);

  Call Begin(const ServiceMethod& method, grpc::CallbackServerContext& context);
  // Deadline, identity, quota, role and scope.
  absl::StatusOr<CallContext> Admissible(const Call& call,
                                         absl::Duration default_budget,
                                         absl::Duration max_budget);
  absl::Status RefuseWhenDraining();
  bool draining() const { return draining_.load(std::memory_order_acquire); }
  absl::Status DrainingError() const;
  absl::Status CountStreamIn(const Call& call);
  // Counts the call in. Its item is taken, under `key` as in HotKey, or an
  // error is returned.
  absl::Status Admit(Call& call, std::unique_ptr<WorkItem>& item,
                     std::string key);
  absl::Status CountIn(Call& call);
  void CountOut(Call& call);
  absl::Status Overloaded(const Call& call);
  // Whether somebody still waits for the answer; then business time is that of
  // now.
  absl::Status StillWanted(CallContext& context, bool client_gone);
  absl::Status Validate(
      const ServiceMethod& method, const google::protobuf::Message& request,
      CallContext& context,
      std::unique_ptr<google::protobuf::Message>& normalised) const;
  // What is between the service's answer and the caller: the journal of reads,
  // and the fields they may not read. Names that are `journalled` already, of
  // the piece before, are not kept again.
  absl::Status Release(
      const ServiceMethod& method, const CallContext& context,
      const google::protobuf::Message& request,
      google::protobuf::Message& answer,
      std::optional<std::vector<std::string>>* journalled = nullptr) const;
  // Records the call and makes the status to finish it with.
  grpc::Status End(Call& call, const absl::Status& status);

  void Watch(std::weak_ptr<WatchedStream> stream);
  std::vector<std::shared_ptr<WatchedStream>> OpenStreams();
  void RunWatch();

  // Runs `function` and turns what it throws into an error to be masked.
  template <typename Function>
  static auto Guarded(Function function) -> decltype(function()) {
    try {
      return function();
    } catch (const std::exception& error) {
      return absl::InternalError(error.what());
    } catch (...) {
      return absl::InternalError("an exception of an unknown type");
    }
  }

  const ShellOptions options_;
  telemetry::Gauge in_flight_gauge_;
  telemetry::Counter rejected_full_;
  telemetry::Counter rejected_draining_;
  telemetry::Counter expired_in_queue_;
  std::atomic<bool> draining_ = false;
  std::atomic<int> in_flight_ = 0;
  std::atomic<int> in_flight_limited_ = 0;
  std::atomic<int> piece_streams_ = 0;
  // Of them, those whose source is asked now.
  std::atomic<int> asked_streams_ = 0;

  absl::Mutex mutex_;
  std::vector<std::unique_ptr<const ServiceMethod>> methods_
      ABSL_GUARDED_BY(mutex_);
  std::vector<std::weak_ptr<WatchedStream>> streams_ ABSL_GUARDED_BY(mutex_);
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;

  std::unique_ptr<WorkerPool> pool_;
  std::thread watch_;
};

// Base of a service's implementation: `S` is the generated service class.
// Every rpc of the service is one line and one function:
//
//   class EnrolmentRpc final : public rpc::ServiceOf<pb::EnrolmentService> {
//    public:
//     explicit EnrolmentRpc(rpc::Shell& shell) : ServiceOf(shell) {}
//     PARCOURS_RPC(SubmitApplication, pb::SubmitApplicationRequest,
//                  pb::Application)
//    private:
//     absl::StatusOr<pb::Application> SubmitApplication(
//         const rpc::CallContext& call,
//         const pb::SubmitApplicationRequest& request);
//   };
class AnyService {
 public:
  virtual ~AnyService() = default;
  virtual grpc::Service& grpc_service() = 0;
  virtual std::string_view full_name() const = 0;
};

// `Base` is S::CallbackService, or that with WithRawCallbackMethod_Name for
// each method of PARCOURS_RPC_FROM_MEMORY.
template <typename S, typename Base = typename S::CallbackService>
class ServiceOf : public Base, public AnyService {
 public:
  grpc::Service& grpc_service() final { return *this; }
  std::string_view full_name() const final { return S::service_full_name(); }

 protected:
  explicit ServiceOf(Shell& shell) : shell_(shell) {}
  Shell& shell_;
};

// Use these inside a class derived from ServiceOf. PARCOURS_RPC calls
//   absl::StatusOr<Response> Name(const CallContext&, const Request&);
// on a worker.
#define PARCOURS_RPC(Name, Request, Response)                                  \
 private:                                                                      \
  const ::parcours::rpc::ServiceMethod& Name##_method_ =                       \
      this->shell_.MethodOf(this->full_name(), #Name);                         \
                                                                               \
 public:                                                                       \
  ::grpc::ServerUnaryReactor* Name(::grpc::CallbackServerContext* context,     \
                                   const Request* request, Response* response) \
      override {                                                               \
    return this->shell_.Unary(                                                 \
        Name##_method_, context, request, response,                            \
        [this](const ::parcours::rpc::CallContext& call,                       \
               const Request& checked) { return this->Name(call, checked); }); \
  }

// The same, asking first, in gRPC's thread,
//   std::shared_ptr<const KeptAnswer<Response>> NameFromMemory(
//       const CallContext&, const Request&);
#define PARCOURS_RPC_FROM_MEMORY(Name, Request, Response)                      \
 private:                                                                      \
  const ::parcours::rpc::ServiceMethod& Name##_method_ =                       \
      this->shell_.MethodOf(this->full_name(), #Name);                         \
                                                                               \
 public:                                                                       \
  ::grpc::ServerUnaryReactor* Name(::grpc::CallbackServerContext* context,     \
                                   const ::grpc::ByteBuffer* request,          \
                                   ::grpc::ByteBuffer* response) override {    \
    return this->shell_.template UnaryFromMemory<Request, Response>(           \
        Name##_method_, context, request, response,                            \
        [this](const ::parcours::rpc::CallContext& call,                       \
               const Request& unchecked) {                                     \
          return this->Name##FromMemory(call, unchecked);                      \
        },                                                                     \
        [this](const ::parcours::rpc::CallContext& call,                       \
               const Request& checked) { return this->Name(call, checked); }); \
  }

// A stream of chunks from the client, received by what
//   absl::StatusOr<std::unique_ptr<rpc::ChunkReceiver<Chunk, Response>>> Name(
//       const CallContext&);
// returns.
#define PARCOURS_CLIENT_STREAM_RPC(Name, Chunk, Response)                    \
 private:                                                                    \
  const ::parcours::rpc::ServiceMethod& Name##_method_ =                     \
      this->shell_.MethodOf(this->full_name(), #Name);                       \
                                                                             \
 public:                                                                     \
  ::grpc::ServerReadReactor<Chunk>* Name(                                    \
      ::grpc::CallbackServerContext* context, Response* response) override { \
    return this->shell_.template ClientStream<Chunk, Response>(              \
        Name##_method_, context, response,                                   \
        [this](const ::parcours::rpc::CallContext& call) {                   \
          return this->Name(call);                                           \
        });                                                                  \
  }

// A stream of pieces to the client, of the source that
//   absl::StatusOr<std::unique_ptr<rpc::PieceSource<Piece>>> Name(
//       const CallContext&, const Request&, rpc::WakeStream wake);
// returns.
#define PARCOURS_SERVER_STREAM_RPC(Name, Request, Piece)                   \
 private:                                                                  \
  const ::parcours::rpc::ServiceMethod& Name##_method_ =                   \
      this->shell_.MethodOf(this->full_name(), #Name);                     \
                                                                           \
 public:                                                                   \
  ::grpc::ServerWriteReactor<Piece>* Name(                                 \
      ::grpc::CallbackServerContext* context, const Request* request)      \
      override {                                                           \
    return this->shell_.template ServerStream<Request, Piece>(             \
        Name##_method_, context, request,                                  \
        [this](const ::parcours::rpc::CallContext& call,                   \
               const Request& checked, ::parcours::rpc::WakeStream wake) { \
          return this->Name(call, checked, std::move(wake));               \
        });                                                                \
  }

// Implementation.

template <typename Response, typename Held, typename Use, typename Deliver>
class Shell::UnaryWork final : public WorkItem {
 public:
  UnaryWork(Shell& shell, Call call, CallContext context, Held request,
            grpc::ServerUnaryReactor* reactor, Use use, Deliver deliver)
      : shell_(shell),
        call_(std::move(call)),
        context_(std::move(context)),
        request_(std::move(request)),
        reactor_(reactor),
        use_(std::move(use)),
        deliver_(std::move(deliver)) {}

  Call& call() { return call_; }

  void Run() override {
    grpc::Status status = shell_.End(call_, Answer());
    reactor_->Finish(std::move(status));
  }

 private:
  using Request =
      std::remove_const_t<typename std::pointer_traits<Held>::element_type>;

  absl::Status Answer() {
    if (absl::Status wanted =
            shell_.StillWanted(context_, call_.context->IsCancelled());
        !wanted.ok()) {
      return wanted;
    }
    std::unique_ptr<google::protobuf::Message> normalised;
    if (absl::Status valid =
            shell_.Validate(*call_.method, *request_, context_, normalised);
        !valid.ok()) {
      return valid;
    }
    const Request& request = normalised == nullptr
                                 ? *request_
                                 : static_cast<const Request&>(*normalised);
    absl::StatusOr<Response> answer = Guarded(
        [&]() -> absl::StatusOr<Response> { return use_(context_, request); });
    if (!answer.ok()) return std::move(answer).status();
    if (absl::Status released =
            shell_.Release(*call_.method, context_, request, *answer);
        !released.ok()) {
      return released;
    }
    deliver_(*std::move(answer));
    return absl::OkStatus();
  }

  Shell& shell_;
  Call call_;
  CallContext context_;
  const Held request_;
  grpc::ServerUnaryReactor* const reactor_;
  Use use_;
  const Deliver deliver_;
};

template <typename Request, typename Response, typename Use>
grpc::ServerUnaryReactor* Shell::Unary(const ServiceMethod& method,
                                       grpc::CallbackServerContext* context,
                                       const Request* request,
                                       Response* response, Use use) {
  return Answer<Response>(
      method, context, request, [](const CallContext&) { return false; },
      std::move(use),
      [response](Response&& answer) { *response = std::move(answer); });
}

template <typename Request, typename Response, typename FromMemory,
          typename Use>
grpc::ServerUnaryReactor* Shell::UnaryFromMemory(
    const ServiceMethod& method, grpc::CallbackServerContext* context,
    const grpc::ByteBuffer* request, grpc::ByteBuffer* response,
    FromMemory from_memory, Use use) {
  auto decoded = std::make_unique<Request>();
  grpc::ByteBuffer bytes = *request;
  if (!grpc::SerializationTraits<Request>::Deserialize(&bytes, decoded.get())
           .ok()) {
    grpc::ServerUnaryReactor* const reactor = context->DefaultReactor();
    Call call = Begin(method, *context);
    reactor->Finish(End(call, MakeError(Reason::kInvalidFields)));
    return reactor;
  }
  const auto encode = [response](const Response& answer) {
    const grpc::Slice encoded(answer.SerializeAsString());
    *response = grpc::ByteBuffer(&encoded, 1);
  };
  const Request& unchecked = *decoded;
  return Answer<Response>(
      method, context, std::unique_ptr<const Request>(std::move(decoded)),
      [&](const CallContext& call) {
        const std::shared_ptr<const KeptAnswer<Response>> kept =
            from_memory(call, unchecked);
        if (kept == nullptr) return false;
        if (method.redaction == nullptr) {
          *response = grpc::ByteBuffer(&kept->encoded(), 1);
        } else {
          Response answer = kept->message();
          method.redaction->Apply(call.caller, answer);
          encode(answer);
        }
        return true;
      },
      std::move(use), encode);
}

template <typename Response, typename Held, typename FromMemory, typename Use,
          typename Deliver>
grpc::ServerUnaryReactor* Shell::Answer(const ServiceMethod& method,
                                        grpc::CallbackServerContext* context,
                                        Held request, FromMemory from_memory,
                                        Use use, Deliver deliver) {
  grpc::ServerUnaryReactor* const reactor = context->DefaultReactor();
  Call call = Begin(method, *context);
  absl::StatusOr<CallContext> admissible =
      Admissible(call, options_.default_budget, options_.max_budget);
  if (!admissible.ok()) {
    reactor->Finish(End(call, admissible.status()));
    return reactor;
  }
  if (absl::Status draining = RefuseWhenDraining(); !draining.ok()) {
    reactor->Finish(End(call, draining));
    return reactor;
  }

  const absl::StatusOr<bool> answered = Guarded(
      [&]() -> absl::StatusOr<bool> { return from_memory(*admissible); });
  if (!answered.ok() || *answered) {
    call.from_memory = true;
    reactor->Finish(End(call, answered.status()));
    return reactor;
  }

  std::string key = HotKey(method, *request);
  using Work = UnaryWork<Response, Held, Use, Deliver>;
  auto work = std::make_unique<Work>(
      *this, std::move(call), *std::move(admissible), std::move(request),
      reactor, std::move(use), std::move(deliver));
  Call& queued = work->call();
  std::unique_ptr<WorkItem> item = std::move(work);
  if (absl::Status refused = Admit(queued, item, std::move(key));
      !refused.ok()) {
    reactor->Finish(End(queued, refused));
  }
  return reactor;
}

template <typename Chunk, typename Response, typename Open>
class Shell::StreamCall final
    : public grpc::ServerReadReactor<Chunk>,
      public WatchedStream,
      public std::enable_shared_from_this<StreamCall<Chunk, Response, Open>> {
 public:
  StreamCall(Shell& shell, Call call, Response* response, Open open)
      : shell_(shell),
        call_(std::move(call)),
        response_(response),
        open_(std::move(open)) {}

  // gRPC knows the reactor until OnDone; until then it keeps itself alive.
  grpc::ServerReadReactor<Chunk>* Start() {
    self_ = this->shared_from_this();
    absl::Status refused = [&] {
      absl::StatusOr<CallContext> admissible = shell_.Admissible(
          call_, shell_.options_.stream_budget, shell_.options_.stream_budget);
      if (!admissible.ok()) return std::move(admissible).status();
      context_.emplace(*std::move(admissible));
      if (absl::Status draining = shell_.RefuseWhenDraining(); !draining.ok()) {
        return draining;
      }
      return shell_.CountIn(call_);
    }();
    if (!refused.ok()) {
      Conclude(refused);
      return this;
    }
    shell_.Watch(self_);
    Read();
    return this;
  }

  void OnReadDone(bool ok) override {
    {
      const absl::MutexLock lock(&mutex_);
      reading_since_ = absl::InfiniteFuture();
      if (concluded_) return;
    }
    shell_.pool_->Add(call_.method->work_class,
                      std::make_unique<Step>(this->shared_from_this(), ok));
  }

  // A step may outlive the call's gRPC context, which it must not ask.
  void OnCancel() override { cancelled_ = true; }

  void OnDone() override { self_.reset(); }

  void Watch(absl::Time now) override {
    bool stalled;
    {
      const absl::MutexLock lock(&mutex_);
      if (concluded_) return;
      stalled = now > context_->caller.deadline ||
                now - reading_since_ > shell_.options_.stall_timeout;
    }
    if (stalled) Conclude(MakeDeadlineError());
  }

 private:
  // One chunk, or the end of the stream, on a worker.
  class Step final : public WorkItem {
   public:
    Step(std::shared_ptr<StreamCall> stream, bool has_chunk)
        : stream_(std::move(stream)), has_chunk_(has_chunk) {}
    void Run() override {
      if (has_chunk_) {
        stream_->ConsumeChunk();
      } else {
        stream_->FinishStream();
      }
    }

   private:
    const std::shared_ptr<StreamCall> stream_;
    const bool has_chunk_;
  };

  void Read() {
    {
      const absl::MutexLock lock(&mutex_);
      if (concluded_) return;
      reading_since_ = absl::Now();
    }
    this->StartRead(&chunk_);
  }

  absl::Status OpenOnce() {
    if (receiver_ != nullptr) return absl::OkStatus();
    auto opened = Guarded([&] { return open_(*context_); });
    if (!opened.ok()) return std::move(opened).status();
    receiver_ = *std::move(opened);
    return absl::OkStatus();
  }

  void ConsumeChunk() {
    const absl::Status status = [&] {
      if (absl::Status wanted = shell_.StillWanted(*context_, cancelled_);
          !wanted.ok()) {
        return wanted;
      }
      std::unique_ptr<google::protobuf::Message> normalised;
      if (absl::Status valid =
              shell_.Validate(*call_.method, chunk_, *context_, normalised);
          !valid.ok()) {
        return valid;
      }
      const Chunk& chunk = normalised == nullptr
                               ? chunk_
                               : static_cast<const Chunk&>(*normalised);
      if (absl::Status opened = OpenOnce(); !opened.ok()) return opened;
      return Guarded([&] { return receiver_->Consume(chunk); });
    }();
    if (!status.ok()) {
      receiver_.reset();
      Conclude(status);
      return;
    }
    Read();
  }

  void FinishStream() {
    absl::StatusOr<Response> answer = [&]() -> absl::StatusOr<Response> {
      if (absl::Status wanted = shell_.StillWanted(*context_, cancelled_);
          !wanted.ok()) {
        return wanted;
      }
      if (absl::Status opened = OpenOnce(); !opened.ok()) return opened;
      return Guarded([&] { return receiver_->Finish(); });
    }();
    receiver_.reset();
    if (!answer.ok()) {
      Conclude(answer.status());
      return;
    }
    {
      const absl::MutexLock lock(&mutex_);
      if (concluded_) return;
      *response_ = *std::move(answer);
      concluded_ = true;
    }
    this->Finish(shell_.End(call_, absl::OkStatus()));
  }

  // The first conclusion counts.
  void Conclude(const absl::Status& status) {
    {
      const absl::MutexLock lock(&mutex_);
      if (concluded_) return;
      concluded_ = true;
    }
    this->Finish(shell_.End(call_, status));
  }

  static absl::Status MakeDeadlineError();

  Shell& shell_;
  Call call_;
  std::optional<CallContext> context_;
  Response* const response_;
  Open open_;
  Chunk chunk_;
  std::unique_ptr<ChunkReceiver<Chunk, Response>> receiver_;
  std::shared_ptr<StreamCall> self_;
  std::atomic<bool> cancelled_ = false;

  absl::Mutex mutex_;
  bool concluded_ ABSL_GUARDED_BY(mutex_) = false;
  absl::Time reading_since_ ABSL_GUARDED_BY(mutex_) = absl::InfiniteFuture();
};

// DEADLINE_EXCEEDED with its reason.
absl::Status DeadlineError();

template <typename Chunk, typename Response, typename Open>
absl::Status Shell::StreamCall<Chunk, Response, Open>::MakeDeadlineError() {
  return DeadlineError();
}

template <typename Chunk, typename Response, typename Open>
grpc::ServerReadReactor<Chunk>* Shell::ClientStream(
    const ServiceMethod& method, grpc::CallbackServerContext* context,
    Response* response, Open open) {
  return std::make_shared<StreamCall<Chunk, Response, Open>>(
             *this, Begin(method, *context), response, std::move(open))
      ->Start();
}

template <typename Request, typename Piece, typename Open>
class Shell::PieceStream final
    : public grpc::ServerWriteReactor<Piece>,
      public WatchedStream,
      public std::enable_shared_from_this<PieceStream<Request, Piece, Open>> {
 public:
  PieceStream(Shell& shell, Call call, const Request& request, Open open)
      : shell_(shell),
        call_(std::move(call)),
        request_(request),
        open_(std::move(open)) {}

  ~PieceStream() override {
    if (counted_) {
      shell_.piece_streams_.fetch_sub(1, std::memory_order_acq_rel);
    }
  }

  // gRPC knows the reactor until OnDone; until then it keeps itself alive.
  grpc::ServerWriteReactor<Piece>* Start() {
    self_ = this->shared_from_this();
    const absl::Duration life = shell_.options_.piece_stream_life;
    const absl::Status refused = [&]() -> absl::Status {
      // Longer than its life, which ends it well.
      absl::StatusOr<CallContext> admissible =
          shell_.Admissible(call_, 2 * life, 2 * life);
      if (!admissible.ok()) return std::move(admissible).status();
      context_.emplace(*std::move(admissible));
      if (absl::Status draining = shell_.RefuseWhenDraining(); !draining.ok()) {
        return draining;
      }
      return shell_.CountStreamIn(call_);
    }();
    if (!refused.ok()) {
      Conclude(refused);
      return this;
    }
    counted_ = true;
    end_ = absl::Now() + life;
    shell_.Watch(self_);
    // A drain that began before it was watched has not seen it.
    if (shell_.draining()) Drain();
    Wake();
    return this;
  }

  void OnWriteDone(bool ok) override {
    if (!ok) {
      Conclude(absl::CancelledError());
      return;
    }
    {
      const std::lock_guard lock(mutex_);
      if (concluded_) return;
      doing_ = Doing::kAsking;
    }
    Ask();
  }

  void OnCancel() override { Conclude(absl::CancelledError()); }

  void OnDone() override { self_.reset(); }

  void Drain() override { Conclude(shell_.DrainingError()); }

  void Wake() {
    {
      const std::lock_guard lock(mutex_);
      if (concluded_) return;
      woken_ = true;
      if (doing_ != Doing::kNothing) return;
      doing_ = Doing::kAsking;
    }
    Ask();
  }

  void Watch(absl::Time now) override {
    bool stalled = false;
    bool expired = false;
    bool over = false;
    bool ask = false;
    {
      const std::lock_guard lock(mutex_);
      if (concluded_) return;
      stalled = doing_ == Doing::kWriting &&
                now - writing_since_ > shell_.options_.stall_timeout;
      expired = now > context_->caller.deadline;
      over = now > end_ && doing_ == Doing::kNothing;
      ask = !stalled && !expired && !over && doing_ == Doing::kNothing &&
            now >= look_again_;
      if (ask) doing_ = Doing::kAsking;
    }
    if (stalled) {
      // Without it, the end would wait behind the piece that is not taken.
      Conclude(DeadlineError(), /*cut_off=*/true);
    } else if (expired) {
      Conclude(DeadlineError());
    } else if (over) {
      Conclude(absl::OkStatus());
    } else if (ask) {
      Ask();
    }
  }

 private:
  enum class Doing { kNothing, kAsking, kWriting };

  // Asks the source, on a worker.
  class Step final : public WorkItem {
   public:
    explicit Step(std::shared_ptr<PieceStream> stream)
        : shell_(stream->shell_), stream_(std::move(stream)) {}
    ~Step() override {
      stream_.reset();
      shell_.asked_streams_.fetch_sub(1, std::memory_order_acq_rel);
    }
    void Run() override { stream_->AskNow(); }

   private:
    Shell& shell_;
    std::shared_ptr<PieceStream> stream_;
  };

  // REQUIRES: doing_ is kAsking, which no other thread changes.
  void Ask() {
    shell_.asked_streams_.fetch_add(1, std::memory_order_acq_rel);
    shell_.pool_->Add(call_.method->work_class,
                      std::make_unique<Step>(this->shared_from_this()));
  }

  absl::Status OpenOnce() {
    if (source_ != nullptr) return absl::OkStatus();
    if (absl::Status wanted = shell_.StillWanted(*context_, false);
        !wanted.ok()) {
      return wanted;
    }
    std::unique_ptr<google::protobuf::Message> normalised;
    if (absl::Status valid =
            shell_.Validate(*call_.method, request_, *context_, normalised);
        !valid.ok()) {
      return valid;
    }
    const Request& request = normalised == nullptr
                                 ? request_
                                 : static_cast<const Request&>(*normalised);
    auto opened = Guarded([&] {
      return open_(*context_, request, [weak = this->weak_from_this()] {
        if (const auto stream = weak.lock()) stream->Wake();
      });
    });
    if (!opened.ok()) return std::move(opened).status();
    source_ = *std::move(opened);
    return absl::OkStatus();
  }

  absl::StatusOr<std::optional<Piece>> NextPiece(absl::Time& look_again) {
    if (absl::Status opened = OpenOnce(); !opened.ok()) return opened;
    absl::StatusOr<std::optional<Piece>> piece =
        Guarded([&] { return source_->Next(look_again); });
    if (!piece.ok() || !piece->has_value()) return piece;
    if (absl::Status released = shell_.Release(*call_.method, *context_,
                                               request_, **piece, &journalled_);
        !released.ok()) {
      return released;
    }
    return piece;
  }

  // What ends the stream when its life is over.
  absl::Status LifeIsOver() const {
    return source_ != nullptr && source_->has_end() ? DeadlineError()
                                                    : absl::OkStatus();
  }

  void AskNow() {
    {
      const std::lock_guard lock(mutex_);
      woken_ = false;
      if (concluded_) doing_ = Doing::kNothing;
    }
    if (EndedMeanwhile()) return;
    if (absl::Now() > end_) {
      EndAsking(LifeIsOver());
      return;
    }
    absl::Time look_again = absl::InfiniteFuture();
    absl::StatusOr<std::optional<Piece>> piece = NextPiece(look_again);
    if (!piece.ok()) {
      EndAsking(piece.status());
      return;
    }
    if (!piece->has_value() && look_again == absl::InfiniteFuture() &&
        source_->has_end()) {
      EndAsking(absl::OkStatus());
      return;
    }
    bool again = false;
    bool write = false;
    {
      const std::lock_guard lock(mutex_);
      look_again_ = look_again;
      if (concluded_) {
        doing_ = Doing::kNothing;
      } else if (piece->has_value()) {
        piece_ = **std::move(piece);
        writing_since_ = absl::Now();
        doing_ = Doing::kWriting;
        write = true;
      } else {
        again = woken_ || look_again <= absl::Now();
        doing_ = again ? Doing::kAsking : Doing::kNothing;
      }
    }
    if (again) {
      Ask();
    } else if (write) {
      const std::lock_guard lock(reactor_mutex_);
      if (!finished_) this->StartWrite(&piece_);
    } else {
      EndedMeanwhile();
    }
  }

  void EndAsking(const absl::Status& status) {
    Conclude(status);
    EndedMeanwhile();
  }

  // Whether the stream was concluded while its source was asked; then the
  // source goes here.
  bool EndedMeanwhile() {
    std::unique_ptr<PieceSource<Piece>> source;
    const std::lock_guard lock(mutex_);
    if (!concluded_) return false;
    source = std::move(source_);
    return true;
  }

  // The first conclusion counts.
  void Conclude(const absl::Status& status, bool cut_off = false) {
    std::unique_ptr<PieceSource<Piece>> source;
    {
      const std::lock_guard lock(mutex_);
      if (concluded_) return;
      concluded_ = true;
      if (doing_ != Doing::kAsking) source = std::move(source_);
    }
    source.reset();
    // Until Finish, gRPC keeps the context.
    if (cut_off) call_.context->TryCancel();
    grpc::Status end = shell_.End(call_, status);
    // No write begins after the end.
    const std::lock_guard lock(reactor_mutex_);
    finished_ = true;
    this->Finish(std::move(end));
  }

  Shell& shell_;
  Call call_;
  // gRPC's own goes with the call, which a worker may outlive.
  const Request request_;
  Open open_;
  std::optional<CallContext> context_;
  absl::Time end_;
  bool counted_ = false;
  // Of whoever asks.
  std::unique_ptr<PieceSource<Piece>> source_;
  std::optional<std::vector<std::string>> journalled_;
  // Of whoever writes.
  Piece piece_;
  std::shared_ptr<PieceStream> self_;

  // Held while the reactor is told to do something; gRPC answers on threads of
  // its own, and none of its answers takes it.
  std::mutex reactor_mutex_;
  bool finished_ = false;  // guarded by reactor_mutex_

  std::mutex mutex_;  // guards what follows
  Doing doing_ = Doing::kNothing;
  bool concluded_ = false;
  bool woken_ = false;
  absl::Time look_again_ = absl::InfiniteFuture();
  absl::Time writing_since_ = absl::InfiniteFuture();
};

template <typename Request, typename Piece, typename Open>
grpc::ServerWriteReactor<Piece>* Shell::ServerStream(
    const ServiceMethod& method, grpc::CallbackServerContext* context,
    const Request* request, Open open) {
  return std::make_shared<PieceStream<Request, Piece, Open>>(
             *this, Begin(method, *context), *request, std::move(open))
      ->Start();
}

}  // namespace parcours::rpc

#endif  // PARCOURS_COMMON_RPC_SHELL_H_
