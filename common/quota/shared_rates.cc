#include "common/quota/shared_rates.h"

#include <optional>
#include <string_view>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_split.h"
#include "absl/time/clock.h"
#include "common/status/macros.h"
#include "common/text/view.h"

namespace parcours::quota {
namespace {

constexpr int64_t kNanosPerMicro = 1000;

// KEYS: the buckets. ARGV: the most that one may hold, then for each key what
// is added and what it is known to hold. All in microseconds, which Lua's
// doubles hold exactly. What is no number, or too large a one, was not written
// by this script: it is read as nothing, or as the most.
constexpr std::string_view kExchange = R"lua(
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local most = tonumber(ARGV[1])
local debts = {}
for i, key in ipairs(KEYS) do
  local held = redis.pcall('GET', key)
  local empty = type(held) == 'string' and tonumber(held) or 0
  if not (empty > now) then empty = now end
  local debt = empty - now + ARGV[2 * i]
  debt = math.min(math.max(debt, tonumber(ARGV[2 * i + 1])), most)
  redis.call('SET', key, string.format('%.0f', now + debt),
             'PX', string.format('%.0f', debt / 1000 + 1))
  debts[i] = string.format('%.0f', debt)
end
return table.concat(debts, ' ')
)lua";

std::string MicrosText(int64_t nanos) { return Cat(nanos / kNanosPerMicro); }

}  // namespace

SharedRates::SharedRates(Connect connect, int64_t most)
    : connect_(std::move(connect)),
      most_(MicrosText(most)),
      breaker_({}, absl::Now) {}

absl::StatusOr<std::vector<int64_t>> SharedRates::Exchange(
    absl::Span<const RateTable::Use> uses) {
  std::optional<cache::CircuitBreaker::Permit> permit = breaker_.Ask();
  if (!permit.has_value()) {
    return absl::UnavailableError("the breaker is open");
  }
  if (connection_ == nullptr || !connection_->usable()) {
    absl::StatusOr<std::unique_ptr<cache::RedisConnection>> connection =
        connect_();
    if (!connection.ok()) {
      permit->Failed();
      return connection.status();
    }
    connection_ = *std::move(connection);
  }
  std::vector<std::string> command = {"EVAL", std::string(kExchange),
                                      Cat(uses.size())};
  for (const RateTable::Use& use : uses) {
    command.push_back(absl::StrFormat("parcours:quota:%016x", use.key));
  }
  command.push_back(most_);
  for (const RateTable::Use& use : uses) {
    command.push_back(MicrosText(use.cost));
    command.push_back(MicrosText(use.debt));
  }
  const std::vector<std::string_view> arguments(command.begin(), command.end());
  const absl::StatusOr<cache::RedisReply> reply =
      connection_->Execute(arguments);
  if (!reply.ok()) {
    permit->Failed();
    return reply.status();
  }
  permit->Succeeded();
  std::vector<int64_t> debts;
  for (const absl::string_view text :
       absl::StrSplit(reply->text, ' ', absl::SkipEmpty())) {
    int64_t micros = 0;
    if (!absl::SimpleAtoi(text, &micros) || micros < 0) break;
    debts.push_back(micros * kNanosPerMicro);
  }
  if (debts.size() != uses.size()) {
    return absl::UnavailableError("Redis answered something else");
  }
  return debts;
}

}  // namespace parcours::quota
