#include "clients/cli/watch_command.h"

#include <algorithm>
#include <memory>
#include <optional>
#include <thread>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_join.h"
#include "common/rpc/convert.h"
#include "common/rpc/grpc_status.h"
#include "common/status/error.h"
#include "common/text/view.h"
#include "common/time/clock.h"
#include "google/protobuf/util/json_util.h"
#include "grpcpp/client_context.h"
#include "parcours/platform/v1/change_feed.grpc.pb.h"

namespace parcours::cli {
namespace {

namespace pb = ::parcours::platform::v1;

struct Watched {
  std::string service;
  std::string address;
  std::string token;
};

// Lines of several threads, whole.
class Lines {
 public:
  Lines(std::ostream& out, std::ostream& errors) : out_(out), errors_(errors) {}
  void Out(const std::string& line) {
    const std::lock_guard lock(mutex_);
    out_ << line << '\n' << std::flush;
  }
  void Error(const std::string& line) {
    const std::lock_guard lock(mutex_);
    errors_ << line << '\n' << std::flush;
  }
  void Error(const std::string& service, const absl::Status& status) {
    const std::lock_guard lock(mutex_);
    errors_ << service << " : ";
    PrintError(errors_, status);
  }

 private:
  std::mutex mutex_;
  std::ostream& out_;
  std::ostream& errors_;
};

std::string LineOf(const std::string& service, const pb::Change& change) {
  return Cat(absl::FormatTime("%Y-%m-%d %H:%M:%S",
                              rpc::TimeOf(change.change_time()), ParisZone()),
             "  ", service, " ", change.position(), "  ",
             change.removed() ? "retiré   " : "", change.resource(), "  (",
             change.kind(), ", version ", change.version(), ", ",
             change.cause(), ")");
}

std::string JsonOf(const std::string& service,
                   const pb::WatchChangesResponse& piece) {
  std::string json;
  if (!google::protobuf::util::MessageToJsonString(piece, &json).ok()) {
    json = "{}";
  }
  // {"service":"enrolment","changes":[…],…}
  return Cat("{\"service\":\"", service, "\"",
             json == "{}" ? "}" : Cat(",", json.substr(1)));
}

// Whether to call again: the service is stopping, is not there or has too much
// to do, or has cut off a reader that was too slow.
bool IsForNow(const absl::Status& status) {
  return status.ok() || status.code() == absl::StatusCode::kUnavailable ||
         status.code() == absl::StatusCode::kResourceExhausted ||
         status.code() == absl::StatusCode::kCancelled ||
         status.code() == absl::StatusCode::kDeadlineExceeded;
}

// One service's feed, on a thread of its own.
class Follower {
 public:
  Follower(Watched watched, const Access& access, const WatchOptions& options,
           StopRequest& stop, Lines& lines)
      : watched_(std::move(watched)),
        options_(options),
        stop_(stop),
        lines_(lines),
        stub_(pb::ChangeFeedService::NewStub(
            OpenChannel(watched_.address, access))) {
    thread_ = std::thread([this] { Run(); });
  }
  // Waits for the end of its thread.
  absl::Status Join() {
    thread_.join();
    return end_;
  }
  // After Join.
  const Watched& watched() const { return watched_; }

 private:
  void Run() {
    absl::Duration pause = options_.first_pause;
    while (!stop_.stopped()) {
      bool heard = false;
      const absl::Status status = FollowOnce(heard);
      if (stop_.stopped()) return;
      if (heard) pause = options_.first_pause;
      if (!IsForNow(status)) {
        end_ = status;
        lines_.Error(watched_.service, status);
        // What is missing would else go unnoticed.
        stop_.Stop();
        return;
      }
      if (status.ok()) continue;
      lines_.Error(Cat(watched_.service, " : ", DescribeError(status),
                       " Nouvel essai."));
      if (!stop_.Pause(pause)) return;
      pause = std::min(2 * pause, options_.longest_pause);
    }
  }

  absl::Status FollowOnce(bool& heard) {
    pb::WatchChangesRequest request;
    request.set_after_token(watched_.token);
    for (const std::string& kind : options_.kinds) {
      request.mutable_filter()->add_kinds(kind);
    }
    for (const std::string& name : options_.within) {
      request.mutable_filter()->add_within(name);
    }
    grpc::ClientContext context;
    const int64_t id = stop_.OnStop([&context] { context.TryCancel(); });
    const auto reader = stub_->WatchChanges(&context, request);
    pb::WatchChangesResponse piece;
    while (reader->Read(&piece)) {
      heard = true;
      if (options_.json) {
        lines_.Out(JsonOf(watched_.service, piece));
      } else {
        for (const pb::Change& change : piece.changes()) {
          lines_.Out(LineOf(watched_.service, change));
        }
      }
      // Dealt with.
      watched_.token = piece.next_token();
    }
    const grpc::Status status = reader->Finish();
    stop_.Forget(id);
    return rpc::FromGrpcStatus(status);
  }

  Watched watched_;
  const WatchOptions& options_;
  StopRequest& stop_;
  Lines& lines_;
  const std::unique_ptr<pb::ChangeFeedService::Stub> stub_;
  absl::Status end_;
  std::thread thread_;
};

// What to follow, and from where; nothing, and what is wrong on `errors`, when
// the options do not fit.
std::optional<std::vector<Watched>> ToWatch(const ServiceAddresses& addresses,
                                            const WatchOptions& options,
                                            std::ostream& errors) {
  const bool all = options.service.empty() || options.service == "all";
  std::vector<Watched> watched;
  for (const auto& [service, address] :
       {std::pair("enrolment", addresses.enrolment),
        std::pair("scheduling", addresses.scheduling),
        std::pair("evaluation", addresses.evaluation)}) {
    if (!address.empty() && (all || options.service == service)) {
      watched.push_back({service, address, ""});
    }
  }
  if (watched.empty()) {
    errors << "--service : enrolment, scheduling, evaluation ou all, avec une "
              "adresse.\n";
    return std::nullopt;
  }
  for (const std::string& after : options.after) {
    const auto named =
        std::find_if(watched.begin(), watched.end(), [&](const Watched& one) {
          return after.starts_with(Cat(one.service, "="));
        });
    if (named != watched.end()) {
      named->token = after.substr(named->service.size() + 1);
    } else if (watched.size() == 1 && options.after.size() == 1) {
      watched.front().token = after;
    } else {
      errors << "--after : « " << after
             << " » ; pour plusieurs services, enrolment=JETON,…\n";
      return std::nullopt;
    }
  }
  return watched;
}

}  // namespace

void StopRequest::Stop() {
  const std::lock_guard lock(mutex_);
  stopped_ = true;
  for (const auto& [id, cancel] : cancels_) cancel();
  changed_.notify_all();
}

bool StopRequest::stopped() const {
  const std::lock_guard lock(mutex_);
  return stopped_;
}

bool StopRequest::Pause(absl::Duration pause) {
  std::unique_lock lock(mutex_);
  return !changed_.wait_for(lock, absl::ToChronoMilliseconds(pause),
                            [this] { return stopped_; });
}

int64_t StopRequest::OnStop(std::function<void()> cancel) {
  const std::lock_guard lock(mutex_);
  if (stopped_) cancel();
  cancels_.emplace(++last_id_, std::move(cancel));
  return last_id_;
}

void StopRequest::Forget(int64_t id) {
  const std::lock_guard lock(mutex_);
  cancels_.erase(id);
}

ExitCode WatchCommand(const ServiceAddresses& addresses,
                      const WatchOptions& options, StopRequest& stop,
                      std::ostream& out, std::ostream& errors) {
  std::optional<std::vector<Watched>> watched =
      ToWatch(addresses, options, errors);
  if (!watched.has_value()) return kUsage;
  Lines lines(out, errors);
  std::vector<std::unique_ptr<Follower>> followers;
  for (Watched& one : *watched) {
    followers.push_back(std::make_unique<Follower>(
        std::move(one), addresses.access, options, stop, lines));
  }
  ExitCode code = kSuccess;
  std::vector<std::string> tokens;
  for (const auto& follower : followers) {
    if (const absl::Status end = follower->Join(); !end.ok()) {
      code = ExitCodeOf(end);
    }
    const Watched& one = follower->watched();
    if (!one.token.empty()) tokens.push_back(Cat(one.service, "=", one.token));
  }
  if (!tokens.empty()) {
    lines.Error(Cat("Pour reprendre : --after=", absl::StrJoin(tokens, ",")));
  }
  return code;
}

}  // namespace parcours::cli
