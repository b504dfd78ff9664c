import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.time.Instant;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.Executors;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.stream.Stream;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;

/** Receives webhooks, checks that they are genuine, and keeps a copy by them. */
final class Webhook {
  private static final long TOLERANCE_S = 300;
  private static final int MOST_BYTES = 64 * 1024;

  private final LocalCopy copy;
  private final Inbox inbox;
  private final Path secretFile;

  private Webhook(LocalCopy copy, Inbox inbox, Path secretFile) {
    this.copy = copy;
    this.inbox = inbox;
    this.secretFile = secretFile;
  }

  static void run(Api api, Map<String, String> options) throws IOException, InterruptedException {
    Webhook webhook =
        new Webhook(
            new LocalCopy(api, options),
            new Inbox(Path.of(options.get("inbox"))),
            Path.of(options.get("secret-file")));
    String[] listen = options.get("listen").split(":(?=\\d+$)");
    HttpServer server =
        HttpServer.create(new InetSocketAddress(listen[0], Integer.parseInt(listen[1])), 0);
    server.setExecutor(Executors.newFixedThreadPool(8));
    server.createContext("/", webhook::receive);
    server.start();
    System.out.printf("Listening on http://%s:%d/%n", listen[0], server.getAddress().getPort());
    webhook.work();
  }

  /** Checks an event, writes it down and answers: the work comes after. */
  private void receive(HttpExchange exchange) throws IOException {
    try (exchange) {
      byte[] body = exchange.getRequestBody().readNBytes(MOST_BYTES + 1);
      if (!exchange.getRequestMethod().equals("POST")) {
        answer(exchange, 405, "POST only");
      } else if (body.length > MOST_BYTES) {
        answer(exchange, 413, "too large");
      } else {
        // Read each time, so that a rotation needs no restart.
        List<String> secrets = List.of(Files.readString(secretFile).trim().split("\\s+"));
        String problem = verify(exchange, body, secrets, Instant.now());
        if (!problem.isEmpty()) {
          answer(exchange, 401, problem);
        } else if (inbox.add(header(exchange, "webhook-id"), body)) {
          answer(exchange, 204, parse(body).get("type").getAsString());
        } else {
          answer(exchange, 200, "already here");
        }
      }
    }
  }

  private static void answer(HttpExchange exchange, int status, String word) throws IOException {
    System.out.printf("%d %s %s%n", status, header(exchange, "webhook-id"), word);
    exchange.sendResponseHeaders(status, -1);
  }

  /**
   * What is wrong with an event, after https://www.standardwebhooks.com; nothing when
   * somebody who has one of the secrets sent this body under this id, now.
   */
  private static String verify(
      HttpExchange exchange, byte[] body, List<String> secrets, Instant now) {
    String id = header(exchange, "webhook-id");
    String timestamp = header(exchange, "webhook-timestamp");
    if (id.isEmpty() || !timestamp.matches("\\d{1,12}")) {
      return "no webhook-id or webhook-timestamp";
    }
    if (Math.abs(now.getEpochSecond() - Long.parseLong(timestamp)) > TOLERANCE_S) {
      return "too old or too new";
    }
    boolean matches = false;
    for (String secret : secrets) {
      byte[] expected = sign(secret, id + "." + timestamp + ".", body);
      // Every pair is compared, each in constant time: during a rotation there are two
      // signatures, and there may be two secrets.
      for (String given : header(exchange, "webhook-signature").split(" ")) {
        matches |= MessageDigest.isEqual(expected, given.getBytes(StandardCharsets.UTF_8));
      }
    }
    return matches ? "" : "no valid signature";
  }

  private static byte[] sign(String secret, String before, byte[] body) {
    try {
      Mac mac = Mac.getInstance("HmacSHA256");
      byte[] key = Base64.getDecoder().decode(secret.replaceFirst("^whsec_", ""));
      mac.init(new SecretKeySpec(key, "HmacSHA256"));
      mac.update(before.getBytes(StandardCharsets.UTF_8));
      String digest = Base64.getEncoder().encodeToString(mac.doFinal(body));
      return ("v1," + digest).getBytes(StandardCharsets.UTF_8);
    } catch (GeneralSecurityException impossible) {
      throw new IllegalStateException(impossible);
    }
  }

  private static String header(HttpExchange exchange, String name) {
    String value = exchange.getRequestHeaders().getFirst(name);
    return value == null ? "" : value;
  }

  private static JsonObject parse(byte[] body) {
    return JsonParser.parseString(new String(body, StandardCharsets.UTF_8)).getAsJsonObject();
  }

  /** Deals with events, one after another, for ever. */
  private void work() throws IOException, InterruptedException {
    // The webhook was there before: what changes after the list comes as an event.
    if (copy.feedToken.isEmpty()) {
      untilDone(copy::fill);
      System.out.printf("Read the list: %d in %s%n", copy.size(), copy.path);
    }
    while (true) {
      String name = inbox.next();
      untilDone(() -> dealWith(parse(inbox.read(name))));
      inbox.finish(name);
    }
  }

  /** Work that calls the API. */
  private interface Task {
    void run() throws IOException, InterruptedException, Refused;
  }

  private static void untilDone(Task task) throws IOException, InterruptedException {
    for (int failures = 0; ; ++failures) {
      try {
        task.run();
        return;
      } catch (Refused refused) {
        System.err.println(refused.describe());
        Thread.sleep(refused.backoffMillis(failures));
      }
    }
  }

  /** Takes an event over: it says what has changed, and nothing of its content. */
  private void dealWith(JsonObject event) throws IOException, InterruptedException, Refused {
    String type = event.get("type").getAsString();
    JsonObject data = event.getAsJsonObject("data");
    String resource = Apply.text(data, "resource", "");
    boolean isOurs =
        type.matches("enrolment\\." + copy.kind + "\\.(updated|removed)")
            && resource.startsWith(copy.parent + "/");
    if (type.equals("webhook.test")) {
      System.out.println("A test event: it works");
    } else if (type.equals("feed.reset") && Apply.text(data, "service", "").equals("enrolment")) {
      copy.fill();
      System.out.printf(
          "Read the list again (%s): %d%n", Apply.text(data, "reason", ""), copy.size());
    } else if (isOurs) {
      // Events may come late or in another order: what a later one has said stands.
      long version = data.get("version").getAsLong();
      if (version < copy.versionOf(resource)) return;
      // With the token, what is read is never older than the event.
      try {
        copy.refresh(resource, type.endsWith(".removed"), Apply.text(data, "feedToken", ""));
      } catch (Refused refused) {
        if (!refused.is(Follow.POSITION_LOST)) throw refused;
        copy.fill();
      }
      copy.setVersion(resource, version);
      copy.store();
      System.out.printf(
          "%s %s  %s%n", copy.has(resource) ? "+" : "-", resource, Apply.text(data, "cause", ""));
    }
    // Anything else is of a later version, or not for this program.
  }

  /**
   * Events as files: FOLDER/new until dealt with, FOLDER/done from then on. An event that
   * was answered for is not lost when this program ends, nor dealt with twice.
   */
  private static final class Inbox {
    private final Path fresh;
    private final Path done;
    private final BlockingQueue<String> waiting = new LinkedBlockingQueue<>();

    Inbox(Path folder) throws IOException {
      fresh = Files.createDirectories(folder.resolve("new"));
      done = Files.createDirectories(folder.resolve("done"));
      try (Stream<Path> left = Files.list(fresh)) {
        left.filter(path -> path.toString().endsWith(".json"))
            .sorted((a, b) -> Long.compare(a.toFile().lastModified(), b.toFile().lastModified()))
            .forEach(path -> waiting.add(path.getFileName().toString()));
      }
    }

    /** False when the event is there already. */
    synchronized boolean add(String id, byte[] body) throws IOException {
      // The id becomes the name of a file, whatever is in it.
      Path file = fresh.resolve(URLEncoder.encode(id, StandardCharsets.UTF_8) + ".json");
      if (Files.exists(file) || Files.exists(done.resolve(file.getFileName()))) return false;
      LocalCopy.writeWhole(file, parse(body));
      waiting.add(file.getFileName().toString());
      return true;
    }

    /** Waits for an event. */
    String next() throws InterruptedException {
      return waiting.take();
    }

    byte[] read(String name) throws IOException {
      return Files.readAllBytes(fresh.resolve(name));
    }

    void finish(String name) throws IOException {
      Files.move(fresh.resolve(name), done.resolve(name), StandardCopyOption.REPLACE_EXISTING);
    }
  }
}
