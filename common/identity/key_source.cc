#include "common/identity/key_source.h"

#include <curl/curl.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstring>
#include <string_view>
#include <utility>

#include "absl/cleanup/cleanup.h"
#include "common/text/view.h"

namespace parcours::identity {
namespace {

constexpr std::size_t kMaxBytes = std::size_t{256} << 10;
constexpr long kMaxRedirects = 3;
constexpr long kHttpOk = 200;

struct FreeEasy {
  void operator()(CURL* easy) const { curl_easy_cleanup(easy); }
};
struct FreeUrl {
  void operator()(CURLU* url) const { curl_url_cleanup(url); }
};
struct FreeCurlText {
  void operator()(char* text) const { curl_free(text); }
};

void InitialiseCurl() {
  static const CURLcode initialised = curl_global_init(CURL_GLOBAL_DEFAULT);
  static_cast<void>(initialised);
}

// A part of the URL; empty when it has none.
std::string Part(CURLU* url, CURLUPart part) {
  char* text = nullptr;
  if (curl_url_get(url, part, &text, 0) != CURLUE_OK) return "";
  const std::unique_ptr<char, FreeCurlText> owner(text);
  return text;
}

bool IsLoopbackHost(std::string_view host) {
  if (host == "localhost" || host == "[::1]") return true;
  return host.starts_with("127.") &&
         host.find_first_not_of("0123456789.") == std::string_view::npos;
}

std::size_t Append(char* data, std::size_t, std::size_t size, void* target) {
  auto& body = *static_cast<std::string*>(target);
  // Another number than `size` ends the transfer.
  if (body.size() + size > kMaxBytes) return 0;
  body.append(data, size);
  return size;
}

int Progress(void* cancelled, curl_off_t, curl_off_t, curl_off_t, curl_off_t) {
  return *static_cast<const std::atomic<bool>*>(cancelled) ? 1 : 0;
}

bool Same(const timespec& a, const timespec& b) {
  return a.tv_sec == b.tv_sec && a.tv_nsec == b.tv_nsec;
}

absl::Status FileProblem(const std::string& path, std::string_view problem) {
  return absl::UnavailableError(Cat(path, ": ", problem));
}

}  // namespace

FileKeySource::FileKeySource(std::string path) : path_(std::move(path)) {}

absl::StatusOr<std::optional<std::string>> FileKeySource::Read(bool anew) {
  const int file = open(path_.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0) return FileProblem(path_, std::strerror(errno));
  const absl::Cleanup close_file = [file] { close(file); };
  struct stat status;
  if (fstat(file, &status) != 0) {
    return FileProblem(path_, std::strerror(errno));
  }
  if (!S_ISREG(status.st_mode)) return FileProblem(path_, "not a regular file");
  const Mark mark{status.st_dev, status.st_ino, status.st_size, status.st_mtim,
                  status.st_ctim};
  if (!anew && last_.has_value() && last_->device == mark.device &&
      last_->inode == mark.inode && last_->size == mark.size &&
      Same(last_->modified, mark.modified) &&
      Same(last_->changed, mark.changed)) {
    return std::nullopt;
  }
  std::string text;
  char buffer[16 << 10];
  while (true) {
    const ssize_t count = read(file, buffer, sizeof(buffer));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return FileProblem(path_, std::strerror(errno));
    if (count == 0) break;
    text.append(buffer, static_cast<std::size_t>(count));
    if (text.size() > kMaxBytes) {
      return FileProblem(path_, "larger than 256 KiB");
    }
  }
  last_ = mark;
  return text;
}

absl::Status CheckKeyUrl(const std::string& url) {
  InitialiseCurl();
  const std::unique_ptr<CURLU, FreeUrl> parsed(curl_url());
  if (parsed == nullptr ||
      curl_url_set(parsed.get(), CURLUPART_URL, url.c_str(), 0) != CURLUE_OK) {
    return absl::InvalidArgumentError("not a URL");
  }
  if (!Part(parsed.get(), CURLUPART_USER).empty() ||
      !Part(parsed.get(), CURLUPART_PASSWORD).empty()) {
    return absl::InvalidArgumentError("it carries a user or a password");
  }
  const std::string scheme = Part(parsed.get(), CURLUPART_SCHEME);
  if (scheme == "https") return absl::OkStatus();
  if (scheme == "http" && IsLoopbackHost(Part(parsed.get(), CURLUPART_HOST))) {
    return absl::OkStatus();
  }
  return absl::InvalidArgumentError("neither https, nor http on loopback");
}

UrlKeySource::UrlKeySource(UrlKeySourceOptions options)
    : options_(std::move(options)) {
  InitialiseCurl();
}

absl::StatusOr<std::optional<std::string>> UrlKeySource::Read(bool) {
  const std::unique_ptr<CURL, FreeEasy> easy(curl_easy_init());
  if (easy == nullptr) return absl::UnavailableError("no libcurl");
  std::string body;
  char problem[CURL_ERROR_SIZE] = "";
  const bool encrypted = options_.url.starts_with("https:");
  bool set = true;
  const auto option = [&](CURLoption name, auto value) {
    set = set && curl_easy_setopt(easy.get(), name, value) == CURLE_OK;
  };
  option(CURLOPT_URL, options_.url.c_str());
  option(CURLOPT_PROTOCOLS_STR, encrypted ? "https" : "http");
  option(CURLOPT_REDIR_PROTOCOLS_STR, "https");
  option(CURLOPT_FOLLOWLOCATION, encrypted ? 1L : 0L);
  option(CURLOPT_MAXREDIRS, kMaxRedirects);
  option(CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
  option(CURLOPT_SSL_VERIFYPEER, 1L);
  option(CURLOPT_SSL_VERIFYHOST, 2L);
  if (!options_.ca_file.empty()) {
    option(CURLOPT_CAINFO, options_.ca_file.c_str());
  }
  // What is on this machine is not asked of a proxy.
  if (!encrypted) option(CURLOPT_NOPROXY, "*");
  option(
      CURLOPT_CONNECTTIMEOUT_MS,
      static_cast<long>(absl::ToInt64Milliseconds(options_.connect_timeout)));
  option(CURLOPT_TIMEOUT_MS,
         static_cast<long>(absl::ToInt64Milliseconds(options_.timeout)));
  // Signals are of the process, and this is one of its threads.
  option(CURLOPT_NOSIGNAL, 1L);
  option(CURLOPT_ERRORBUFFER, problem);
  option(CURLOPT_WRITEFUNCTION, &Append);
  option(CURLOPT_WRITEDATA, &body);
  option(CURLOPT_NOPROGRESS, 0L);
  option(CURLOPT_XFERINFOFUNCTION, &Progress);
  option(CURLOPT_XFERINFODATA, &cancelled_);
  if (!set) return absl::UnavailableError("libcurl lacks an option");

  const CURLcode code = curl_easy_perform(easy.get());
  if (code != CURLE_OK) {
    return absl::UnavailableError(
        Cat(options_.url, ": ",
            problem[0] != '\0' ? problem : curl_easy_strerror(code)));
  }
  long status = 0;
  curl_easy_getinfo(easy.get(), CURLINFO_RESPONSE_CODE, &status);
  if (status != kHttpOk) {
    return absl::UnavailableError(
        Cat(options_.url, ": answered with status ", status));
  }
  return body;
}

}  // namespace parcours::identity
