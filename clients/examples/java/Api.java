import com.google.gson.JsonObject;
import com.google.gson.JsonParseException;
import com.google.gson.JsonParser;
import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.net.http.HttpTimeoutException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.Map;
import java.util.stream.Collectors;

/** Calls to the gateway in JSON: the bearer token, errors, and calling again. Thread-safe. */
final class Api {
  private static final Duration TIMEOUT = Duration.ofSeconds(10);
  private static final int MOST_ATTEMPTS = 10;

  /** After which part of its lifetime a token is renewed. */
  private static final double RENEW_AFTER = 0.8;

  private final HttpClient http =
      HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).connectTimeout(TIMEOUT).build();
  private final String gateway;
  private final JsonObject credential;
  private String token = "";
  private long renewAt = System.nanoTime();

  private Api(String gateway, JsonObject credential) {
    this.gateway = gateway;
    this.credential = credential;
  }

  /** With the file of {"client": …, "secret": …}. */
  static Api open(String gateway, Path key) throws IOException {
    JsonObject file = JsonParser.parseString(Files.readString(key)).getAsJsonObject();
    JsonObject credential = new JsonObject();
    credential.add("client", file.get("client"));
    credential.add("secret", file.get("secret"));
    return new Api(gateway, credential);
  }

  /** Reads; with a feed token, the answer is never from before that position. */
  JsonObject get(String path, Map<String, String> query, String feedToken)
      throws Refused, InterruptedException {
    HttpRequest.Builder request = to(path, query).GET();
    if (!feedToken.isEmpty()) request.header("parcours-feed-token", feedToken);
    return call(request);
  }

  JsonObject get(String path) throws Refused, InterruptedException {
    return get(path, Map.of(), "");
  }

  /** Changes something; the body needs a requestId, as it may be sent more than once. */
  JsonObject post(String path, JsonObject body) throws Refused, InterruptedException {
    return call(withBody(to(path, Map.of()), body));
  }

  /** A stream of JSON, an object on each line; the last may be an error. */
  InputStream stream(String path, Map<String, String> query) throws Refused, InterruptedException {
    HttpRequest request =
        authorized(to(path, query).GET().header("accept", "application/x-ndjson"));
    HttpResponse<InputStream> response = send(request, BodyHandlers.ofInputStream());
    if (response.statusCode() == 200) return response.body();
    try (InputStream body = response.body()) {
      throw refusal(response.statusCode(), new String(body.readAllBytes(), StandardCharsets.UTF_8));
    } catch (IOException broken) {
      throw new Refused("UNAVAILABLE", String.valueOf(broken.getMessage()));
    }
  }

  synchronized void forgetToken() {
    renewAt = System.nanoTime();
  }

  private JsonObject call(HttpRequest.Builder builder) throws Refused, InterruptedException {
    boolean renewed = false;
    for (int attempt = 0; ; ++attempt) {
      try {
        return answer(authorized(builder.timeout(TIMEOUT)));
      } catch (Refused refused) {
        if (refused.code.equals("UNAUTHENTICATED") && !renewed) {
          renewed = true;
          forgetToken();
          continue;
        }
        if (!refused.isPassing() || attempt + 1 == MOST_ATTEMPTS) throw refused;
        long wait = refused.backoffMillis(attempt);
        System.err.printf("  %s; again in %.1f s%n", refused.word(), wait / 1000.0);
        Thread.sleep(wait);
      }
    }
  }

  private synchronized HttpRequest authorized(HttpRequest.Builder builder)
      throws Refused, InterruptedException {
    if (System.nanoTime() - renewAt >= 0) {
      HttpRequest.Builder issue = withBody(to("/v1/tokens:issue", Map.of()), credential);
      JsonObject issued = answer(issue.timeout(TIMEOUT).build());
      token = issued.get("token").getAsString();
      Duration lifetime =
          Duration.between(Instant.now(), Instant.parse(issued.get("expireTime").getAsString()));
      renewAt = System.nanoTime() + (long) Math.max(RENEW_AFTER * lifetime.toNanos(), 1e9);
    }
    return builder.setHeader("authorization", "Bearer " + token).build();
  }

  private HttpRequest.Builder to(String path, Map<String, String> query) {
    String fields =
        query.entrySet().stream()
            .filter(field -> !field.getValue().isEmpty())
            .map(field -> field.getKey() + "=" + encode(field.getValue()))
            .collect(Collectors.joining("&"));
    String end = fields.isEmpty() ? "" : "?" + fields;
    return HttpRequest.newBuilder(URI.create(gateway + path + end));
  }

  private static String encode(String value) {
    return URLEncoder.encode(value, StandardCharsets.UTF_8);
  }

  private static HttpRequest.Builder withBody(HttpRequest.Builder builder, JsonObject body) {
    return builder
        .header("content-type", "application/json")
        .POST(HttpRequest.BodyPublishers.ofString(body.toString()));
  }

  private JsonObject answer(HttpRequest request) throws Refused, InterruptedException {
    HttpResponse<String> response = send(request, BodyHandlers.ofString());
    if (response.statusCode() != 200) throw refusal(response.statusCode(), response.body());
    return JsonParser.parseString(response.body()).getAsJsonObject();
  }

  private <T> HttpResponse<T> send(HttpRequest request, HttpResponse.BodyHandler<T> handler)
      throws Refused, InterruptedException {
    try {
      return http.send(request, handler);
    } catch (HttpTimeoutException late) {
      throw new Refused("DEADLINE_EXCEEDED", late.getMessage());
    } catch (IOException broken) {
      throw new Refused("UNAVAILABLE", String.valueOf(broken.getMessage()));
    }
  }

  private static Refused refusal(int status, String body) {
    try {
      return Refused.of(JsonParser.parseString(body).getAsJsonObject().getAsJsonObject("error"));
    } catch (JsonParseException | IllegalStateException | NullPointerException notOurs) {
      // Something on the way has answered, a proxy for instance.
      return new Refused(status >= 500 ? "UNAVAILABLE" : "UNKNOWN", "HTTP status " + status);
    }
  }
}
