#include "services/enrolment/domain/api_client_use_cases.h"

#include <string>

#include "gmock/gmock.h"
#include "services/enrolment/testing/record.h"

namespace parcours::enrolment {
namespace {

using ::testing::IsEmpty;
using ::testing::SizeIs;

const std::string kKey(32, 'k');

// Real time is far from business time, which TestRecord stands at.
const absl::Time kNow = Paris(2031, 5, 6, 7);

class ApiClientUseCaseTest : public RecordTest {
 protected:
  ApiClientUseCaseTest() : record_(GetParam()) {}

  ApiClient Client(std::string_view id) const {
    ApiClient client;
    client.name = ChildName<ApiClientName>(record_.body, "apiClients", id);
    client.display_name = "Client d’essai";
    client.purpose = "Suivre les salariés";
    client.contact_name = "Contact Une";
    client.contact_email = "contact.une@example.org";
    client.roles = {Role::kEmployerContact, Role::kFunder};
    client.organisation = record_.employer;
    client.funder_id = "opco";
    client.calls_per_minute = 60;
    client.expire_time = kNow + absl::Hours(24 * 400);
    return client;
  }

  ApiClientView Created(std::string_view id) {
    return Must(CreateApiClient(record_.store(), record_.Call(), decision_,
                                Client(id), Mode::kCommit));
  }

  absl::StatusOr<AddedSecret> Add(const ApiClientName& name,
                                  std::string_view request_id = "",
                                  std::string_view digest = "digest") {
    return AddApiClientSecret(
        record_.store(), record_.rules, kKey,
        record_.Call("AddApiClientSecret", request_id, digest), decision_, name,
        /*expire_time=*/{}, /*etag=*/"");
  }

  absl::StatusOr<AuthenticClient> Show(const ApiClientName& name,
                                       const std::string& text,
                                       absl::Time now = kNow) {
    return AuthenticateClient(record_.store(), kKey, record_.Call("IssueToken"),
                              name, text, now);
  }

  TestRecord record_;
  ClientDecision decision_{.giver = ClientGiver::kCoordinator, .now = kNow};
};

TEST_P(ApiClientUseCaseTest, IsStoredWhole) {
  const ApiClientView created = Created("client");
  EXPECT_EQ(created.client.version, 1);
  const AddedSecret added = Must(Add(created.client.name));
  const ApiClientView read =
      Must(GetApiClient(record_.store(), record_.Call(), created.client.name));
  EXPECT_EQ(read.client, added.view.client);
  ApiClient expected = Client("client");
  expected.secrets = read.client.secrets;
  expected.version = 2;
  expected.create_time = record_.now;
  expected.update_time = record_.now;
  EXPECT_EQ(read.client, expected);
  ASSERT_THAT(read.client.secrets, SizeIs(1));
  EXPECT_EQ(read.client.secrets[0].id, added.secret_id);
  EXPECT_EQ(read.client.secrets[0].create_time, kNow);
  EXPECT_THAT(read.last_uses, IsEmpty());
}

TEST_P(ApiClientUseCaseTest, RefersToAnOrganisationOfItsBody) {
  const int64_t rows = record_.RowsWritten();
  for (const char* const organisation :
       {"bodies/essai/organisations/absente",
        "bodies/autre/organisations/employeur"}) {
    ApiClient client = Client("client");
    client.organisation = OrganisationName::FromRecord(organisation);
    client.purpose = "";
    const auto refused = CreateApiClient(record_.store(), record_.Call(),
                                         decision_, client, Mode::kCommit);
    EXPECT_THAT(refused, ViolatesField("api_client.organisation"));
    EXPECT_THAT(refused, ViolatesField("api_client.purpose"));
  }
  EXPECT_EQ(record_.RowsWritten(), rows);
}

TEST_P(ApiClientUseCaseTest, ASecretIsShownOnce) {
  const ApiClientName name = Created("client").client.name;
  const AddedSecret first = Must(Add(name, "id-1"));
  EXPECT_TRUE(HasSecretForm(first.text));
  const int64_t rows = record_.RowsWritten();
  const AddedSecret again = Must(Add(name, "id-1"));
  EXPECT_EQ(again.text, "");
  EXPECT_EQ(again.secret_id, first.secret_id);
  EXPECT_EQ(again.view.client, first.view.client);
  EXPECT_EQ(record_.RowsWritten(), rows);
  EXPECT_THAT(Add(name, "id-1", "another digest"),
              HasReason(Reason::kRequestIdReused));
  // Also when the same request would be refused by now.
  decision_.now = kNow + absl::Hours(24 * 500);
  EXPECT_EQ(Must(Add(name, "id-1")).secret_id, first.secret_id);
  decision_.now = kNow;
  // What was lost is revoked; the repeated call still says which it was.
  EXPECT_OK(RevokeApiClientSecret(record_.store(),
                                  record_.Call("RevokeApiClientSecret"), name,
                                  first.secret_id, /*etag=*/""));
  EXPECT_EQ(Must(Add(name, "id-1")).secret_id, first.secret_id);
  EXPECT_THAT(Show(name, first.text), HasReason(Reason::kUnauthenticated));
  const AddedSecret second = Must(Add(name, "id-2"));
  EXPECT_NE(second.text, first.text);
  EXPECT_OK(Show(name, second.text));
}

TEST_P(ApiClientUseCaseTest, NeitherSecretNorKeyIsInTheDatabase) {
  const ApiClientName name = Created("client").client.name;
  const AddedSecret added = Must(Add(name, "id-1"));
  EXPECT_EQ(record_.Count("SELECT COUNT(*) FROM api_client WHERE secrets LIKE"
                          " '%parcours_%'"),
            0);
  EXPECT_EQ(record_.Count("SELECT COUNT(*) FROM api_client WHERE secrets LIKE"
                          " '%" +
                          added.text.substr(9, 16) + "%'"),
            0);
  EXPECT_EQ(record_.Count("SELECT COUNT(*) FROM idempotency WHERE outcome_name"
                          " LIKE '%parcours_%'"),
            0);
}

TEST_P(ApiClientUseCaseTest, RotatesWithoutABreak) {
  const ApiClientName name = Created("client").client.name;
  const AddedSecret old = Must(Add(name));
  const AddedSecret fresh = Must(Add(name));
  EXPECT_THAT(Add(name), HasReason(Reason::kSecretLimitReached));
  EXPECT_EQ(Must(Show(name, old.text)).secret_id, old.secret_id);
  EXPECT_EQ(Must(Show(name, fresh.text)).secret_id, fresh.secret_id);
  EXPECT_OK(RevokeApiClientSecret(record_.store(),
                                  record_.Call("RevokeApiClientSecret"), name,
                                  old.secret_id, /*etag=*/""));
  EXPECT_THAT(Show(name, old.text), HasReason(Reason::kUnauthenticated));
  EXPECT_OK(Show(name, fresh.text));
}

TEST_P(ApiClientUseCaseTest, EveryRefusalOfACredentialIsTheSame) {
  const ApiClientName name = Created("client").client.name;
  const std::string text = Must(Add(name)).text;
  const ApiClientName other = Created("autre").client.name;
  Must(Add(other));
  const ApiClientName absent =
      ChildName<ApiClientName>(record_.body, "apiClients", "absent");
  ASSERT_OK(Show(name, text));
  std::vector<absl::Status> refusals = {
      Show(name, NewSecretText()).status(),
      Show(absent, text).status(),
      Show(other, text).status(),
      Show(name, "").status(),
      Show(name, text, kNow + absl::Hours(24 * 365)).status(),
      Show(name, text, kNow + absl::Hours(24 * 400)).status()};
  ASSERT_OK(DisableApiClient(record_.store(), record_.Call("Disable"),
                             decision_, name, /*etag=*/""));
  refusals.push_back(Show(name, text).status());
  for (const absl::Status& refusal : refusals) {
    EXPECT_EQ(refusal, MakeError(Reason::kUnauthenticated));
  }
  ASSERT_OK(EnableApiClient(record_.store(), record_.Call("Enable"), decision_,
                            name, /*etag=*/""));
  EXPECT_OK(Show(name, text));
}

TEST_P(ApiClientUseCaseTest, AUseIsWrittenAtMostOnceInAnInterval) {
  const ApiClientName name = Created("client").client.name;
  const AddedSecret one = Must(Add(name));
  const AddedSecret two = Must(Add(name));
  const int64_t version = two.view.client.version;
  const int64_t rows = record_.RowsWritten();
  const auto use = [&](const AddedSecret& secret, absl::Time at) {
    const AuthenticClient authentic = Must(Show(name, secret.text, at));
    EXPECT_OK(KeepClientUse(record_.store(), record_.Call("IssueToken"),
                            authentic, at, absl::Hours(1)));
    return Must(GetApiClient(record_.store(), record_.Call(), name)).last_uses;
  };
  EXPECT_EQ(use(one, kNow)[one.secret_id], kNow);
  EXPECT_EQ(use(one, kNow + absl::Minutes(59))[one.secret_id], kNow);
  EXPECT_EQ(use(one, kNow + absl::Minutes(60))[one.secret_id],
            kNow + absl::Minutes(60));
  const auto uses = use(two, kNow + absl::Minutes(61));
  EXPECT_EQ(uses.at(two.secret_id), kNow + absl::Minutes(61));
  EXPECT_EQ(uses.at(one.secret_id), kNow + absl::Minutes(60));
  // An earlier use that comes late changes nothing.
  EXPECT_OK(KeepClientUse(record_.store(), record_.Call("IssueToken"),
                          {.client = two.view.client,
                           .secret_id = two.secret_id,
                           .last_use_time = absl::InfinitePast()},
                          kNow, absl::Hours(1)));
  const ApiClientView read =
      Must(GetApiClient(record_.store(), record_.Call(), name));
  EXPECT_EQ(read.last_uses, uses);
  // Neither etag nor feed tell of it.
  EXPECT_EQ(read.client.version, version);
  EXPECT_EQ(record_.RowsWritten(), rows);
}

TEST_P(ApiClientUseCaseTest, AListHasTheUsesOfEach) {
  std::map<std::string, absl::Time> expected;
  for (const char* const id : {"a", "b", "c"}) {
    const ApiClientName name = Created(id).client.name;
    const AddedSecret added = Must(Add(name));
    if (std::string_view(id) == "b") continue;
    const absl::Time at = kNow + absl::Minutes(*id);
    EXPECT_OK(KeepClientUse(record_.store(), record_.Call("IssueToken"),
                            Must(Show(name, added.text, at)), at,
                            absl::Hours(1)));
    expected[name.text()] = at;
  }
  PageRequest request{.size = 2, .after_key = ""};
  std::vector<std::string> names;
  do {
    const Page<ApiClientView> page = Must(
        ListApiClients(record_.store(), record_.Call(), record_.body, request));
    ASSERT_THAT(page.items, ::testing::Not(IsEmpty()));
    for (const ApiClientView& view : page.items) {
      const std::string& name = view.client.name.text();
      names.push_back(name);
      ASSERT_THAT(view.last_uses, SizeIs(expected.contains(name) ? 1 : 0));
      if (!view.last_uses.empty()) {
        EXPECT_EQ(view.last_uses.begin()->second, expected[name]);
        EXPECT_EQ(view.last_uses.begin()->first, view.client.secrets[0].id);
      }
    }
    request.after_key = page.next_key;
  } while (!request.after_key.empty());
  EXPECT_THAT(names, ::testing::ElementsAre("bodies/essai/apiClients/a",
                                            "bodies/essai/apiClients/b",
                                            "bodies/essai/apiClients/c"));
}

TEST_P(ApiClientUseCaseTest, AnUpdateLeavesSecretsAlone) {
  const ApiClientName name = Created("client").client.name;
  const AddedSecret added = Must(Add(name));
  const ApiClientView updated = Must(UpdateApiClient(
      record_.store(), record_.Call("UpdateApiClient"), decision_,
      {.name = name,
       .apply =
           [](ApiClient& client) {
             client.calls_per_minute = 5;
             return absl::OkStatus();
           },
       .etag = "",
       .allow_missing = false,
       .mode = Mode::kCommit}));
  EXPECT_EQ(updated.client.calls_per_minute, 5);
  EXPECT_EQ(updated.client.secrets, added.view.client.secrets);
  EXPECT_OK(Show(name, added.text));
}

PARCOURS_ON_BOTH_ENGINES(ApiClientUseCaseTest);

}  // namespace
}  // namespace parcours::enrolment
