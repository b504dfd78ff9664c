#include "clients/cli/retention_commands.h"

#include <algorithm>
#include <cstdint>
#include <string_view>
#include <utility>

#include "absl/status/status.h"
#include "clients/cli/dates.h"
#include "clients/cli/privacy_calls.h"
#include "common/status/error.h"
#include "common/text/view.h"
#include "common/time/clock.h"
#include "common/types/resource_name.h"

namespace parcours::cli {
namespace {

namespace pb = ::parcours::platform::v1;
using Stub = pb::PrivacyService::StubInterface;

// Of the names of one kind; the count says the rest.
constexpr int kNamesShown = 5;

bool IsBody(const std::vector<std::string>& arguments, std::string_view usage,
            std::ostream& errors) {
  if (arguments.size() == 1 && MatchesNamePattern("bodies/*", arguments[0])) {
    return true;
  }
  errors << usage << '\n';
  return false;
}

void Print(std::ostream& out, const pb::RetentionClass& kind) {
  out << "  " << kind.kind() << " : " << kind.description_fr()
      << "\n    conservé    " << kind.period_fr() << ' ' << kind.starts_fr()
      << "\n    règle       " << kind.rule() << " (" << kind.article()
      << ")\n    source      " << kind.source() << "\n    à supprimer "
      << kind.due_count() << '\n';
  const int shown = std::min(kind.resources_size(), kNamesShown);
  for (int i = 0; i < shown; ++i) {
    out << "      " << kind.resources(i) << '\n';
  }
  if (kind.due_count() > shown && shown > 0) {
    out << "      … et " << kind.due_count() - shown << " de plus\n";
  }
}

int64_t DueIn(const pb::RetentionPlan& plan) {
  int64_t due = 0;
  for (const pb::RetentionClass& kind : plan.classes()) due += kind.due_count();
  return due;
}

}  // namespace

ExitCode PlanRetentionCommand(const ServiceAddresses& addresses,
                              const std::vector<std::string>& arguments,
                              std::ostream& out, std::ostream& errors) {
  if (!IsBody(arguments, "parcours retention plan BODY", errors)) {
    return kUsage;
  }
  ExitCode code = kSuccess;
  for (const PrivacyClient& client : PrivacyClients(addresses)) {
    pb::PlanRetentionRequest request;
    request.set_parent(arguments[0]);
    const auto plan =
        client.client.Call(&Stub::PlanRetention, std::move(request));
    if (!plan.ok()) {
      TellFailure(client.service, plan.status(), errors, code);
      continue;
    }
    out << client.service << ", "
        << PrintFrench(TimeOf(plan->plan_time()), ParisZone()) << '\n';
    for (const pb::RetentionClass& kind : plan->classes()) Print(out, kind);
    if (DueIn(*plan) == 0) {
      out << "  Rien à supprimer.\n";
    } else {
      out << "  Pour supprimer cela et rien d’autre : parcours retention apply "
          << arguments[0] << " --service=" << client.service << " --etag='"
          << plan->etag() << "'\n";
    }
  }
  return code;
}

ExitCode ApplyRetentionCommand(const ServiceAddresses& addresses,
                               const std::vector<std::string>& arguments,
                               const std::string& service,
                               const std::string& etag, std::ostream& out,
                               std::ostream& errors) {
  constexpr std::string_view kUsageText =
      "parcours retention apply BODY --service SERVICE --etag ETAG";
  if (!IsBody(arguments, kUsageText, errors)) return kUsage;
  if (service.empty() || etag.empty()) {
    errors << kUsageText
           << "\nL’etag est celui de parcours retention plan, qu’il faut avoir "
              "lu.\n";
    return kUsage;
  }
  for (const PrivacyClient& client : PrivacyClients(addresses)) {
    if (client.service != service) continue;
    pb::ApplyRetentionRequest request;
    request.set_parent(arguments[0]);
    request.set_etag(etag);
    const auto removed =
        client.client.Call(&Stub::ApplyRetention, std::move(request));
    if (!removed.ok()) {
      PrintError(errors, removed.status());
      if (ReasonOf(removed.status()) == Reason::kEtagMismatch) {
        errors << "Ce qui est à supprimer a changé depuis que le plan a été "
                  "lu. Rien n’a été supprimé ;\nà relire : parcours retention "
                  "plan "
               << arguments[0] << '\n';
      }
      return ExitCodeOf(removed.status());
    }
    out << service << " : supprimé\n";
    for (const pb::RetentionClass& kind : removed->classes()) {
      if (kind.due_count() == 0) continue;
      out << "  " << kind.kind() << " : " << kind.due_count() << " ("
          << kind.rule() << ")\n";
    }
    if (DueIn(*removed) == 0) out << "  rien\n";
    return kSuccess;
  }
  errors << "--service : « " << service
         << " » n’est aucun des services appelés.\n";
  return kUsage;
}

}  // namespace parcours::cli
