#include "common/audit/verifier.h"

#include <algorithm>
#include <cstddef>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"

namespace parcours::audit {

ChainVerifier::Digest ChainVerifier::FromHex(std::string_view hex) {
  Digest digest{};
  const bool valid =
      hex.size() == 2 * digest.size() &&
      std::all_of(hex.begin(), hex.end(), [](char c) {
        return absl::ascii_isdigit(static_cast<unsigned char>(c)) ||
               (c >= 'a' && c <= 'f');
      });
  // No digest that occurs is all zeros, so that what is none fits nowhere.
  if (!valid) return digest;
  const std::string bytes =
      absl::HexStringToBytes(absl::string_view(hex.data(), hex.size()));
  std::copy(bytes.begin(), bytes.end(), digest.begin());
  return digest;
}

std::string ChainVerifier::Hex(const Digest& digest) {
  return absl::BytesToHexString(
      absl::string_view(digest.data(), digest.size()));
}

void ChainVerifier::Add(const ChainedEntry& entry) {
  const Digest commitment = FromHex(entry.commitment);
  if (entry.entry.has_value()) {
    const Digest actual = FromHex(CommitmentOf(*entry.entry, entry.salt));
    if (actual != commitment) contradicted_.emplace(links_.size(), actual);
  } else {
    ++redacted_;
  }
  links_.push_back({entry.position, FromHex(entry.previous_hash),
                    FromHex(entry.hash), commitment});
}

bool ChainVerifier::Fits(const Link& link, int64_t position) const {
  return Hex(link.hash) ==
         LinkHash(position, Hex(link.previous), Hex(link.commitment));
}

Fault ChainVerifier::Classify(std::size_t index, int64_t position,
                              int64_t last) const {
  const Link& link = links_[index];
  if (const auto contradicted = contradicted_.find(index);
      contradicted != contradicted_.end()) {
    // Its content may be another entry's.
    const bool elsewhere =
        std::any_of(links_.begin(), links_.end(), [&](const Link& other) {
          return other.commitment == contradicted->second;
        });
    return {elsewhere ? Tampering::kReordered : Tampering::kAltered, position};
  }
  if (Fits(link, position)) {
    // It is itself, and follows something else than what stands before it.
    return {Tampering::kAltered, std::max<int64_t>(position - 1, 1)};
  }
  for (int64_t original = 1; original <= last; ++original) {
    if (original == position || !Fits(link, original)) continue;
    // It stood elsewhere. If what stood here is still there, they changed
    // places; else what stood here is gone, and the rest was renumbered.
    const bool kept =
        std::any_of(links_.begin(), links_.end(),
                    [&](const Link& other) { return Fits(other, position); });
    return {kept || original < position ? Tampering::kReordered
                                        : Tampering::kRemoved,
            position};
  }
  // The place is as it was, and what belongs there may stand elsewhere.
  const std::string previous = Hex(link.previous);
  const std::string hash = Hex(link.hash);
  const bool swapped =
      std::any_of(links_.begin(), links_.end(), [&](const Link& other) {
        return LinkHash(position, previous, Hex(other.commitment)) == hash;
      });
  return {swapped ? Tampering::kReordered : Tampering::kAltered, position};
}

std::string ChainVerifier::HashAt(int64_t position) const {
  const auto found = std::lower_bound(
      links_.begin(), links_.end(), position,
      [](const Link& link, int64_t wanted) { return link.position < wanted; });
  return found == links_.end() || found->position != position
             ? ""
             : Hex(found->hash);
}

std::optional<Fault> ChainVerifier::InternalFault(const Head& head) const {
  Digest previous = FromHex(GenesisHash(head.incarnation));
  int64_t expected = 1;
  const int64_t last =
      std::max(head.position, links_.empty() ? 0 : links_.back().position) +
      static_cast<int64_t>(links_.size());
  for (std::size_t i = 0; i < links_.size(); ++i, ++expected) {
    const Link& link = links_[i];
    if (link.position > expected) return Fault{Tampering::kRemoved, expected};
    if (link.position < expected) {
      return Fault{Tampering::kReordered, link.position};
    }
    if (contradicted_.contains(i) || link.previous != previous ||
        !Fits(link, expected)) {
      return Classify(i, expected, last);
    }
    previous = link.hash;
  }
  const int64_t end = expected - 1;
  if (end < head.position) return Fault{Tampering::kTruncated, end + 1};
  const std::string there = head.position == 0 ? GenesisHash(head.incarnation)
                                               : HashAt(head.position);
  if (there != head.hash) return Fault{Tampering::kAltered, head.position};
  return std::nullopt;
}

Verdict ChainVerifier::Finish(const Head& head,
                              absl::Span<const KeptHead> kept) const {
  Verdict verdict{.entries = static_cast<int64_t>(links_.size()),
                  .redacted = redacted_,
                  .fault = InternalFault(head)};
  const auto note = [&](Fault fault) {
    if (!verdict.fault.has_value() ||
        fault.position < verdict.fault->position) {
      verdict.fault = std::move(fault);
    }
  };
  const int64_t end = links_.empty() ? 0 : links_.back().position;
  for (const KeptHead& one : kept) {
    if (one.head.incarnation != head.incarnation) {
      note({Tampering::kRewritten, 1, one.witness});
    } else if (one.head.position > end) {
      note({Tampering::kTruncated, end + 1, one.witness});
    } else if (one.head.position > 0 &&
               HashAt(one.head.position) != one.head.hash) {
      note({Tampering::kRewritten, one.head.position, one.witness});
    } else {
      ++verdict.matching_heads;
    }
  }
  return verdict;
}

}  // namespace parcours::audit
