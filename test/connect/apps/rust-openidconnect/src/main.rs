//! A small app that signs people in with openidconnect. The page docs/connect/rust-openidconnect.md has gatehouse.rs.

mod gatehouse;

use std::collections::HashMap;
use std::env::var;

use gatehouse::{Client, Outcome};
use openidconnect::core::{CoreIdToken, CoreTokenResponse, CoreUserInfoClaims};
use openidconnect::reqwest::blocking::Client as Http;
use openidconnect::reqwest::redirect::Policy;
use openidconnect::{CsrfToken, EndSessionUrl, Nonce, OAuth2TokenResponse, PkceCodeVerifier, TokenResponse, url::Url};
use serde_json::{Value, json};
use tiny_http::{Header, Request, Response, Server};

/// What the app keeps about one browser.
#[derive(Default)]
struct Session {
    begun: Option<(CsrfToken, Nonce, PkceCodeVerifier)>,
    nonce: Option<Nonce>,
    tokens: Option<CoreTokenResponse>,
    id_token: Option<CoreIdToken>,
}

enum Answer {
    Json(u16, Value),
    Redirect(String),
}

struct App {
    http: Http,
    client: Client,
    end_session: EndSessionUrl,
    issuer: String,
    api: String,
}

impl App {
    fn answer(&self, url: &Url, session: &mut Session) -> Outcome<Answer> {
        let parameter =
            |name: &str| url.query_pairs().find(|(key, _)| key == name).map(|(_, value)| value.into_owned());
        match url.path() {
            "/" => return Ok(Answer::Json(200, json!({ "signedIn": session.tokens.is_some() }))),
            "/login" => {
                let (url, state, nonce, verifier) = gatehouse::start(&self.client);
                session.begun = Some((state, nonce, verifier));
                return Ok(Answer::Redirect(url.into()));
            }
            "/callback" => {
                let (state, nonce, verifier) = session.begun.take().ok_or("no sign-in has begun")?;
                if parameter("state").as_ref() != Some(state.secret())
                    || parameter("iss").as_ref() != Some(&self.issuer)
                {
                    return Err("this answer belongs to another sign-in".into());
                }
                let code = parameter("code").ok_or("no code")?;
                let tokens = gatehouse::finish(&self.client, &self.http, code, &nonce, verifier)?;
                session.id_token = tokens.id_token().cloned();
                session.tokens = Some(tokens);
                session.nonce = Some(nonce);
                return Ok(Answer::Redirect("/me".into()));
            }
            _ => {}
        }
        let (Some(tokens), Some(id_token), Some(nonce)) = (&session.tokens, &session.id_token, &session.nonce) else {
            return Ok(Answer::Redirect("/login".into()));
        };
        match url.path() {
            "/me" => {
                let claims = id_token.claims(&self.client.id_token_verifier(), nonce)?;
                let subject = Some(claims.subject().clone());
                let userinfo: CoreUserInfoClaims =
                    self.client.user_info(tokens.access_token().clone(), subject)?.request(&self.http)?;
                Ok(Answer::Json(200, json!({ "idToken": claims, "userinfo": userinfo })))
            }
            "/call" => {
                let api = self.http.get(&self.api).bearer_auth(tokens.access_token().secret()).send()?;
                Ok(Answer::Json(api.status().as_u16(), serde_json::from_str(&api.text()?)?))
            }
            "/refresh" => {
                let token = tokens.refresh_token().ok_or("no refresh token")?;
                let fresh = gatehouse::refresh(&self.client, &self.http, token)?;
                let answer = json!({
                    "newAccessToken": fresh.access_token().secret() != tokens.access_token().secret(),
                    "newRefreshToken": fresh.refresh_token().map(|token| token.secret()) != Some(token.secret()),
                });
                session.tokens = Some(fresh);
                Ok(Answer::Json(200, answer))
            }
            "/logout" => {
                let address = gatehouse::sign_out(self.end_session.clone(), id_token)?;
                *session = Session::default();
                Ok(Answer::Redirect(address.into()))
            }
            _ => Ok(Answer::Json(404, json!({ "error": "not found" }))),
        }
    }
}

fn cookie(request: &Request) -> Option<String> {
    let header = request.headers().iter().find(|header| header.field.equiv("Cookie"))?;
    let cookies = header.value.as_str().split("; ");
    cookies.filter_map(|cookie| cookie.strip_prefix("session=")).next().map(str::to_owned)
}

fn header(name: &str, value: &str) -> Header {
    Header::from_bytes(name, value).expect("a header")
}

fn main() -> Outcome<()> {
    let http = Http::builder().redirect(Policy::none()).build()?;
    let (client, end_session) = gatehouse::connect(&http)?;
    let (issuer, api) = (var("ISSUER")?, var("API_URL")?);
    let app = App { http, client, end_session, issuer, api };
    let server = Server::http(format!("127.0.0.1:{}", var("PORT")?)).map_err(|error| error.to_string())?;
    let mut sessions: HashMap<String, Session> = HashMap::new();
    for request in server.incoming_requests() {
        let id = cookie(&request).unwrap_or_else(|| CsrfToken::new_random().secret().clone());
        let url = Url::parse("http://app")?.join(request.url())?;
        let answer = app
            .answer(&url, sessions.entry(id.clone()).or_default())
            .unwrap_or_else(|error| Answer::Json(500, json!({ "error": error.to_string() })));
        let response = match answer {
            Answer::Json(status, value) => Response::from_string(value.to_string())
                .with_status_code(status)
                .with_header(header("Content-Type", "application/json")),
            Answer::Redirect(address) => {
                Response::from_string("").with_status_code(302).with_header(header("Location", &address))
            }
        };
        request.respond(
            response.with_header(header("Set-Cookie", &format!("session={id}; Path=/; HttpOnly; SameSite=Lax"))),
        )?;
    }
    Ok(())
}
