#ifndef PARCOURS_COMMON_AUDIT_VERIFIER_H_
#define PARCOURS_COMMON_AUDIT_VERIFIER_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/types/span.h"
#include "common/audit/entry.h"

namespace parcours::audit {

// What was done to a chain.
enum class Tampering {
  // An entry is missing in between.
  kRemoved,
  // An entry, or its place in the chain, is not what it was.
  kAltered,
  // Entries have changed places.
  kReordered,
  // The end is missing.
  kTruncated,
  // The chain is consistent, and is not the one whose head somebody kept.
  kRewritten,
};

struct Fault {
  Tampering kind = Tampering::kAltered;
  // The first position that is not what it was; of a rewritten chain, that of
  // the first kept head that does not match.
  int64_t position = 0;
  // Who kept that head; empty unless a kept head shows the fault.
  std::string witness;
};

// A head that somebody else has kept.
struct KeptHead {
  Head head;
  // Who: a service or a file.
  std::string witness;
};

struct Verdict {
  // Entries that were read.
  int64_t entries = 0;
  // Of these, those whose content the reader may not see.
  int64_t redacted = 0;
  // Kept heads that match.
  int64_t matching_heads = 0;
  // The first fault.
  std::optional<Fault> fault;
};

// Checks one chain: that its positions have no gap, that every entry is the one
// that was committed to, that every hash is that of its place, that it ends
// where it says, and that it passes through the heads that others kept. Holds
// some 100 bytes for each entry. Not thread-safe.
//
// A chain that was rewritten from some entry on, consistently, is told from a
// true one by a kept head at or after that entry and by nothing else.
class ChainVerifier {
 public:
  // The next entry, in the order in which the chain is read.
  void Add(const ChainedEntry& entry);

  // `head` was read before the entries were, and the kept heads before it.
  Verdict Finish(const Head& head, absl::Span<const KeptHead> kept) const;

 private:
  using Digest = std::array<char, 32>;
  struct Link {
    int64_t position = 0;
    Digest previous;
    Digest hash;
    Digest commitment;
  };

  std::optional<Fault> InternalFault(const Head& head) const;
  // What makes the link at `index`, which does not follow `expected_previous`
  // or is not itself, wrong at `position`.
  Fault Classify(std::size_t index, int64_t position, int64_t last) const;
  // Empty where no link is.
  std::string HashAt(int64_t position) const;
  bool Fits(const Link& link, int64_t position) const;
  static Digest FromHex(std::string_view hex);
  static std::string Hex(const Digest& digest);

  std::vector<Link> links_;
  // By index of a link, what its content amounts to where that is not what it
  // is committed to.
  std::map<std::size_t, Digest> contradicted_;
  int64_t redacted_ = 0;
};

}  // namespace parcours::audit

#endif  // PARCOURS_COMMON_AUDIT_VERIFIER_H_
