#include "clients/cli/client_commands.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string_view>

#include "absl/cleanup/cleanup.h"
#include "absl/time/time.h"
#include "clients/cli/dates.h"
#include "common/text/view.h"
#include "common/textproto/text_proto.h"
#include "parcours/enrolment/v1/api_client.grpc.pb.h"

namespace parcours::cli {
namespace {

namespace pb = ::parcours::enrolment::v1;
using Stub = pb::ApiClientService::StubInterface;

Client<pb::ApiClientService> ClientsAt(const ServiceAddresses& addresses) {
  return {OpenChannel(addresses.enrolment, addresses.access),
          addresses.enrolment};
}

ExitCode Told(std::ostream& err, const absl::Status& status) {
  PrintError(err, status);
  return ExitCodeOf(status);
}

// Credentials go by real time everywhere, so that one zone serves all.
std::string Day(const google::protobuf::Timestamp& time) {
  return absl::FormatTime("%Y-%m-%d", TimeOf(time), absl::UTCTimeZone());
}

template <typename Message>
std::string_view LastUse(const Message& message, std::string& text) {
  text = message.has_last_use_time()
             ? Cat("dernier usage le ", Day(message.last_use_time()))
             : "jamais utilisé";
  return text;
}

void Print(std::ostream& out, const pb::ApiClient& client) {
  std::string use;
  out << client.name() << " : " << client.display_name()
      << (client.disabled() ? ", arrêté" : "") << ", jusqu’au "
      << Day(client.expire_time()) << ", " << client.calls_per_minute()
      << " appels par minute, " << LastUse(client, use) << '\n';
  for (const pb::ApiClientSecret& secret : client.secrets()) {
    out << "  secret " << secret.id() << " : du " << Day(secret.create_time())
        << " au " << Day(secret.expire_time()) << ", " << LastUse(secret, use)
        << '\n';
  }
}

}  // namespace

ExitCode CreateClientCommand(const ServiceAddresses& addresses,
                             const std::vector<std::string>& arguments,
                             std::ostream& out, std::ostream& err) {
  if (arguments.size() != 2) {
    err << "parcours client create NAME FILE\n";
    return kUsage;
  }
  constexpr std::string_view kCollection = "/apiClients/";
  const std::string& name = arguments[0];
  const std::size_t at = name.find(kCollection);
  if (at == std::string::npos) {
    err << name << " n’est pas un nom de la forme bodies/…/apiClients/…\n";
    return kUsage;
  }
  pb::CreateApiClientRequest request;
  request.set_parent(name.substr(0, at));
  request.set_api_client_id(name.substr(at + kCollection.size()));
  const absl::StatusOr<std::string> text =
      textproto::ReadTextFile(arguments[1]);
  absl::Status read = text.status();
  if (read.ok()) {
    read = textproto::Parse(*text, arguments[1], *request.mutable_api_client());
  }
  if (!read.ok()) {
    err << read.message() << '\n';
    return kUsage;
  }
  const auto created =
      ClientsAt(addresses).Call(&Stub::CreateApiClient, std::move(request));
  if (!created.ok()) return Told(err, created.status());
  Print(out, *created);
  return kSuccess;
}

ExitCode ListClientsCommand(const ServiceAddresses& addresses,
                            const std::vector<std::string>& arguments,
                            std::ostream& out, std::ostream& err) {
  if (arguments.size() != 1) {
    err << "parcours client list BODY\n";
    return kUsage;
  }
  pb::ListApiClientsRequest request;
  request.set_parent(arguments[0]);
  const auto clients = ListAll(
      ClientsAt(addresses), &Stub::ListApiClients, request,
      [](pb::ListApiClientsResponse & response) -> auto& {
        return *response.mutable_api_clients();
      });
  if (!clients.ok()) return Told(err, clients.status());
  for (const pb::ApiClient& client : *clients) Print(out, client);
  if (clients->empty()) out << "Aucun programme.\n";
  return kSuccess;
}

ExitCode AddClientSecretCommand(const ServiceAddresses& addresses,
                                const std::vector<std::string>& arguments,
                                const std::string& path, std::ostream& out,
                                std::ostream& err) {
  if (arguments.size() != 1 || path.empty()) {
    err << "parcours client secret NAME --out FILE\n";
    return kUsage;
  }
  const int file =
      open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (file < 0) {
    err << path << " : " << std::strerror(errno) << '\n';
    return kUsage;
  }
  bool written = false;
  const absl::Cleanup close_file = [file, &written, &path] {
    close(file);
    if (!written) unlink(path.c_str());
  };
  pb::AddApiClientSecretRequest request;
  request.set_name(arguments[0]);
  const auto added =
      ClientsAt(addresses).Call(&Stub::AddApiClientSecret, std::move(request));
  if (!added.ok()) return Told(err, added.status());
  const std::string line = Cat(added->secret(), "\n");
  written = !added->secret().empty() &&
            write(file, line.data(), line.size()) ==
                static_cast<ssize_t>(line.size()) &&
            fsync(file) == 0;
  if (!written) {
    err << "Le secret " << added->secret_id()
        << " est perdu : révoquez-le, puis demandez-en un autre.\n";
    return kRefused;
  }
  out << "Secret " << added->secret_id() << " écrit dans " << path << ".\n";
  Print(out, added->api_client());
  return kSuccess;
}

ExitCode RevokeClientSecretCommand(const ServiceAddresses& addresses,
                                   const std::vector<std::string>& arguments,
                                   std::ostream& out, std::ostream& err) {
  if (arguments.size() != 2) {
    err << "parcours client revoke NAME SECRET\n";
    return kUsage;
  }
  pb::RevokeApiClientSecretRequest request;
  request.set_name(arguments[0]);
  request.set_secret_id(arguments[1]);
  const auto client = ClientsAt(addresses).Call(&Stub::RevokeApiClientSecret,
                                                std::move(request));
  if (!client.ok()) return Told(err, client.status());
  Print(out, *client);
  return kSuccess;
}

}  // namespace parcours::cli
