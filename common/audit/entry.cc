#include "common/audit/entry.h"

#include <algorithm>
#include <cstddef>
#include <map>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_split.h"
#include "common/crypto/digest.h"
#include "common/text/view.h"

namespace parcours::audit {
namespace {

constexpr std::size_t kSaltBytes = 16;
constexpr int kRoleBits = 64;
constexpr std::string_view kBodies = "bodies/";

// Digests fields so that no two lists of fields give the same bytes.
class FieldDigest {
 public:
  explicit FieldDigest(std::string_view kind) { Add(kind); }

  FieldDigest& Add(std::string_view field) {
    digest_.Update(BigEndian(static_cast<uint64_t>(field.size())));
    digest_.Update(field);
    return *this;
  }
  FieldDigest& Add(int64_t number) {
    return Add(BigEndian(static_cast<uint64_t>(number)));
  }
  FieldDigest& Add(absl::Time time) { return Add(absl::ToUnixMicros(time)); }

  std::string FinishHex() { return digest_.FinishHex(); }

 private:
  static std::string BigEndian(uint64_t number) {
    std::string bytes(8, '\0');
    for (std::size_t i = 0; i < 8; ++i) {
      bytes[i] = static_cast<char>((number >> (8 * (7 - i))) & 0xff);
    }
    return bytes;
  }

  crypto::Sha256 digest_;
};

std::string InOneLine(std::string text) {
  std::replace_if(
      text.begin(), text.end(),
      [](char c) { return absl::ascii_iscntrl(static_cast<unsigned char>(c)); },
      '?');
  return text;
}

// "bodies/opale" of a name below it, or nothing.
std::string BodyOf(std::string_view name) {
  if (!name.starts_with(kBodies)) return "";
  return std::string(name.substr(0, name.find('/', kBodies.size())));
}

}  // namespace

std::string_view ActionName(Action action) {
  return action == Action::kChange ? "CHANGE" : "READ";
}

int64_t RoleBits(access::RoleSet roles) {
  uint64_t bits = 0;
  for (int role = 0; role < kRoleBits; ++role) {
    if (roles.Has(role)) bits |= uint64_t{1} << role;
  }
  return static_cast<int64_t>(bits);
}

std::vector<Entry> EntriesOf(const access::Caller& caller, Action action,
                             const std::vector<Resource>& resources,
                             absl::Time record_time) {
  const Entry common{
      .business_time = caller.now,
      .record_time = record_time,
      .subject = InOneLine(caller.principal.subject),
      .roles = RoleBits(caller.acting_roles.empty() ? caller.principal.roles
                                                    : caller.acting_roles),
      .body = caller.principal.body,
      .method = caller.method,
      .action = action,
      .request_id = caller.request_id,
      .trace_id = caller.trace_id};
  if (resources.empty()) return {common};
  std::vector<Entry> entries;
  std::map<std::string, std::size_t> entry_of_body;
  // Of a name, the entry and the place in it.
  std::map<std::string, std::pair<std::size_t, std::size_t>> place_of_name;
  for (const Resource& resource : resources) {
    std::string name = InOneLine(resource.name);
    if (const auto known = place_of_name.find(name);
        known != place_of_name.end()) {
      const auto [entry, place] = known->second;
      entries[entry].resources[place].version = resource.version;
      continue;
    }
    std::string body = BodyOf(name);
    if (body.empty()) body = common.body;
    const auto [found, fresh] = entry_of_body.emplace(body, entries.size());
    if (fresh) {
      entries.push_back(common);
      entries.back().body = std::move(body);
    }
    Entry& entry = entries[found->second];
    place_of_name.emplace(
        name, std::make_pair(found->second, entry.resources.size()));
    entry.resources.push_back({std::move(name), resource.version});
  }
  return entries;
}

std::string ResourceLines(const std::vector<Resource>& resources) {
  std::string lines = "\n";
  for (const Resource& resource : resources) {
    CatTo(lines, resource.name, " ", resource.version, "\n");
  }
  return lines;
}

std::vector<Resource> ResourcesOfLines(std::string_view lines) {
  std::vector<Resource> resources;
  for (const absl::string_view part :
       absl::StrSplit(AbslView(lines), '\n', absl::SkipEmpty())) {
    const std::string_view line = StdView(part);
    const std::size_t space = std::min(line.rfind(' '), line.size());
    Resource resource{std::string(line.substr(0, space))};
    if (space < line.size()) {
      // What is no number stays 0: whoever recomputes the commitment sees it.
      static_cast<void>(absl::SimpleAtoi(AbslView(line.substr(space + 1)),
                                         &resource.version));
    }
    resources.push_back(std::move(resource));
  }
  return resources;
}

std::string NewSalt() { return crypto::RandomHex(kSaltBytes); }

std::string GenesisHash(std::string_view incarnation) {
  return FieldDigest("parcours.audit.genesis.1").Add(incarnation).FinishHex();
}

std::string CommitmentOf(const Entry& entry, std::string_view salt) {
  FieldDigest digest("parcours.audit.entry.1");
  digest.Add(salt)
      .Add(entry.business_time)
      .Add(entry.record_time)
      .Add(entry.subject)
      .Add(entry.roles)
      .Add(entry.body)
      .Add(entry.method)
      .Add(ActionName(entry.action))
      .Add(entry.request_id)
      .Add(entry.trace_id)
      .Add(static_cast<int64_t>(entry.resources.size()));
  for (const Resource& resource : entry.resources) {
    digest.Add(resource.name).Add(resource.version);
  }
  return digest.FinishHex();
}

std::string LinkHash(int64_t position, std::string_view previous_hash,
                     std::string_view commitment) {
  return FieldDigest("parcours.audit.link.1")
      .Add(position)
      .Add(previous_hash)
      .Add(commitment)
      .FinishHex();
}

}  // namespace parcours::audit
