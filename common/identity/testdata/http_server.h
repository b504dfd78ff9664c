#ifndef PARCOURS_COMMON_IDENTITY_TESTDATA_HTTP_SERVER_H_
#define PARCOURS_COMMON_IDENTITY_TESTDATA_HTTP_SERVER_H_

#include <atomic>
#include <functional>
#include <string>
#include <thread>

namespace parcours::identity {

// An HTTP server on loopback: one connection at a time, one request on each.
class HttpServer {
 public:
  // The whole response to the path of a request, from status line to body, as
  // it goes over the wire.
  using Answer = std::function<std::string(const std::string& path)>;

  explicit HttpServer(Answer answer);
  ~HttpServer();
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

  // "http://127.0.0.1:4711" and `path`.
  std::string Url(const std::string& path) const;
  int requests() const { return requests_; }

  // A response with that body.
  static std::string Ok(const std::string& body);

 private:
  void Run();

  const Answer answer_;
  int listener_;
  int port_ = 0;
  std::atomic<int> requests_ = 0;
  std::thread thread_;
};

}  // namespace parcours::identity

#endif  // PARCOURS_COMMON_IDENTITY_TESTDATA_HTTP_SERVER_H_
