import com.microsoft.aad.msal4j.ClientCredentialFactory;
import com.microsoft.aad.msal4j.ClientCredentialParameters;
import com.microsoft.aad.msal4j.ConfidentialClientApplication;
import com.microsoft.aad.msal4j.DeviceCode;
import com.microsoft.aad.msal4j.DeviceCodeFlowParameters;
import com.microsoft.aad.msal4j.HttpMethod;
import com.microsoft.aad.msal4j.HttpRequest;
import com.microsoft.aad.msal4j.HttpResponse;
import com.microsoft.aad.msal4j.IAccount;
import com.microsoft.aad.msal4j.IHttpClient;
import com.microsoft.aad.msal4j.IHttpResponse;
import com.microsoft.aad.msal4j.MsalException;
import com.microsoft.aad.msal4j.PublicClientApplication;
import com.microsoft.aad.msal4j.SilentParameters;
import com.microsoft.aad.msal4jextensions.PersistenceSettings;
import com.microsoft.aad.msal4jextensions.PersistenceTokenCacheAccessAspect;
import java.io.BufferedReader;
import java.io.ByteArrayInputStream;
import java.io.InputStreamReader;
import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpClient;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.security.KeyStore;
import java.security.cert.CertificateFactory;
import java.util.Set;
import java.util.concurrent.ExecutionException;
import java.util.stream.Collectors;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManagerFactory;

/**
 * A program that signs people in with MSAL4J and keeps their tokens with its persistence extension
 * in a file.
 *
 * <pre>Cache LOCATION AUTHORITY</pre>
 *
 * Each line of standard input is a command, answered by a line of JSON:
 *
 * <pre>
 * sign-in USER    {"token": ...}, by device code
 * silent USER     {"token": ...}, null where somebody has to sign in
 * sign-out USER   {}
 * accounts        {"accounts": [...]}
 * application     {"token": ...}, the application's own
 * </pre>
 *
 * Every request goes to the fake Entra ID that MSALTEST_AUTHORITY names, under the host that it was
 * meant for. Java lets a program set that host only with -Djdk.httpclient.allowRestrictedHeaders=host.
 */
public class Cache {
    static final String FORM = "application/x-www-form-urlencoded";
    static final Set<String> SCOPES = Set.of("User.Read");
    static final URI FAKE = URI.create(System.getenv("MSALTEST_AUTHORITY"));

    static class ToTheFake implements IHttpClient {
        final HttpClient client;

        ToTheFake() throws Exception {
            byte[] pem = System.getenv("MSALTEST_CERTIFICATE").getBytes(StandardCharsets.UTF_8);
            KeyStore trusted = KeyStore.getInstance(KeyStore.getDefaultType());
            trusted.load(null);
            trusted.setCertificateEntry(
                    "fake", CertificateFactory.getInstance("X.509").generateCertificate(new ByteArrayInputStream(pem)));
            TrustManagerFactory trust = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
            trust.init(trusted);
            SSLContext tls = SSLContext.getInstance("TLS");
            tls.init(null, trust.getTrustManagers(), null);
            client = HttpClient.newBuilder().sslContext(tls).version(HttpClient.Version.HTTP_1_1).build();
        }

        @Override
        public IHttpResponse send(HttpRequest request) throws Exception {
            URI url = request.url().toURI();
            var builder = java.net.http.HttpRequest.newBuilder(
                    new URI(FAKE.getScheme() + "://" + FAKE.getAuthority() + url.getRawPath()
                            + (url.getRawQuery() == null ? "" : "?" + url.getRawQuery())));
            if (request.headers() != null) {
                request.headers().forEach(builder::setHeader);
            }
            builder.setHeader("Host", url.getAuthority());
            if (request.httpMethod() == HttpMethod.POST) {
                // The client that MSAL4J is made for sends this where nothing else is said.
                if (request.headerValue("Content-Type") == null) {
                    builder.setHeader("Content-Type", FORM);
                }
                builder.POST(java.net.http.HttpRequest.BodyPublishers.ofString(request.body()));
            }
            var answer = client.send(builder.build(), BodyHandlers.ofString());
            HttpResponse response = new HttpResponse().statusCode(answer.statusCode()).body(answer.body());
            response.addHeaders(answer.headers().map());
            return response;
        }

        void approve(DeviceCode code, String user) {
            String form = "user_code=" + code.userCode() + "&username=" + URLEncoder.encode(user, StandardCharsets.UTF_8);
            var request = java.net.http.HttpRequest.newBuilder(FAKE.resolve("/msaltest/approve"))
                    .header("Content-Type", FORM)
                    .POST(java.net.http.HttpRequest.BodyPublishers.ofString(form));
            try {
                client.send(request.build(), BodyHandlers.discarding());
            } catch (Exception e) {
                throw new IllegalStateException(e);
            }
        }
    }

    final ToTheFake http = new ToTheFake();
    final PublicClientApplication app;
    final ConfidentialClientApplication daemon;

    Cache(Path location, String authority) throws Exception {
        var settings = PersistenceSettings.builder(location.getFileName().toString(), location.getParent())
                .setLinuxUseUnprotectedFileAsCacheStorage(true)
                .build();
        app = PublicClientApplication.builder("client")
                .authority(authority)
                .httpClient(http)
                .setTokenCacheAccessAspect(new PersistenceTokenCacheAccessAspect(settings))
                .build();
        daemon = ConfidentialClientApplication.builder("client", ClientCredentialFactory.createFromSecret("secret"))
                .authority(authority)
                .httpClient(http)
                .setTokenCacheAccessAspect(new PersistenceTokenCacheAccessAspect(settings))
                .build();
    }

    IAccount account(String user) throws Exception {
        return app.getAccounts().get().stream().filter(a -> user.equals(a.username())).findFirst().orElse(null);
    }

    String signIn(String user) throws Exception {
        var parameters = DeviceCodeFlowParameters.builder(SCOPES, code -> http.approve(code, user)).build();
        return token(app.acquireToken(parameters).get().accessToken());
    }

    String silent(String user) throws Exception {
        IAccount account = account(user);
        if (account == null) {
            return token(null);
        }
        try {
            return token(app.acquireTokenSilently(SilentParameters.builder(SCOPES, account).build()).get().accessToken());
        } catch (ExecutionException e) {
            if (e.getCause() instanceof MsalException m && "cache_miss".equals(m.errorCode())) {
                return token(null);
            }
            throw e;
        }
    }

    String signOut(String user) throws Exception {
        IAccount account = account(user);
        if (account != null) {
            app.removeAccount(account).get();
        }
        return "{}";
    }

    String application() throws Exception {
        var parameters = ClientCredentialParameters.builder(Set.of("https://graph.microsoft.com/.default")).build();
        return token(daemon.acquireToken(parameters).get().accessToken());
    }

    String accounts() throws Exception {
        return app.getAccounts().get().stream()
                .map(IAccount::username)
                .sorted()
                .map(Cache::quoted)
                .collect(Collectors.joining(",", "{\"accounts\":[", "]}"));
    }

    static String token(String token) {
        return "{\"token\":" + quoted(token) + "}";
    }

    static String quoted(String text) {
        return text == null ? "null" : '"' + text.replace("\\", "\\\\").replace("\"", "\\\"").replace("\n", " ") + '"';
    }

    String answer(String command, String user) {
        try {
            return switch (command) {
                case "sign-in" -> signIn(user);
                case "silent" -> silent(user);
                case "sign-out" -> signOut(user);
                case "accounts" -> accounts();
                case "application" -> application();
                default -> throw new IllegalArgumentException(command);
            };
        } catch (Exception e) { // the test wants to see it, whatever it is
            return "{\"error\":" + quoted(e.toString()) + "}";
        }
    }

    public static void main(String[] args) throws Exception {
        Cache cache = new Cache(Path.of(args[0]), args[1]);
        var in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        for (String line = in.readLine(); line != null; line = in.readLine()) {
            String[] words = line.trim().split(" ", 2);
            System.out.println(cache.answer(words[0], words.length > 1 ? words[1] : ""));
        }
    }
}
