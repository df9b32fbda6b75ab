package web;

import static org.springframework.security.oauth2.client.web.client.RequestAttributeClientRegistrationIdResolver.clientRegistrationId;

import java.util.Map;
import org.springframework.beans.factory.annotation.Value;
import org.springframework.boot.SpringApplication;
import org.springframework.boot.autoconfigure.SpringBootApplication;
import org.springframework.security.core.annotation.AuthenticationPrincipal;
import org.springframework.security.oauth2.core.oidc.user.OidcUser;
import org.springframework.security.web.csrf.CsrfToken;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.RestController;
import org.springframework.web.client.RestClient;

/** A small web app around the configuration of the page: it shows who is signed in, and calls an API. */
@SpringBootApplication
@RestController
public class WebApplication {
    private final RestClient contracts;
    private final String api;

    WebApplication(RestClient contracts, @Value("${API_URL}") String api) {
        this.contracts = contracts;
        this.api = api;
    }

    public static void main(String[] args) {
        SpringApplication.run(WebApplication.class, args);
    }

    @GetMapping("/me")
    Map<String, Object> me(@AuthenticationPrincipal OidcUser person) {
        return Map.of(
                "name", person.getName(),
                "claims", person.getClaims(),
                "idToken", person.getIdToken().getClaims());
    }

    /** What the API answers. The interceptor adds the access token of the person, and refreshes it. */
    @GetMapping(value = "/contracts", produces = "application/json")
    String contracts() {
        return contracts.get().uri(api).attributes(clientRegistrationId("gatehouse")).retrieve().body(String.class);
    }

    @GetMapping(value = "/leave", produces = "text/html")
    String leave(CsrfToken token) {
        var form = "<form method='post' action='/logout'><input type='hidden' name='%s' value='%s'><button>Leave</button></form>";
        return form.formatted(token.getParameterName(), token.getToken());
    }

    @GetMapping("/signed-out")
    String signedOut() {
        return "signed out";
    }
}
