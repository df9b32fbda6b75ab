// An app with passport-openidconnect, which has no PKCE. The path of its sign-in names the client.
import express from 'express';
import session from 'express-session';
import passport from 'passport';
import OpenIDConnectStrategy from 'passport-openidconnect';

const { APP, ISSUER, CLIENT_SECRET, PORT, SESSION_SECRET } = process.env;
for (const clientID of ['optional-app', 'strict-app'])
  passport.use(
    clientID,
    new OpenIDConnectStrategy(
      {
        issuer: ISSUER,
        authorizationURL: `${ISSUER}/oauth2/authorize`,
        tokenURL: `${ISSUER}/oauth2/token`,
        userInfoURL: `${ISSUER}/oauth2/userinfo`,
        clientID,
        clientSecret: CLIENT_SECRET,
        callbackURL: `${APP}/callback`,
      },
      (_issuer, profile, done) => done(null, profile),
    ),
  );
passport.serializeUser((user, done) => done(null, user));
passport.deserializeUser((user, done) => done(null, user));

const app = express();
app.use(session({ secret: SESSION_SECRET, resave: false, saveUninitialized: false }));
app.use(passport.initialize(), passport.session());
app.get('/login/:client', (request, response, next) => {
  request.session.client = request.params.client;
  passport.authenticate(request.params.client)(request, response, next);
});
app.get('/callback', (request, response, next) =>
  passport.authenticate(request.session.client, { successRedirect: '/' })(request, response, next),
);
app.use((error, _request, response, _next) => response.status(400).send(`${error.code}: ${error.message}`));
app.get('/', ({ user }, response) => response.send(user ? `signed in as ${user.id}` : 'signed out'));
app.listen(PORT);
