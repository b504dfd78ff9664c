// Calls to the three services, as every sub-command makes them.

#ifndef PARCOURS_CLIENTS_CLI_CONNECTION_H_
#define PARCOURS_CLIENTS_CLI_CONNECTION_H_

#include <memory>
#include <optional>
#include <ostream>
#include <string>
#include <utility>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "google/protobuf/message.h"
#include "grpcpp/channel.h"
#include "grpcpp/client_context.h"
#include "grpcpp/security/credentials.h"
#include "grpcpp/support/status.h"

namespace parcours::cli {

// How long a call may take, and how often one is made again.
struct CallPolicy {
  // Of each attempt.
  absl::Duration deadline = absl::Seconds(30);
  // The first one included.
  int attempts = 5;
  // Before the second attempt; doubled before each further one.
  absl::Duration first_pause = absl::Milliseconds(100);
};

// Exit codes of `parcours`.
enum ExitCode {
  kSuccess = 0,
  // A service refused, or what was asked cannot be done.
  kRefused = 1,
  // The command line or a file is wrong; nothing was sent.
  kUsage = 2,
  // A service cannot be reached.
  kUnreachable = 3,
};

// As whom services are called, and how the way to them is protected.
struct Access {
  // The bearer token that every call carries; empty: none.
  std::string token;
  // Null: plain text, which goes to loopback only.
  std::shared_ptr<grpc::ChannelCredentials> credentials;
};

// A channel to `address` ("host:port", or "unix:path"). In plain text to
// anywhere but loopback, every call fails and nothing is sent.
std::shared_ptr<grpc::Channel> OpenChannel(const std::string& address,
                                           const Access& access = {});

// Gives `request` a fresh request_id when it has that field and it is empty, so
// that every attempt is the same call.
void FillRequestId(google::protobuf::Message& request);

// Makes `attempt` until it is answered otherwise than UNAVAILABLE, at most
// policy.attempts times. The error keeps the details of the service; one that
// never reached it names `address`.
absl::Status CallWithRetries(
    const CallPolicy& policy, const std::string& address,
    absl::FunctionRef<grpc::Status(grpc::ClientContext&)> attempt);

// One service of one server. Thread-safe. `Service` is a generated class, as in
// Client<enrolment::v1::ProgrammeService>.
template <typename Service>
class Client {
 public:
  Client(std::shared_ptr<grpc::Channel> channel, std::string address,
         CallPolicy policy = {})
      : stub_(Service::NewStub(channel)),
        address_(std::move(address)),
        policy_(policy) {}

  // The answer to one call, made again with the same request_id while the
  // service is UNAVAILABLE. REQUIRES: a method that is safe to repeat, as all
  // are that have a request_id or only read.
  template <typename Request, typename Response>
  absl::StatusOr<Response> Call(
      grpc::Status (Service::StubInterface::*method)(grpc::ClientContext*,
                                                     const Request&, Response*),
      Request request) const {
    FillRequestId(request);
    Response response;
    absl::Status status =
        CallWithRetries(policy_, address_, [&](grpc::ClientContext& context) {
          return (stub_.get()->*method)(&context, request, &response);
        });
    if (!status.ok()) return status;
    return response;
  }

  // For streams.
  typename Service::StubInterface& stub() const { return *stub_; }
  const CallPolicy& policy() const { return policy_; }
  const std::string& address() const { return address_; }

 private:
  std::unique_ptr<typename Service::StubInterface> stub_;
  std::string address_;
  CallPolicy policy_;
};

// All pages of a list. `items` takes the elements out of a response.
template <typename Service, typename Request, typename Response, typename Items>
auto ListAll(const Client<Service>& client,
             grpc::Status (Service::StubInterface::*method)(
                 grpc::ClientContext*, const Request&, Response*),
             Request request, Items items)
    -> absl::StatusOr<std::vector<
        std::decay_t<decltype(*items(std::declval<Response&>()).begin())>>> {
  std::vector<std::decay_t<decltype(*items(std::declval<Response&>()).begin())>>
      all;
  constexpr int kLargestPage = 500;
  request.set_page_size(kLargestPage);
  do {
    absl::StatusOr<Response> page = client.Call(method, request);
    if (!page.ok()) return page.status();
    for (auto& item : items(*page)) all.push_back(std::move(item));
    request.set_page_token(page->next_page_token());
  } while (!request.page_token().empty());
  return all;
}

// What a person is told of `status`: the French text of the service, its
// reason and the fields it names.
void PrintError(std::ostream& out, const absl::Status& status);

// The same in one line.
std::string DescribeError(const absl::Status& status);

// The exit code that tells of `status`.
ExitCode ExitCodeOf(const absl::Status& status);

}  // namespace parcours::cli

#endif  // PARCOURS_CLIENTS_CLI_CONNECTION_H_
