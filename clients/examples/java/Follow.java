import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParseException;
import com.google.gson.JsonParser;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;

/** Keeps a copy of the list in a file, and follows every change. */
final class Follow {
  /** The position is not kept for ever, and not across a restored backup. */
  static final String[] POSITION_LOST = {"FEED_TRIMMED", "FEED_INCARNATION_CHANGED"};

  private final Api api;
  private final LocalCopy copy;
  private final int heartbeat;
  private final ScheduledExecutorService alarms =
      Executors.newSingleThreadScheduledExecutor(
          task -> {
            Thread thread = new Thread(task, "alarms");
            thread.setDaemon(true);
            return thread;
          });
  private int failures;

  private Follow(Api api, LocalCopy copy, int heartbeat) {
    this.api = api;
    this.copy = copy;
    this.heartbeat = heartbeat;
  }

  static void run(Api api, Map<String, String> options)
      throws IOException, InterruptedException, Refused {
    int heartbeat = Integer.parseInt(options.get("heartbeat"));
    Follow follow = new Follow(api, new LocalCopy(api, options), heartbeat);
    while (true) follow.once();
  }

  /** From the list, or from where the copy is, until the stream ends. */
  private void once() throws IOException, InterruptedException, Refused {
    try {
      if (copy.feedToken.isEmpty()) {
        copy.fill();
        System.out.printf("Read the list: %d in %s%n", copy.size(), copy.path);
      } else {
        System.out.printf("Going on with %d in %s%n", copy.size(), copy.path);
      }
      watch();
      System.out.println("The stream ended, as it does every ten minutes");
    } catch (Refused refused) {
      boolean expired = refused.code.equals("UNAUTHENTICATED") && failures == 0;
      if (refused.is(POSITION_LOST)) {
        System.out.println(refused.word() + ": reading the list again");
        copy.feedToken = "";
      } else if (refused.isPassing() || expired) {
        if (expired) api.forgetToken();
        long wait = refused.backoffMillis(failures++);
        System.err.printf(
            "The stream broke (%s); again in %.1f s%n", refused.word(), wait / 1000.0);
        Thread.sleep(wait);
      } else {
        throw refused;
      }
    }
  }

  /** Deals with the pieces of the stream after the token of the copy. */
  private void watch() throws IOException, InterruptedException, Refused {
    // Every service has a feed of its own: this is enrolment's.
    InputStream body =
        api.stream(
            "/enrolment/v1/changes:watch",
            Map.of(
                "afterToken", copy.feedToken,
                "filter.kinds", copy.kind,
                "filter.within", copy.parent,
                "heartbeatInterval", heartbeat + "s"));
    try (BufferedReader lines =
        new BufferedReader(new InputStreamReader(body, StandardCharsets.UTF_8))) {
      for (String line = next(lines, body); line != null; line = next(lines, body)) {
        JsonObject piece;
        try {
          piece = JsonParser.parseString(line).getAsJsonObject();
        } catch (JsonParseException cut) {
          throw new Refused("UNAVAILABLE", "half a line");
        }
        if (piece.has("error")) throw Refused.of(piece.getAsJsonObject("error"));
        failures = 0;
        dealWith(piece);
      }
    }
  }

  /**
   * The next line, or null at the end. A connection can break without a word: silence for
   * much longer than heartbeats may be apart ends it.
   */
  private String next(BufferedReader lines, InputStream body) throws Refused {
    ScheduledFuture<?> tooLong =
        alarms.schedule(
            () -> {
              body.close();
              return null;
            },
            3 * heartbeat,
            TimeUnit.SECONDS);
    try {
      return lines.readLine();
    } catch (IOException broken) {
      throw new Refused("UNAVAILABLE", String.valueOf(broken.getMessage()));
    } finally {
      tooLong.cancel(false);
    }
  }

  /**
   * Takes a piece over, then keeps its token: after a crash the same piece comes again, and
   * does the same again.
   */
  private void dealWith(JsonObject piece) throws IOException, InterruptedException, Refused {
    String token = piece.get("nextToken").getAsString();
    Map<String, JsonObject> last = new LinkedHashMap<>();
    for (JsonElement element : Apply.list(piece, "changes")) {
      JsonObject change = element.getAsJsonObject();
      last.put(change.get("resource").getAsString(), change);
    }
    for (Map.Entry<String, JsonObject> one : last.entrySet()) {
      copy.refresh(one.getKey(), one.getValue().has("removed"), token);
    }
    copy.feedToken = token;
    copy.store();
    last.forEach(
        (name, change) ->
            System.out.printf(
                "%s %s  %s%n",
                copy.has(name) ? "+" : "-", name, Apply.text(change, "cause", "")));
  }
}
