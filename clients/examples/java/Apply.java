import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.UUID;

/** Submits an application for a made-up person, once, and reads it back. */
final class Apply {
  private Apply() {}

  static void run(Api api, Map<String, String> options)
      throws IOException, InterruptedException, Refused {
    Path store = Path.of(options.get("store"));
    JsonObject request = storedOrNewRequest(store, options);
    JsonObject candidate =
        request.getAsJsonObject("application").getAsJsonObject("candidate");
    System.out.printf(
        "Request %s: %s %s <%s> to %s%n",
        text(request, "requestId", ""), text(candidate, "givenName", ""),
        text(candidate, "familyName", ""), text(candidate, "email", ""),
        text(request, "parent", ""));

    // The parent is the path, the rest is the body.
    JsonObject body = request.deepCopy();
    String path = "/v1/" + body.remove("parent").getAsString() + "/applications:submit";
    String name;
    try {
      name = text(api.post(path, body), "name", "");
    } catch (Refused refused) {
      System.err.printf("The request stays in %s: send it again as it is, or delete it.%n", store);
      throw refused;
    }
    System.out.println("Received as " + name);

    JsonObject application = api.get("/v1/" + name);
    List<String> missing = new ArrayList<>();
    for (JsonElement piece : list(application, "missingPieces")) {
      missing.add(shorten(piece.getAsString()));
    }
    System.out.printf(
        "  review  %s%s%n",
        shorten(text(application, "reviewState", "")),
        missing.isEmpty() ? "" : ", missing: " + String.join(", ", missing));
    System.out.printf(
        "  place   %s, %s%n",
        shorten(text(application, "placeState", "")),
        application.has("rank") ? "rank " + text(application, "rank", "") : "no rank yet");
    for (JsonElement event : list(api.get("/v1/" + name + ":explainPlace"), "events")) {
      JsonObject step = event.getAsJsonObject();
      System.out.println("  " + text(step, "eventTime", "") + "  " + text(step, "textEn", ""));
    }
  }

  /**
   * The request that was stored, or a new one, stored before it is first sent. With its
   * requestId it is received once, however often it is sent and whoever crashes.
   */
  private static JsonObject storedOrNewRequest(Path store, Map<String, String> options)
      throws IOException {
    if (Files.exists(store)) {
      return JsonParser.parseString(Files.readString(store)).getAsJsonObject();
    }
    String requestId = UUID.randomUUID().toString();
    String email = options.get("email");
    JsonObject candidate = new JsonObject();
    candidate.addProperty("givenName", options.get("given-name"));
    candidate.addProperty("familyName", options.get("family-name"));
    candidate.addProperty(
        "email",
        email.isEmpty()
            ? "camille.imaginaire." + requestId.substring(0, 8) + "@example.org"
            : email);
    candidate.addProperty("yearsAfterBac", Integer.valueOf(options.get("years-after-bac")));
    JsonObject payer = new JsonObject();
    payer.addProperty("kind", "PAYER_KIND_INDIVIDUAL");
    JsonObject application = new JsonObject();
    application.add("candidate", candidate);
    application.add("payer", payer);
    application.addProperty("channel", "CHANNEL_ONLINE");
    JsonObject request = new JsonObject();
    request.addProperty("parent", options.get("cohort"));
    request.add("application", application);
    request.addProperty("requestId", requestId);
    LocalCopy.writeWhole(store, request);
    return request;
  }

  /** A field; what is absent in JSON has its default. */
  static String text(JsonObject object, String field, String otherwise) {
    return object.has(field) ? object.get(field).getAsString() : otherwise;
  }

  static JsonArray list(JsonObject object, String field) {
    return object.has(field) ? object.getAsJsonArray(field) : new JsonArray();
  }

  /** "waitlisted" of PLACE_STATE_WAITLISTED. */
  private static String shorten(String value) {
    return value
        .replaceFirst("^[A-Z]+_(STATE|KIND)_", "")
        .toLowerCase(Locale.ROOT)
        .replace('_', ' ');
  }
}
