#include "common/rules/rule_book.h"

#include "tests/fuzz/target.h"

PARCOURS_FUZZ_TARGET(rule_book) {
  const auto book = parcours::rules::RuleBook::Parse(input, "input");
  if (!book.ok()) {
    PARCOURS_FUZZ_CHECK(!book.status().message().empty());
    return;
  }
  for (const std::string& id : book->Ids()) {
    for (const int year : {-9999, 1900, 2026, 9999}) {
      (void)book->AsOf(id, absl::CivilDay(year, 2, 28));
    }
  }
}
