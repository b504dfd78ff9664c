import java.io.IOException;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;

/** A partner's program, in Java over JSON: see README.md. */
public final class Partner {
  private static final String USAGE =
      """
      usage: partner COMMAND [--OPTION=VALUE …]

        apply    Submits an application for a made-up person, once, and reads it back.
        follow   Keeps a copy of the list in a file, and follows every change.
        webhook  Receives webhooks, checks that they are genuine, and keeps a copy by them.

      Of every command:
        --gateway   where the gateway answers [PARCOURS_GATEWAY, http://127.0.0.1:8090]
        --key       file of {"client": …, "secret": …} [PARCOURS_KEY, partner.json]
        --cohort    [PARCOURS_COHORT, bodies/opale/cohorts/culture-ess-2026]
      Of apply:
        --store            where the request is kept before it is sent [application.json]
        --given-name       [Camille]
        --family-name      [Imaginaire]
        --email            [a made-up one]
        --years-after-bac  [4]
      Of follow and webhook:
        --kind         an application or an enrolment of the cohort [application]
        --copy         the file of the copy [copy.json]
      Of follow:
        --heartbeat    seconds, 1 to 60, after which a silent stream says that it lives [15]
      Of webhook:
        --listen       host:port; port 0: a free one [127.0.0.1:8091]
        --secret-file  the secret, whsec_…; during a rotation both, one on a line
                       [webhook.secret]
        --inbox        folder of the events that came [inbox]
      """;

  private static final Map<String, String> DEFAULTS =
      Map.ofEntries(
          Map.entry("gateway", fromEnvironment("GATEWAY", "http://127.0.0.1:8090")),
          Map.entry("key", fromEnvironment("KEY", "partner.json")),
          Map.entry("cohort", fromEnvironment("COHORT", "bodies/opale/cohorts/culture-ess-2026")),
          Map.entry("store", "application.json"),
          Map.entry("given-name", "Camille"),
          Map.entry("family-name", "Imaginaire"),
          Map.entry("email", ""),
          Map.entry("years-after-bac", "4"),
          Map.entry("kind", "application"),
          Map.entry("copy", "copy.json"),
          Map.entry("heartbeat", "15"),
          Map.entry("listen", "127.0.0.1:8091"),
          Map.entry("secret-file", "webhook.secret"),
          Map.entry("inbox", "inbox"));

  private Partner() {}

  public static void main(String[] arguments) throws InterruptedException {
    try {
      System.exit(run(arguments));
    } catch (Refused refused) {
      System.err.println(refused.describe());
      System.exit(1);
    } catch (NoSuchFileException missing) {
      System.err.println("partner: there is no " + missing.getMessage());
      System.exit(2);
    } catch (IOException | IllegalArgumentException error) {
      System.err.println("partner: " + error.getMessage());
      System.exit(2);
    }
  }

  private static int run(String[] arguments) throws IOException, InterruptedException, Refused {
    Map<String, String> options = new HashMap<>(DEFAULTS);
    for (int i = 1; i < arguments.length; ++i) {
      String[] parts = arguments[i].split("=", 2);
      String name = parts[0].replaceFirst("^--", "");
      if (parts.length != 2 || !DEFAULTS.containsKey(name)) {
        throw new IllegalArgumentException(arguments[i] + " is no --OPTION=VALUE of this program");
      }
      options.put(name, parts[1]);
    }
    String command = arguments.length == 0 ? "" : arguments[0];
    if (!command.matches("apply|follow|webhook")) {
      System.err.print(USAGE);
      return 2;
    }
    Api api = Api.open(options.get("gateway"), Path.of(options.get("key")));
    switch (command) {
      case "apply" -> Apply.run(api, options);
      case "follow" -> Follow.run(api, options);
      default -> Webhook.run(api, options);
    }
    return 0;
  }

  private static String fromEnvironment(String name, String otherwise) {
    return System.getenv().getOrDefault("PARCOURS_" + name, otherwise);
  }
}
