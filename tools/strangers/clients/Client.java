import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;

/** Asks by java.net.http, as it stands (which asks for HTTP/2 by an upgrade), and with HTTP/1.1: `java Client.java URL BODY`. */
class Client {
    public static void main(String[] arguments) throws Exception {
        String url = arguments[0];
        String body = arguments[1];
        for (HttpClient.Version version : HttpClient.Version.values()) {
            HttpClient client = HttpClient.newBuilder().version(version).build();
            HttpRequest.Builder request = HttpRequest.newBuilder(URI.create(url + "/predict")).header("Content-Type", "application/json");
            say("java " + version, client.send(request.POST(BodyPublishers.ofString(body)).build(), BodyHandlers.ofString()));
            byte[] bytes = body.getBytes(StandardCharsets.UTF_8);
            HttpRequest chunked = request.POST(BodyPublishers.ofInputStream(() -> new java.io.ByteArrayInputStream(bytes))).build();
            say("java " + version + " chunked", client.send(chunked, BodyHandlers.ofString()));
            HttpRequest waiting = request.expectContinue(true).POST(BodyPublishers.ofString(body)).build();
            say("java " + version + " 100-continue", client.send(waiting, BodyHandlers.ofString()));
            List<CompletableFuture<HttpResponse<String>>> together = new ArrayList<>();
            for (int number = 0; number < 20; number++) {
                together.add(client.sendAsync(request.expectContinue(false).POST(BodyPublishers.ofString(body)).build(), BodyHandlers.ofString()));
            }
            for (CompletableFuture<HttpResponse<String>> each : together) {
                say("java " + version + " 20 at once", each.get());
            }
        }
    }

    static void say(String form, HttpResponse<String> answer) {
        System.out.printf("{\"form\": \"%s\", \"status\": %d, \"answer\": %s}%n", form, answer.statusCode(), answer.body());
    }
}
