#include "common/rpc/validation.h"

#include <cmath>
#include <functional>
#include <limits>
#include <memory>
#include <string>
#include <vector>

#include "common/rpc/testdata/probe.pb.h"
#include "common/testing/status_matchers.h"
#include "gmock/gmock.h"
#include "google/protobuf/text_format.h"
#include "gtest/gtest.h"

namespace parcours::rpc {
namespace {

namespace probe = ::parcours::testdata::v1;

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::ElementsAreArray;
using ::testing::IsNull;
using ::testing::NotNull;
using ::testing::SizeIs;

template <typename Request>
absl::Status Check(const Request& request) {
  std::unique_ptr<google::protobuf::Message> normalised;
  return RequestRules::Of(*Request::descriptor()).Check(request, normalised);
}

probe::CreateThingRequest ValidRequest() {
  probe::CreateThingRequest request;
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(
      R"pb(
        parent: "bodies/opale"
        thing {
          title: "A room with a view"
          note: "two\nlines"
          seats: 12
          colour: COLOUR_RED
          day { year: 2026 month: 2 day: 28 }
          birth { year: 1990 }
          starts { hours: 9 minutes: 30 }
          contact {
            email: "candidate.une@example.org"
            phone: "+33100000000"
            link: "https://example.org/a?b=c"
            id: "a-1"
            country: "FR"
            number: "0042"
            uuid: "0190a5f0-0000-7000-8000-000000000001"
          }
          guests { email: "a@example.org" }
          due_time { seconds: 1780000000 }
          length { seconds: 3600 }
          refund_cents: -100
          labels { key: "a" value: "b" }
          floor: 0
        }
      )pb",
      &request));
  request.mutable_thing()->mutable_contact()->set_digest(std::string(64, 'a'));
  return request;
}

TEST(Validation, AcceptsAValidRequestAsItIs) {
  std::unique_ptr<google::protobuf::Message> normalised;
  const probe::CreateThingRequest request = ValidRequest();
  EXPECT_OK(
      RequestRules::Of(*request.GetDescriptor()).Check(request, normalised));
  EXPECT_THAT(normalised, IsNull());
}

struct Case {
  std::string name;
  std::function<void(probe::CreateThingRequest&)> spoil;
  std::string field;
  Reason reason;
};

class ViolationTest : public ::testing::TestWithParam<Case> {};

TEST_P(ViolationTest, NamesTheFieldAndTheReason) {
  probe::CreateThingRequest request = ValidRequest();
  GetParam().spoil(request);
  const absl::Status status = Check(request);
  EXPECT_THAT(status, HasReason(GetParam().reason));
  EXPECT_THAT(ViolatedFields(status), ElementsAre(GetParam().field));
}

using Request = probe::CreateThingRequest;

INSTANTIATE_TEST_SUITE_P(
    Fields, ViolationTest,
    ::testing::ValuesIn(std::vector<Case>{
        {"RequiredString", [](Request& r) { r.clear_parent(); }, "parent",
         Reason::kFieldRequired},
        {"RequiredMessage", [](Request& r) { r.clear_thing(); }, "thing",
         Reason::kFieldRequired},
        {"RequiredBlank",
         [](Request& r) { r.mutable_thing()->set_title(" \t "); },
         "thing.title", Reason::kFieldRequired},
        {"RequiredEnum", [](Request& r) { r.mutable_thing()->clear_colour(); },
         "thing.colour", Reason::kFieldRequired},
        {"RequiredWithPresence",
         [](Request& r) { r.mutable_thing()->clear_floor(); }, "thing.floor",
         Reason::kFieldRequired},
        {"RequiredNested",
         [](Request& r) {
           r.mutable_thing()->mutable_contact()->clear_email();
         },
         "thing.contact.email", Reason::kFieldRequired},
        {"RequiredInARow",
         [](Request& r) { r.mutable_thing()->add_guests(); },
         "thing.guests[1].email", Reason::kFieldRequired},
        {"TooLong",
         [](Request& r) {
           r.mutable_thing()->set_title(std::string(501, 'x'));
         },
         "thing.title", Reason::kFieldTooLong},
        {"TooLongByItsRule",
         [](Request& r) {
           r.mutable_thing()->set_note(std::string(21, 'x'));
         },
         "thing.note", Reason::kFieldTooLong},
        {"TooManyBytes",
         [](Request& r) { r.mutable_thing()->set_seal("12345"); },
         "thing.seal", Reason::kFieldTooLong},
        {"LineBreak", [](Request& r) { r.mutable_thing()->set_title("a\nb"); },
         "thing.title", Reason::kFieldForbiddenCharacter},
        {"BellInLines", [](Request& r) { r.mutable_thing()->set_note("a\ab"); },
         "thing.note", Reason::kFieldForbiddenCharacter},
        {"LoneCarriageReturn",
         [](Request& r) { r.mutable_thing()->set_note("a\rb"); }, "thing.note",
         Reason::kFieldForbiddenCharacter},
        {"Nul",
         [](Request& r) {
           r.mutable_thing()->set_title(std::string("a\0b", 3));
         },
         "thing.title", Reason::kFieldForbiddenCharacter},
        {"C1Control",
         [](Request& r) { r.mutable_thing()->set_title("a\xC2\x85"); },
         "thing.title", Reason::kFieldForbiddenCharacter},
        {"NotACharacterOfXml",
         [](Request& r) { r.mutable_thing()->set_title("a\xEF\xBF\xBF"); },
         "thing.title", Reason::kFieldForbiddenCharacter},
        {"NotUtf8",
         [](Request& r) { r.mutable_thing()->set_title("\xC3("); },
         "thing.title", Reason::kFieldForbiddenCharacter},
        {"Surrogate",
         [](Request& r) { r.mutable_thing()->set_title("\xED\xA0\x80"); },
         "thing.title", Reason::kFieldForbiddenCharacter},
        {"Overlong",
         [](Request& r) { r.mutable_thing()->set_title("\xE0\x80\xAF"); },
         "thing.title", Reason::kFieldForbiddenCharacter},
        {"Truncated",
         [](Request& r) { r.mutable_thing()->set_title("abc\xE2\x82"); },
         "thing.title", Reason::kFieldForbiddenCharacter},
        {"NegativeCents",
         [](Request& r) { r.mutable_thing()->set_price_cents(-1); },
         "thing.price_cents", Reason::kFieldNegative},
        {"BelowItsMinimum",
         [](Request& r) { r.mutable_thing()->set_refund_cents(-101); },
         "thing.refund_cents", Reason::kFieldOutOfRange},
        {"AboveItsMaximum",
         [](Request& r) { r.mutable_thing()->set_seats(31); }, "thing.seats",
         Reason::kFieldOutOfRange},
        {"NegativeReal",
         [](Request& r) { r.mutable_thing()->set_weight(-0.5); },
         "thing.weight", Reason::kFieldNegative},
        {"NotANumber",
         [](Request& r) {
           r.mutable_thing()->set_weight(
               std::numeric_limits<double>::quiet_NaN());
         },
         "thing.weight", Reason::kFieldMalformed},
        {"UnknownEnumValue",
         [](Request& r) {
           r.mutable_thing()->set_colour(static_cast<probe::Colour>(9));
         },
         "thing.colour", Reason::kUnknownEnumValue},
        {"UnknownEnumValueInARow",
         [](Request& r) {
           r.mutable_thing()->add_colours(probe::COLOUR_RED);
           r.mutable_thing()->add_colours(static_cast<probe::Colour>(9));
         },
         "thing.colours[1]", Reason::kUnknownEnumValue},
        {"AnElementThatSaysNothing",
         [](Request& r) {
           r.mutable_thing()->add_colours(probe::COLOUR_UNSPECIFIED);
         },
         "thing.colours[0]", Reason::kUnknownEnumValue},
        {"NoSuchDay",
         [](Request& r) { r.mutable_thing()->mutable_day()->set_day(29); },
         "thing.day", Reason::kFieldMalformed},
        {"PartialDay",
         [](Request& r) { r.mutable_thing()->mutable_day()->set_day(0); },
         "thing.day", Reason::kFieldMalformed},
        {"PartialDateWithoutYear",
         [](Request& r) { r.mutable_thing()->mutable_birth()->set_year(0); },
         "thing.birth", Reason::kFieldMalformed},
        {"DayOfAnUnknownMonth",
         [](Request& r) { r.mutable_thing()->mutable_birth()->set_day(3); },
         "thing.birth", Reason::kFieldMalformed},
        {"FarFuture",
         [](Request& r) { r.mutable_thing()->mutable_day()->set_year(2201); },
         "thing.day", Reason::kFieldMalformed},
        {"NoSuchTime",
         [](Request& r) { r.mutable_thing()->mutable_starts()->set_hours(24); },
         "thing.starts", Reason::kFieldMalformed},
        {"NoSuchInstant",
         [](Request& r) {
           r.mutable_thing()->mutable_due_time()->set_nanos(-1);
         },
         "thing.due_time", Reason::kFieldMalformed},
        {"MixedDuration",
         [](Request& r) {
           r.mutable_thing()->mutable_length()->set_nanos(-1);
         },
         "thing.length", Reason::kFieldMalformed},
        {"TooManyRows",
         [](Request& r) {
           for (int i = 0; i < 3; ++i) {
             r.mutable_thing()->add_guests()->set_email("a@example.org");
           }
         },
         "thing.guests", Reason::kFieldMalformed},
        {"TooManyLabels",
         [](Request& r) {
           (*r.mutable_thing()->mutable_labels())["b"] = "";
           (*r.mutable_thing()->mutable_labels())["c"] = "";
         },
         "thing.labels", Reason::kFieldMalformed},
        {"BadLabel",
         [](Request& r) {
           (*r.mutable_thing()->mutable_labels())["a"] = "x\a";
         },
         "thing.labels[0].value", Reason::kFieldForbiddenCharacter},
        {"NameOfAnotherKind",
         [](Request& r) {
           r.mutable_thing()->set_name("bodies/opale/rooms/a");
         },
         "thing.name", Reason::kFieldMalformed},
        {"ParentOfAnotherKind",
         [](Request& r) { r.set_parent("bodies/opale/things/a"); }, "parent",
         Reason::kFieldMalformed},
        {"NameOfAnUnknownKind",
         [](Request& r) { r.set_owner("people/../secret/x"); }, "owner",
         Reason::kFieldMalformed},
        {"Email",
         [](Request& r) {
           r.mutable_thing()->mutable_contact()->set_email("a@b@example.org");
         },
         "thing.contact.email", Reason::kFieldMalformed},
        {"EmailWithoutDomain",
         [](Request& r) {
           r.mutable_thing()->mutable_contact()->set_email("a@localhost");
         },
         "thing.contact.email", Reason::kFieldMalformed},
        {"Phone",
         [](Request& r) {
           r.mutable_thing()->mutable_contact()->set_phone("01 00 00 00 00");
         },
         "thing.contact.phone", Reason::kFieldMalformed},
        {"Link",
         [](Request& r) {
           r.mutable_thing()->mutable_contact()->set_link(
               "https://example.org@evil.example/");
         },
         "thing.contact.link", Reason::kFieldMalformed},
        {"PlainLink",
         [](Request& r) {
           r.mutable_thing()->mutable_contact()->set_link(
               "http://example.org/");
         },
         "thing.contact.link", Reason::kFieldMalformed},
        {"Id",
         [](Request& r) {
           r.mutable_thing()->mutable_contact()->set_id("-a");
         },
         "thing.contact.id", Reason::kFieldMalformed},
        {"Country",
         [](Request& r) {
           r.mutable_thing()->mutable_contact()->set_country("fr");
         },
         "thing.contact.country", Reason::kFieldMalformed},
        {"Digest",
         [](Request& r) {
           r.mutable_thing()->mutable_contact()->set_digest("AB");
         },
         "thing.contact.digest", Reason::kFieldMalformed},
        {"Digits",
         [](Request& r) {
           r.mutable_thing()->mutable_contact()->set_number("12a");
         },
         "thing.contact.number", Reason::kFieldMalformed},
        {"Uuid",
         [](Request& r) {
           r.mutable_thing()->mutable_contact()->set_uuid("12");
         },
         "thing.contact.uuid", Reason::kFieldMalformed},
        {"NestedInItsOwnKind",
         [](Request& r) {
           const probe::Thing copy = r.thing();
           *r.mutable_thing()->mutable_parent_thing() = copy;
           r.mutable_thing()->mutable_parent_thing()->set_seats(99);
         },
         "thing.parent_thing.seats", Reason::kFieldOutOfRange},
    }),
    [](const ::testing::TestParamInfo<Case>& info) { return info.param.name; });

TEST(Validation, ReportsEverythingAtOnce) {
  probe::CreateThingRequest request = ValidRequest();
  request.clear_parent();
  request.mutable_thing()->set_price_cents(-1);
  request.mutable_thing()->mutable_contact()->set_email("nobody");
  const absl::Status status = Check(request);
  EXPECT_THAT(status, HasReason(Reason::kInvalidFields));
  EXPECT_THAT(ViolatedFields(status), ElementsAre("parent", "thing.price_cents",
                                                  "thing.contact.email"));
}

TEST(Validation, CountsCharactersAndNotBytes) {
  probe::CreateThingRequest request = ValidRequest();
  std::string accents;
  for (int i = 0; i < 20; ++i) accents += "\xC3\xA9";
  request.mutable_thing()->set_note(accents);
  EXPECT_OK(Check(request));
  request.mutable_thing()->set_note(accents + "\xF0\x9F\x8E\xAD");
  EXPECT_THAT(Check(request), HasReason(Reason::kFieldTooLong));
}

TEST(Validation, IgnoresWhatOnlyTheServiceSets) {
  probe::CreateThingRequest request = ValidRequest();
  request.mutable_thing()->mutable_create_time()->set_nanos(-1);
  EXPECT_OK(Check(request));
}

TEST(Validation, NormalisesACopyInEveryCorner) {
  probe::CreateThingRequest request = ValidRequest();
  request.mutable_thing()->set_title("E\xCC\x81t\xC3\xA9");
  request.mutable_thing()->set_note("a\r\nb");
  (*request.mutable_thing()->mutable_labels())["a"] = "e\xCC\x80";
  const probe::CreateThingRequest before = request;

  std::unique_ptr<google::protobuf::Message> normalised;
  EXPECT_OK(
      RequestRules::Of(*request.GetDescriptor()).Check(request, normalised));
  ASSERT_THAT(normalised, NotNull());
  const auto& checked =
      static_cast<const probe::CreateThingRequest&>(*normalised);
  EXPECT_EQ(checked.thing().title(), "\xC3\x89t\xC3\xA9");
  EXPECT_EQ(checked.thing().note(), "a\nb");
  EXPECT_EQ(checked.thing().labels().at("a"), "\xC3\xA8");
  EXPECT_EQ(checked.thing().seats(), 12);
  EXPECT_EQ(request.thing().title(), before.thing().title());
}

TEST(Validation, AnUpdateNeedsOnlyWhatItReplaces) {
  probe::UpdateThingRequest request;
  request.mutable_thing()->set_name("bodies/opale/things/a");
  request.mutable_thing()->set_seats(3);
  EXPECT_OK(Check(request)) << "without a mask: the fields that are there";

  request.mutable_update_mask()->add_paths("title");
  EXPECT_THAT(Check(request), AllOf(HasReason(Reason::kFieldRequired),
                                    ViolatesField("thing.title")));

  request.mutable_update_mask()->set_paths(0, "*");
  EXPECT_THAT(ViolatedFields(Check(request)),
              ElementsAreArray({"thing.title", "thing.colour", "thing.floor"}));
}

TEST(Validation, APageSizeIsNotNegative) {
  probe::ListThingsRequest request;
  request.set_page_size(-1);
  EXPECT_THAT(Check(request), AllOf(HasReason(Reason::kFieldNegative),
                                    ViolatesField("page_size")));
  request.set_page_size(100'000);
  EXPECT_OK(Check(request));
}

TEST(Validation, ListsTheFirstTwentyOfMany) {
  probe::CreateThingRequest request = ValidRequest();
  for (int i = 0; i < 40; ++i) {
    request.mutable_thing()->add_colours(static_cast<probe::Colour>(9));
  }
  EXPECT_THAT(ViolatedFields(Check(request)), SizeIs(20));
}

}  // namespace
}  // namespace parcours::rpc
