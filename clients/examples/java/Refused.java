import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ThreadLocalRandom;

/** An error, as the contract describes it: docs/errors.md lists the reasons. */
final class Refused extends Exception {
  private static final long serialVersionUID = 1;

  /** As "INVALID_ARGUMENT". */
  final String code;

  /** As "ALREADY_APPLIED"; empty when it was not Parcours that answered. */
  private String reason = "";

  /** What is wrong with each field, all of them at once. */
  private final ArrayList<String> fields = new ArrayList<>();

  /** How long to wait, in seconds; 0 when nothing is said. */
  private double retryAfter;

  Refused(String code, String message) {
    super(message);
    this.code = code;
  }

  /** Of {"error": …}, as the gateway answers. */
  static Refused of(JsonObject error) {
    Refused refused =
        new Refused(error.get("status").getAsString(), error.get("message").getAsString());
    if (error.has("details")) {
      for (JsonElement detail : error.getAsJsonArray("details")) {
        refused.add(detail.getAsJsonObject());
      }
    }
    return refused;
  }

  private void add(JsonObject detail) {
    switch (detail.get("@type").getAsString().replaceFirst(".*/", "")) {
      case "google.rpc.ErrorInfo" -> reason = detail.get("reason").getAsString();
      case "google.rpc.RetryInfo" ->
          retryAfter = Double.parseDouble(detail.get("retryDelay").getAsString().replace("s", ""));
      case "google.rpc.BadRequest" -> {
        for (JsonElement violation : detail.getAsJsonArray("fieldViolations")) {
          JsonObject one = violation.getAsJsonObject();
          String field = one.get("field").getAsString();
          fields.add(field + ": " + one.get("description").getAsString().replace(field + " ", ""));
        }
      }
      default -> {} // Perhaps of a later version.
    }
  }

  boolean is(String... reasons) {
    return List.of(reasons).contains(reason);
  }

  /** The reason, or the code where there is none. */
  String word() {
    return reason.isEmpty() ? code : reason;
  }

  /** Whether the same call, with the same requestId, may succeed later. */
  boolean isPassing() {
    return code.equals("UNAVAILABLE")
        || code.equals("DEADLINE_EXCEEDED")
        || is("CONFLICT")
        || code.equals("RESOURCE_EXHAUSTED") && retryAfter > 0;
  }

  /**
   * 0.1 s, 0.2 s, 0.4 s … 10 s, or what the error asks for, and up to half of it more at
   * random, so that those who failed together do not come back together.
   */
  long backoffMillis(int attempt) {
    double delay = Math.max(Math.min(0.1 * Math.pow(2, attempt), 10), retryAfter);
    return (long) (1000 * delay * (1 + ThreadLocalRandom.current().nextDouble() / 2));
  }

  /** For a person. */
  String describe() {
    List<String> lines = new ArrayList<>(List.of("Refused: " + word() + ": " + getMessage()));
    fields.forEach(field -> lines.add("  " + field));
    return String.join("\n", lines);
  }
}
