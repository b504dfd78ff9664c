#ifndef PARCOURS_COMMON_IDENTITY_TESTDATA_HTTP_SERVER_H_
#define PARCOURS_COMMON_IDENTITY_TESTDATA_HTTP_SERVER_H_

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <thread>

struct ssl_ctx_st;

namespace parcours::identity {

// An HTTP server on loopback: one connection at a time, one request on each.
// Over TLS where it is given a file with certificate and key.
class HttpServer {
 public:
  // The whole response to the path of a request, from status line to body, as
  // it goes over the wire.
  using Answer = std::function<std::string(const std::string& path)>;

  explicit HttpServer(Answer answer, const std::string& certificate_file = "");
  ~HttpServer();
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

  // "http://127.0.0.1:4711" and `path`; https over TLS.
  std::string Url(const std::string& path) const;
  int requests() const { return requests_; }

  // A response with that body.
  static std::string Ok(const std::string& body);

 private:
  struct FreeContext {
    void operator()(ssl_ctx_st* context) const;
  };

  void Run();
  // Reads a request and answers it by `read` and `write`, which are those of
  // a connection: they return what they moved, and 0 or less at its end.
  void Serve(const std::function<int(char*, int)>& read,
             const std::function<int(const char*, int)>& write);

  const Answer answer_;
  int listener_;
  int port_ = 0;
  std::atomic<int> requests_ = 0;
  std::unique_ptr<ssl_ctx_st, FreeContext> tls_;
  std::thread thread_;
};

}  // namespace parcours::identity

#endif  // PARCOURS_COMMON_IDENTITY_TESTDATA_HTTP_SERVER_H_
