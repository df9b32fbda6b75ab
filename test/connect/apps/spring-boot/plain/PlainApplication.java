package plain;

import org.springframework.boot.SpringApplication;
import org.springframework.boot.autoconfigure.SpringBootApplication;

/** An API with the default decoder of Spring Boot, configured by properties alone. */
@SpringBootApplication
public class PlainApplication {
    public static void main(String[] args) {
        SpringApplication.run(PlainApplication.class, args);
    }
}
