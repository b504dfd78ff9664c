#include <string>

#include "common/rpc/convert.h"
#include "common/rpc/page_token.h"
#include "common/rpc/serialise.h"
#include "common/rpc/testdata/probe.pb.h"
#include "common/rpc/update_mask.h"
#include "common/testing/enum_agreement.h"
#include "common/testing/status_matchers.h"
#include "common/types/enum_names.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace parcours::rpc {

namespace probe = ::parcours::testdata::v1;

enum class Colour { kRed, kGreen };
enum class OtherColour { kGreen, kRed };

}  // namespace parcours::rpc

namespace parcours {

template <>
struct EnumNames<rpc::Colour> {
  static constexpr std::string_view values[] = {"RED", "GREEN"};
};
template <>
struct EnumNames<rpc::OtherColour> {
  static constexpr std::string_view values[] = {"GREEN", "RED"};
};

}  // namespace parcours

namespace parcours::rpc {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr char kKey[] = "a key for tests, 32 bytes long...";

probe::ListThingsRequest List(const std::string& parent) {
  probe::ListThingsRequest request;
  request.set_parent(parent);
  return request;
}

TEST(PageTokens, LeadToTheNextPageWhateverItsSize) {
  const PageTokens tokens(kKey);
  probe::ListThingsRequest request = List("bodies/opale");
  const std::string key("bodies/opale/things/\0 é", 22);
  request.set_page_token(tokens.Make(request, key));
  request.set_page_size(7);
  const auto page = tokens.Read(request);
  ASSERT_OK(page);
  EXPECT_EQ(page->after_key, key);
  EXPECT_EQ(page->size, 7);
}

TEST(PageTokens, TheLastPageHasNone) {
  EXPECT_THAT(PageTokens(kKey).Make(List("bodies/opale"), ""), IsEmpty());
}

TEST(PageTokens, SizesHaveADefaultAndAMaximum) {
  const PageTokens tokens(kKey);
  probe::ListThingsRequest request;
  EXPECT_EQ(tokens.Read(request)->size, 50);
  request.set_page_size(501);
  EXPECT_EQ(tokens.Read(request)->size, 500);
}

TEST(PageTokens, AreRefusedWithOtherArgumentsAnotherKeyOrAnotherByte) {
  const PageTokens tokens(kKey);
  probe::ListThingsRequest request = List("bodies/opale");
  const std::string token = tokens.Make(request, "bodies/opale/things/a");

  probe::ListThingsRequest other = List("bodies/other");
  other.set_page_token(token);
  EXPECT_THAT(tokens.Read(other), AllOf(HasReason(Reason::kPageTokenInvalid),
                                        ViolatesField("page_token")));
  other = List("bodies/opale");
  other.set_order_by("title");
  other.set_page_token(token);
  EXPECT_THAT(tokens.Read(other), HasReason(Reason::kPageTokenInvalid));

  request.set_page_token(token);
  EXPECT_OK(tokens.Read(request));
  EXPECT_THAT(PageTokens("another key, just as long as it..").Read(request),
              HasReason(Reason::kPageTokenInvalid));
  for (std::size_t i = 0; i < token.size(); ++i) {
    std::string forged = token;
    forged[i] = forged[i] == 'A' ? 'B' : 'A';
    request.set_page_token(forged);
    EXPECT_FALSE(tokens.Read(request).ok()) << i;
  }
  for (const char* garbage : {"x", "AAAA", "%%%", "AAAAAAAAAAAAAAAAAAAAAA=="}) {
    request.set_page_token(garbage);
    EXPECT_THAT(tokens.Read(request), HasReason(Reason::kPageTokenInvalid));
  }
}

probe::Thing Stored() {
  probe::Thing thing;
  thing.set_name("bodies/opale/things/a");
  thing.set_title("before");
  thing.set_seats(5);
  thing.set_etag("\"v1\"");
  thing.mutable_contact()->set_email("a@example.org");
  thing.mutable_contact()->set_country("FR");
  thing.add_colours(probe::COLOUR_RED);
  thing.mutable_create_time()->set_seconds(1);
  return thing;
}

absl::Status Merge(std::vector<std::string> paths, const probe::Thing& from,
                   probe::Thing& to) {
  google::protobuf::FieldMask mask;
  for (const std::string& path : paths) mask.add_paths(path);
  return MergeMasked(mask, from, to);
}

TEST(MergeMasked, WithoutAMaskTheFieldsThatAreSet) {
  probe::Thing stored = Stored();
  probe::Thing update;
  update.set_name("bodies/opale/things/b");
  update.set_title("after");
  update.set_etag("\"v9\"");
  update.mutable_create_time()->set_seconds(9);
  EXPECT_OK(Merge({}, update, stored));
  probe::Thing expected = Stored();
  expected.set_title("after");
  EXPECT_EQ(DeterministicBytes(stored), DeterministicBytes(expected));
}

TEST(MergeMasked, WithAMaskThoseItNamesEvenToClearThem) {
  probe::Thing stored = Stored();
  probe::Thing update;
  update.set_title("not named");
  update.mutable_contact()->set_email("b@example.org");
  EXPECT_OK(Merge({"seats", "contact.email", "colours"}, update, stored));
  EXPECT_EQ(stored.title(), "before");
  EXPECT_EQ(stored.seats(), 0);
  EXPECT_EQ(stored.contact().email(), "b@example.org");
  EXPECT_EQ(stored.contact().country(), "FR");
  EXPECT_THAT(stored.colours(), IsEmpty());
}

TEST(MergeMasked, AMessageThatIsNamedIsReplacedWhole) {
  probe::Thing stored = Stored();
  probe::Thing update;
  update.mutable_contact()->set_email("b@example.org");
  EXPECT_OK(Merge({"contact"}, update, stored));
  EXPECT_THAT(stored.contact().country(), IsEmpty());
  EXPECT_OK(Merge({"contact"}, probe::Thing(), stored));
  EXPECT_FALSE(stored.has_contact());
}

TEST(MergeMasked, WithAStarAllContent) {
  probe::Thing stored = Stored();
  probe::Thing update;
  update.set_title("after");
  EXPECT_OK(Merge({"*"}, update, stored));
  probe::Thing expected;
  expected.set_name("bodies/opale/things/a");
  expected.set_title("after");
  expected.set_etag("\"v1\"");
  expected.mutable_create_time()->set_seconds(1);
  EXPECT_EQ(DeterministicBytes(stored), DeterministicBytes(expected));
}

TEST(MergeMasked, RefusesWhatCannotBeWrittenAndWritesNothing) {
  for (const char* path : {"create_time", "name", "etag", "nothing",
                           "contact.nothing", "guests.email", "title.x", ""}) {
    probe::Thing stored = Stored();
    probe::Thing update;
    update.set_title("after");
    EXPECT_THAT(Merge({"title", path}, update, stored),
                AllOf(HasReason(Reason::kUpdateMaskInvalid),
                      ViolatesField("update_mask")))
        << path;
    EXPECT_EQ(stored.title(), "before") << path;
  }
}

TEST(MergeMasked, AFieldOfAPartMayBeCalledName) {
  probe::Thing stored = Stored();
  probe::Thing update;
  update.mutable_parent_thing()->set_etag("\"v2\"");
  EXPECT_OK(Merge({"parent_thing.etag"}, update, stored));
  EXPECT_EQ(stored.parent_thing().etag(), "\"v2\"");
}

TEST(Convert, InstantsGoBothWays) {
  for (const absl::Time time :
       {absl::UnixEpoch(), absl::FromUnixMicros(1'780'000'000'123'456),
        absl::FromUnixMicros(-1), absl::FromUnixMicros(-1'500'000)}) {
    EXPECT_EQ(TimeOf(TimestampOf(time)), time);
    EXPECT_GE(TimestampOf(time).nanos(), 0);
  }
}

TEST(Convert, DaysAndMinutesGoBothWays) {
  const absl::CivilDay day(2026, 3, 29);
  EXPECT_EQ(CivilDayOf(DateOf(day)), day);
  google::type::Date year;
  year.set_year(1990);
  EXPECT_EQ(CivilDayOf(year), absl::CivilDay(1990, 1, 1));
  const absl::CivilMinute minute(2026, 3, 29, 9, 30);
  EXPECT_EQ(CivilMinuteOf(day, TimeOfDayOf(minute)), minute);
}

TEST(Convert, EnumsGoBothWaysWhenTheyAgree) {
  EXPECT_TRUE((EnumsAgree<probe::Colour, Colour>()));
  EXPECT_FALSE((EnumsAgree<probe::Colour, OtherColour>()));
  EXPECT_EQ(EnumToProto<probe::Colour>(Colour::kGreen), probe::COLOUR_GREEN);
  EXPECT_EQ(EnumFromProto<Colour>(probe::COLOUR_RED), Colour::kRed);
}

}  // namespace
}  // namespace parcours::rpc
