#include "common/rpc/page_token.h"

#include <string>

#include "parcours/enrolment/v1/application.pb.h"
#include "tests/fuzz/target.h"

// The first byte chooses: a token as it comes, or a key whose token is made and
// then changed in one place.
PARCOURS_FUZZ_TARGET(page_token) {
  static const parcours::rpc::PageTokens tokens(
      "a key of 32 bytes, for fuzzing");
  parcours::enrolment::v1::ListApplicationsRequest request;
  request.set_parent("bodies/opale/cohorts/culture-ess-2026");
  const unsigned choice = parcours::fuzz::TakeByte(input);
  if (choice % 2 == 0) {
    request.set_page_token(std::string(input));
    const auto page = tokens.Read(request);
    // Nobody guesses a seal.
    PARCOURS_FUZZ_CHECK(page.ok() == input.empty());
    return;
  }
  request.set_page_token(tokens.Make(request, input));
  const auto page = tokens.Read(request);
  PARCOURS_FUZZ_CHECK(page.ok());
  PARCOURS_FUZZ_CHECK(page->after_key == input);
  if (input.empty()) return;
  std::string& token = *request.mutable_page_token();
  char& changed = token[choice / 2 * token.size() / 128];
  changed = changed == 'A' ? 'B' : 'A';
  const auto other = tokens.Read(request);
  // The last character may carry bits that stand for nothing.
  PARCOURS_FUZZ_CHECK(!other.ok() || other->after_key == input);
}
