#include "common/identity/key_source.h"

#include <filesystem>
#include <fstream>
#include <string>

#include "absl/time/clock.h"
#include "common/identity/testdata/http_server.h"
#include "common/testing/authority.h"
#include "common/testing/silent_server.h"
#include "common/testing/status_matchers.h"
#include "common/testing/temp_dir.h"
#include "common/text/view.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace parcours::identity {
namespace {

using ::testing::HasSubstr;

void Write(const std::string& path, const std::string& text) {
  std::ofstream(path) << text;
}

TEST(FileKeySource, ReadsOnceForEachChange) {
  const testing::TempDir folder;
  const std::string path = folder.File("keys.json");
  FileKeySource source(path);
  EXPECT_THAT(source.Read(false), StatusIs(absl::StatusCode::kUnavailable));
  Write(path, "one");
  EXPECT_EQ(source.Read(false).value(), "one");
  EXPECT_EQ(source.Read(false).value(), std::nullopt);
  EXPECT_EQ(source.Read(true).value(), "one");
  // Of the same size and, within one tick of the clock, of the same time.
  Write(folder.File("next"), "two");
  std::filesystem::last_write_time(folder.File("next"),
                                   std::filesystem::last_write_time(path));
  std::filesystem::rename(folder.File("next"), path);
  EXPECT_EQ(source.Read(false).value(), "two");
  EXPECT_EQ(source.Read(false).value(), std::nullopt);
  std::filesystem::remove(path);
  EXPECT_FALSE(source.Read(false).ok());
}

TEST(FileKeySource, RefusesWhatIsNoSmallFile) {
  const testing::TempDir folder;
  EXPECT_FALSE(FileKeySource(folder.path()).Read(false).ok());
  Write(folder.File("huge"), std::string(300 << 10, 'x'));
  EXPECT_THAT(FileKeySource(folder.File("huge")).Read(false),
              StatusIs(absl::StatusCode::kUnavailable));
}

TEST(KeyUrl, IsHttpsOrOnLoopback) {
  for (const char* url :
       {"https://issuer.example.org/keys", "HTTPS://issuer.example.org",
        "http://127.0.0.1:8080/keys", "http://localhost/keys",
        "http://[::1]:80/"}) {
    EXPECT_OK(CheckKeyUrl(url)) << url;
  }
  for (const char* url :
       {"", "keys.json", "http://issuer.example.org/", "ftp://127.0.0.1/",
        "file:///etc/passwd", "http://127.evil.example/",
        "http://localhost.evil.example/", "https://user:word@issuer.example/",
        "http://127.0.0.1@evil.example/"}) {
    EXPECT_FALSE(CheckKeyUrl(url).ok()) << url;
  }
}

std::string Redirect(const std::string& target) {
  return Cat("HTTP/1.1 302 Found\r\nLocation: ", target,
             "\r\nContent-Length: 0\r\n\r\n");
}

TEST(UrlKeySource, ReadsABody) {
  HttpServer server([](const std::string& path) {
    return HttpServer::Ok(Cat("the body of ", path));
  });
  UrlKeySource source({.url = server.Url("/keys")});
  EXPECT_EQ(source.Read(false).value(), "the body of /keys");
  EXPECT_EQ(source.Read(false).value(), "the body of /keys");
  EXPECT_EQ(server.requests(), 2);
}

TEST(UrlKeySource, TakesNothingButTwoHundred) {
  HttpServer server([](const std::string&) {
    return std::string("HTTP/1.1 404 Not Found\r\nContent-Length: 2\r\n\r\n{}");
  });
  EXPECT_THAT(UrlKeySource({.url = server.Url("/")}).Read(false),
              StatusIs(absl::StatusCode::kUnavailable));
}

TEST(UrlKeySource, FollowsNoRedirectFromPlainText) {
  HttpServer other([](const std::string&) { return HttpServer::Ok("{}"); });
  for (const std::string& target :
       {other.Url("/keys"), std::string("file:///etc/hostname"),
        std::string("https://127.0.0.1:1/")}) {
    HttpServer server(
        [&target](const std::string&) { return Redirect(target); });
    EXPECT_FALSE(UrlKeySource({.url = server.Url("/")}).Read(false).ok());
  }
  EXPECT_EQ(other.requests(), 0);
}

TEST(UrlKeySource, GivesUpABodyThatIsTooLarge) {
  HttpServer server([](const std::string& path) {
    const std::string body(300 << 10, 'x');
    // With its length told before, and without.
    return path == "/told" ? HttpServer::Ok(body)
                           : Cat("HTTP/1.0 200 OK\r\n\r\n", body);
  });
  EXPECT_FALSE(UrlKeySource({.url = server.Url("/told")}).Read(false).ok());
  EXPECT_FALSE(UrlKeySource({.url = server.Url("/untold")}).Read(false).ok());
}

TEST(UrlKeySource, GivesUpAServerThatSaysNothing) {
  const testing::SilentServer silent;
  UrlKeySource source({.url = Cat("http://127.0.0.1:", silent.port(), "/"),
                       .timeout = absl::Milliseconds(100)});
  const absl::Time before = absl::Now();
  EXPECT_FALSE(source.Read(false).ok());
  EXPECT_LT(absl::Now() - before, absl::Seconds(10));
}

TEST(UrlKeySource, CanBeCancelled) {
  const testing::SilentServer silent;
  UrlKeySource source({.url = Cat("http://127.0.0.1:", silent.port(), "/"),
                       .timeout = absl::Minutes(5)});
  source.Cancel();
  const absl::Time before = absl::Now();
  EXPECT_FALSE(source.Read(false).ok());
  EXPECT_LT(absl::Now() - before, absl::Seconds(30));
}

TEST(UrlKeySource, HoldsAServerToItsCertificate) {
  testing::Authority authority;
  testing::Authority other;
  const auto answer = [](const std::string&) { return HttpServer::Ok("{}"); };
  // Good for 127.0.0.1, as all of the authority's.
  HttpServer server(answer,
                    authority.Certificate("issuer", {}).certificate_file);
  EXPECT_EQ(
      UrlKeySource({.url = server.Url("/keys"), .ca_file = authority.ca_file()})
          .Read(false)
          .value(),
      "{}");
  // By the authorities of the system, and by another one.
  EXPECT_FALSE(UrlKeySource({.url = server.Url("/keys")}).Read(false).ok());
  EXPECT_FALSE(
      UrlKeySource({.url = server.Url("/keys"), .ca_file = other.ca_file()})
          .Read(false)
          .ok());
  // By the right one, for another host, or no longer.
  std::string by_name = server.Url("/keys");
  by_name.replace(by_name.find("127.0.0.1"), 9, "localhost");
  EXPECT_FALSE(UrlKeySource({.url = by_name, .ca_file = authority.ca_file()})
                   .Read(false)
                   .ok());
  HttpServer expired(
      answer, authority.Certificate("old", {.valid_for = -absl::Hours(1)})
                  .certificate_file);
  EXPECT_FALSE(UrlKeySource({.url = expired.Url("/keys"),
                             .ca_file = authority.ca_file()})
                   .Read(false)
                   .ok());
  EXPECT_EQ(server.requests(), 1);
  EXPECT_EQ(expired.requests(), 0);
}

TEST(UrlKeySource, FollowsRedirectsToEncryptedPlacesOnly) {
  testing::Authority authority;
  const std::string certificate =
      authority.Certificate("issuer", {}).certificate_file;
  HttpServer plain([](const std::string&) { return HttpServer::Ok("{}"); });
  HttpServer moved([](const std::string&) { return HttpServer::Ok("moved"); },
                   certificate);
  std::string target;
  HttpServer server([&target](const std::string&) { return Redirect(target); },
                    certificate);
  const auto read = [&] {
    return UrlKeySource(
               {.url = server.Url("/keys"), .ca_file = authority.ca_file()})
        .Read(false);
  };
  target = moved.Url("/keys");
  EXPECT_EQ(read().value(), "moved");
  for (const std::string& elsewhere :
       {plain.Url("/keys"), std::string("file:///etc/hostname"),
        server.Url("/round-and-round")}) {
    target = elsewhere;
    EXPECT_FALSE(read().ok()) << elsewhere;
  }
  EXPECT_EQ(plain.requests(), 0);
}

}  // namespace
}  // namespace parcours::identity
