#include "common/rpc/shell.h"

#include <sodium.h>

#include <algorithm>
#include <array>
#include <thread>

#include "absl/strings/escaping.h"
#include "absl/time/clock.h"
#include "common/rpc/grpc_status.h"
#include "common/rpc/serialise.h"
#include "common/rpc/uuid.h"
#include "common/status/error.h"
#include "common/status/macros.h"
#include "common/telemetry/log.h"
#include "grpcpp/support/string_ref.h"

namespace parcours::rpc {
namespace {

constexpr absl::Duration kWatchPeriod = absl::Milliseconds(250);
constexpr char kFeedTokenKey[] = "parcours-feed-token";

// google.rpc has no reason for it, and nobody reads the answer.
absl::Status ClientIsGone() { return absl::CancelledError(); }

// Empty where the call carries none.
std::string_view MetadataOf(const grpc::CallbackServerContext& context,
                            const char* key) {
  const auto& metadata = context.client_metadata();
  const auto found = metadata.find(key);
  if (found == metadata.end()) return {};
  return {found->second.data(), found->second.size()};
}

std::string Digest(const std::string& key,
                   const google::protobuf::Message& request) {
  const std::string bytes = DeterministicBytes(request);
  std::array<unsigned char, crypto_generichash_BYTES> digest;
  crypto_generichash(
      digest.data(), digest.size(),
      reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size(),
      reinterpret_cast<const unsigned char*>(key.data()),
      std::min<std::size_t>(key.size(), crypto_generichash_KEYBYTES_MAX));
  return absl::BytesToHexString(absl::string_view(
      reinterpret_cast<const char*>(digest.data()), digest.size()));
}

const access::Principal& Nobody() {
  static const auto& nobody = *new access::Principal();
  return nobody;
}

void AddName(const google::protobuf::Message& message, const char* field_name,
             std::vector<std::string>& names) {
  const google::protobuf::FieldDescriptor* const field =
      message.GetDescriptor()->FindFieldByName(field_name);
  if (field == nullptr || field->is_repeated() ||
      field->type() != google::protobuf::FieldDescriptor::TYPE_STRING) {
    return;
  }
  std::string name = message.GetReflection()->GetString(message, field);
  // An answer mostly bears the name that was asked for.
  if (!name.empty() && (names.empty() || names.back() != name)) {
    names.push_back(std::move(name));
  }
}

// The names of what a message is about: its own, its parent's, and those of the
// resources it lists.
void AddNames(const google::protobuf::Message& message,
              std::vector<std::string>& names) {
  AddName(message, "name", names);
  AddName(message, "parent", names);
  const google::protobuf::Reflection& reflection = *message.GetReflection();
  const google::protobuf::Descriptor& type = *message.GetDescriptor();
  for (int i = 0; i < type.field_count(); ++i) {
    const google::protobuf::FieldDescriptor* const field = type.field(i);
    if (!field->is_repeated() || field->is_map() ||
        field->message_type() == nullptr) {
      continue;
    }
    for (int n = 0; n < reflection.FieldSize(message, field); ++n) {
      AddName(reflection.GetRepeatedMessage(message, field, n), "name", names);
    }
  }
}

}  // namespace

std::string PeerHost(const grpc::CallbackServerContext& context) {
  // "ipv4:127.0.0.1:4711", "ipv6:%5B::1%5D:4711" or "unix:/path".
  const std::string peer = context.peer();
  const std::size_t scheme = peer.find(':');
  const std::string_view kind = std::string_view(peer).substr(0, scheme);
  if (kind != "ipv4" && kind != "ipv6") return std::string(kind);
  std::string_view host = std::string_view(peer).substr(scheme + 1);
  host = host.substr(0, host.rfind(':'));
  for (const std::string_view open : {"%5B", "%5b", "["}) {
    if (host.starts_with(open)) host.remove_prefix(open.size());
  }
  for (const std::string_view close : {"%5D", "%5d", "]"}) {
    if (host.ends_with(close)) host.remove_suffix(close.size());
  }
  return std::string(host);
}

absl::Status DeadlineError() { return MakeError(Reason::kDeadlineExceeded); }

Shell::Shell(ShellOptions options)
    : options_(std::move(options)),
      in_flight_gauge_(options_.metrics->MakeGauge(
          "parcours_rpc_in_flight", "Calls that run or wait for a worker.")),
      rejected_full_(options_.metrics->MakeCounter(
          "parcours_rpc_rejected_total", "Calls refused before they ran.",
          "why", "overloaded")),
      rejected_draining_(options_.metrics->MakeCounter(
          "parcours_rpc_rejected_total", "Calls refused before they ran.",
          "why", "draining")),
      expired_in_queue_(options_.metrics->MakeCounter(
          "parcours_rpc_rejected_total", "Calls refused before they ran.",
          "why", "expired")),
      pool_(std::make_unique<WorkerPool>(options_.workers, *options_.metrics)),
      watch_([this] { RunWatch(); }) {}

Shell::~Shell() {
  {
    const absl::MutexLock lock(&mutex_);
    stopping_ = true;
  }
  watch_.join();
  pool_.reset();
}

const ServiceMethod& Shell::MethodOf(std::string_view service,
                                     std::string_view method) {
  std::unique_ptr<const ServiceMethod> read =
      ReadMethod(service, method, options_.submissions, *options_.metrics);
  const absl::MutexLock lock(&mutex_);
  methods_.push_back(std::move(read));
  return *methods_.back();
}

void Shell::BeginDrain() {
  draining_.store(true, std::memory_order_release);
  for (const auto& stream : OpenStreams()) stream->Drain();
}

bool Shell::WaitUntilIdle(absl::Time deadline) {
  while (in_flight() > 0 ||
         asked_streams_.load(std::memory_order_acquire) > 0) {
    if (absl::Now() >= deadline) return false;
    absl::SleepFor(absl::Milliseconds(5));
  }
  return true;
}

Shell::Call Shell::Begin(const ServiceMethod& method,
                         grpc::CallbackServerContext& context) {
  Call call;
  call.method = &method;
  call.context = &context;
  call.start = std::chrono::steady_clock::now();
  Trace trace = ContinueTrace(MetadataOf(context, "traceparent"));
  call.trace_id = std::move(trace.trace_id);
  call.traceparent = std::move(trace.traceparent);
  return call;
}

absl::StatusOr<CallContext> Shell::Admissible(const Call& call,
                                              absl::Duration default_budget,
                                              absl::Duration max_budget) {
  const absl::Time now = absl::Now();
  // gRPC gives time_point::max() when the client sent no deadline.
  const auto sent = call.context->deadline();
  absl::Time deadline = now + default_budget;
  if (sent != std::chrono::system_clock::time_point::max()) {
    deadline = std::min(absl::FromChrono(sent), now + max_budget);
  }
  if (deadline <= now) return DeadlineError();

  absl::StatusOr<access::Principal> principal =
      options_.identify(*call.context);
  if (options_.quota != nullptr) {
    // Failed guesses of a credential count for the address.
    const access::Principal& charged = principal.ok() ? *principal : Nobody();
    RETURN_IF_ERROR(options_.quota->Charge(
        options_.address_of(*call.context),
        charged.client.empty() ? charged.subject : charged.client,
        charged.calls_per_minute));
  }
  if (!principal.ok()) return principal.status();
  ASSIGN_OR_RETURN(Permission permission,
                   PermissionOf(*call.method, *principal));
  std::optional<int64_t> known_position;
  if (options_.known_position) {
    ASSIGN_OR_RETURN(known_position, options_.known_position(MetadataOf(
                                         *call.context, kFeedTokenKey)));
  }
  return CallContext{
      .caller = access::Caller{.principal = *std::move(principal),
                               .scope = std::move(permission.scope),
                               .acting_roles = permission.roles,
                               .method = call.method->full_name,
                               .request_id = {},
                               .request_digest = {},
                               .trace_id = call.trace_id,
                               .known_position = known_position,
                               .deadline = deadline,
                               .now = options_.clock->Now()},
      .traceparent = call.traceparent};
}

absl::Status Shell::RefuseWhenDraining() {
  if (!draining_.load(std::memory_order_acquire)) return absl::OkStatus();
  rejected_draining_.Increment();
  return DrainingError();
}

absl::Status Shell::DrainingError() const {
  return WithRetryAfter(MakeError(Reason::kDraining), options_.retry_after);
}

absl::Status Shell::CountStreamIn(const Call& call) {
  if (piece_streams_.fetch_add(1, std::memory_order_acq_rel) >=
      options_.max_piece_streams) {
    piece_streams_.fetch_sub(1, std::memory_order_acq_rel);
    return Overloaded(call);
  }
  return absl::OkStatus();
}

absl::Status Shell::Overloaded(const Call& call) {
  rejected_full_.Increment();
  telemetry::Log(telemetry::LogLevel::kDebug, "overloaded",
                 {{"method", std::string_view(call.method->full_name)}});
  return WithRetryAfter(MakeError(Reason::kOverloaded), options_.retry_after);
}

absl::Status Shell::CountIn(Call& call) {
  if (call.method->work_class != WorkClass::kSubmission) {
    if (in_flight_limited_.fetch_add(1, std::memory_order_acq_rel) >=
        options_.max_in_flight) {
      in_flight_limited_.fetch_sub(1, std::memory_order_acq_rel);
      return Overloaded(call);
    }
  }
  in_flight_.fetch_add(1, std::memory_order_acq_rel);
  in_flight_gauge_.Increment();
  call.admitted = true;
  return absl::OkStatus();
}

void Shell::CountOut(Call& call) {
  if (!std::exchange(call.admitted, false)) return;
  if (call.method->work_class != WorkClass::kSubmission) {
    in_flight_limited_.fetch_sub(1, std::memory_order_acq_rel);
  }
  in_flight_gauge_.Decrement();
  in_flight_.fetch_sub(1, std::memory_order_acq_rel);
}

absl::Status Shell::Admit(Call& call, std::unique_ptr<WorkItem>& item,
                          std::string key) {
  RETURN_IF_ERROR(CountIn(call));
  if (!pool_->TryAdd(call.method->work_class, item, std::move(key))) {
    return Overloaded(call);
  }
  return absl::OkStatus();
}

absl::Status Shell::StillWanted(CallContext& context, bool client_gone) {
  if (context.caller.deadline <= absl::Now()) {
    expired_in_queue_.Increment();
    return DeadlineError();
  }
  if (client_gone) return ClientIsGone();
  if (options_.follow_time) {
    RETURN_IF_ERROR(options_.follow_time(context.caller.deadline));
    context.caller.now = options_.clock->Now();
  }
  return absl::OkStatus();
}

absl::Status Shell::Validate(
    const ServiceMethod& method, const google::protobuf::Message& request,
    CallContext& context,
    std::unique_ptr<google::protobuf::Message>& normalised) const {
  if (method.rules != nullptr) {
    RETURN_IF_ERROR(method.rules->Check(request, normalised));
  }
  if (method.request_id == nullptr) return absl::OkStatus();
  const google::protobuf::Message& checked =
      normalised == nullptr ? request : *normalised;
  std::string request_id =
      checked.GetReflection()->GetString(checked, method.request_id);
  if (request_id.empty()) return absl::OkStatus();
  if (!IsUuid(request_id)) {
    return MakeFieldError("request_id", Reason::kFieldMalformed,
                          {{"expected", "a UUID"}});
  }
  context.caller.request_digest = Digest(options_.digest_key, checked);
  context.caller.request_id = std::move(request_id);
  return absl::OkStatus();
}

absl::Status Shell::Release(
    const ServiceMethod& method, const CallContext& context,
    const google::protobuf::Message& request, google::protobuf::Message& answer,
    std::optional<std::vector<std::string>>* journalled) const {
  if (method.audit != type::v1::AUDIT_UNSPECIFIED &&
      options_.read_journal != nullptr) {
    std::vector<std::string> resources;
    AddNames(request, resources);
    AddNames(answer, resources);
    if (journalled == nullptr || *journalled != resources) {
      RETURN_IF_ERROR(options_.read_journal->Record(
          context.caller, resources,
          method.audit == type::v1::AUDIT_SENSITIVE_READ));
    }
    if (journalled != nullptr) *journalled = std::move(resources);
  }
  if (method.redaction != nullptr) {
    method.redaction->Apply(context.caller, answer);
  }
  return absl::OkStatus();
}

grpc::Status Shell::End(Call& call, const absl::Status& status) {
  const absl::Duration duration =
      absl::FromChrono(std::chrono::steady_clock::now() - call.start);
  const bool cancelled = status.code() == absl::StatusCode::kCancelled;
  grpc::Status answer =
      cancelled ? grpc::Status(grpc::StatusCode::CANCELLED, "cancelled")
                : ToGrpcStatus(status, call.trace_id);
  const auto code = static_cast<absl::StatusCode>(answer.error_code());
  call.method->metrics.Record(code, duration);

  const bool cheap = call.from_memory && answer.ok();
  const telemetry::LogLevel level =
      cheap ? telemetry::LogLevel::kDebug : telemetry::LogLevel::kInfo;
  if (telemetry::LogEnabled(level)) {
    const std::string code_name = absl::StatusCodeToString(code);
    const std::optional<Reason> reason = ReasonOf(status);
    telemetry::Log(level, "call",
                   {{"method", std::string_view(call.method->full_name)},
                    {"code", std::string_view(code_name)},
                    {"reason", reason ? ReasonName(*reason) : ""},
                    {"ms", absl::ToDoubleMilliseconds(duration)},
                    {"trace_id", std::string_view(call.trace_id)}});
  }
  call.context->AddTrailingMetadata("traceparent", call.traceparent);
  CountOut(call);
  return answer;
}

void Shell::Watch(std::weak_ptr<WatchedStream> stream) {
  const absl::MutexLock lock(&mutex_);
  streams_.push_back(std::move(stream));
}

void Shell::RunWatch() {
  const absl::Duration period =
      std::min(kWatchPeriod, options_.stall_timeout / 4);
  while (true) {
    {
      const absl::MutexLock lock(&mutex_);
      if (mutex_.AwaitWithTimeout(absl::Condition(&stopping_), period)) return;
    }
    const absl::Time now = absl::Now();
    for (const auto& stream : OpenStreams()) stream->Watch(now);
  }
}

std::vector<std::shared_ptr<Shell::WatchedStream>> Shell::OpenStreams() {
  std::vector<std::shared_ptr<WatchedStream>> streams;
  const absl::MutexLock lock(&mutex_);
  std::erase_if(streams_, [](const std::weak_ptr<WatchedStream>& stream) {
    return stream.expired();
  });
  for (const std::weak_ptr<WatchedStream>& stream : streams_) {
    if (auto alive = stream.lock()) streams.push_back(std::move(alive));
  }
  return streams;
}

}  // namespace parcours::rpc
