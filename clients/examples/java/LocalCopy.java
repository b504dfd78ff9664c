import com.google.gson.Gson;
import com.google.gson.GsonBuilder;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Map;
import java.util.Set;

/**
 * What was read of one kind within one parent, and up to which position of the change
 * feed. On disk it is always whole: the old one or the new one.
 */
final class LocalCopy {
  private static final Gson GSON =
      new GsonBuilder().setPrettyPrinting().disableHtmlEscaping().create();

  final Path path;
  final String kind;
  final String parent;
  String feedToken = "";
  private JsonObject resources = new JsonObject();

  /** The latest that webhooks have said of each resource. */
  private JsonObject versions = new JsonObject();

  private final Api api;

  LocalCopy(Api api, Map<String, String> options) throws IOException {
    this.api = api;
    path = Path.of(options.get("copy"));
    kind = options.get("kind");
    parent = options.get("cohort");
    if (!kind.matches("application|enrolment")) {
      throw new IllegalArgumentException("--kind is application or enrolment, not " + kind);
    }
    if (!Files.exists(path)) return;
    JsonObject kept = JsonParser.parseString(Files.readString(path)).getAsJsonObject();
    if (!kept.get("kind").getAsString().equals(kind)
        || !kept.get("parent").getAsString().equals(parent)) {
      throw new IOException(path + " is a copy of something else");
    }
    feedToken = kept.get("feedToken").getAsString();
    resources = kept.getAsJsonObject("resources");
    versions = kept.getAsJsonObject("versions");
  }

  int size() {
    return resources.size();
  }

  boolean has(String name) {
    return resources.has(name);
  }

  long versionOf(String name) {
    return versions.has(name) ? versions.get(name).getAsLong() : 0;
  }

  void setVersion(String name, long version) {
    versions.addProperty(name, version);
  }

  /**
   * Reads the list completely. What happens meanwhile is in the feed after the token of
   * the first page.
   */
  void fill() throws IOException, InterruptedException, Refused {
    JsonObject read = new JsonObject();
    String first = "";
    String pageToken = "";
    do {
      // No page from before the first one, whichever replica gives it.
      JsonObject page =
          api.get(
              "/v1/" + parent + "/" + kind + "s",
              Map.of("pageSize", "500", "pageToken", pageToken),
              first);
      if (first.isEmpty()) first = page.get("feedToken").getAsString();
      for (JsonElement one : Apply.list(page, kind + "s")) {
        read.add(one.getAsJsonObject().get("name").getAsString(), one);
      }
      pageToken = Apply.text(page, "nextPageToken", "");
    } while (!pageToken.isEmpty());
    resources = read;
    feedToken = first;
    store();
  }

  /** Takes over what became of one resource, as it is now and not before the token. */
  void refresh(String name, boolean removed, String token) throws InterruptedException, Refused {
    if (removed) {
      resources.remove(name);
      return;
    }
    try {
      resources.add(name, api.get("/v1/" + name, Map.of(), token));
    } catch (Refused refused) {
      // What is not there and what we may not see are one answer.
      if (!Set.of("NOT_FOUND", "PERMISSION_DENIED").contains(refused.code)) throw refused;
      resources.remove(name);
    }
  }

  void store() throws IOException {
    JsonObject content = new JsonObject();
    content.addProperty("kind", kind);
    content.addProperty("parent", parent);
    content.addProperty("feedToken", feedToken);
    content.add("versions", versions);
    content.add("resources", resources);
    writeWhole(path, content);
  }

  /** Replaces the file at one moment, and only once the new one is on the disk. */
  static void writeWhole(Path path, JsonElement content) throws IOException {
    Path beside = path.resolveSibling(path.getFileName() + ".new");
    try (FileChannel file =
        FileChannel.open(
            beside,
            Set.of(
                StandardOpenOption.WRITE,
                StandardOpenOption.CREATE,
                StandardOpenOption.TRUNCATE_EXISTING),
            PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")))) {
      ByteBuffer bytes = ByteBuffer.wrap(GSON.toJson(content).getBytes(StandardCharsets.UTF_8));
      while (bytes.hasRemaining()) file.write(bytes);
      file.force(true);
    }
    Files.move(beside, path, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
  }
}
