#include "common/text/identifiers.h"

#include <algorithm>

#include "common/rpc/text_form.h"
#include "parcours/type/v1/field.pb.h"
#include "tests/fuzz/target.h"

PARCOURS_FUZZ_TARGET(identifiers) {
  using parcours::type::v1::FieldRules;
  namespace text = parcours::text;
  const bool siret = text::IsSiret(input);
  const bool any = siret || text::IsSiren(input) ||
                   text::IsActivityNumber(input) || text::IsPostalCode(input) ||
                   text::IsCommuneCode(input) || text::IsPhone(input) ||
                   text::IsEmail(input);
  if (any) {
    PARCOURS_FUZZ_CHECK(std::all_of(input.begin(), input.end(), [](char c) {
      return c > 0x20 && c < 0x7F;
    }));
    PARCOURS_FUZZ_CHECK(input.size() <= 254);
  }
  if (siret) PARCOURS_FUZZ_CHECK(text::IsSiren(input.substr(0, 9)));
  if (input.empty()) return;
  const auto& forms = *FieldRules::PatternKind_descriptor();
  for (int i = 0; i < forms.value_count(); ++i) {
    (void)parcours::rpc::HasForm(
        input, static_cast<FieldRules::PatternKind>(forms.value(i)->number()));
  }
}
