// A small app that signs people in with zitadel/oidc. The page docs/connect/zitadel-oidc.md has gatehouse.go.
package main

import (
	"context"
	"encoding/json"
	"io"
	"log"
	"net/http"
	"os"
	"sync"

	"github.com/gorilla/securecookie"
	"github.com/zitadel/oidc/v3/pkg/client/rp"
	"github.com/zitadel/oidc/v3/pkg/oidc"
	"golang.org/x/oauth2"
)

// session is what the app keeps about one browser that is signed in.
type session struct {
	tokens   *Tokens
	userinfo *oidc.UserInfo
	idToken  string
}

// sessions are the sessions by the value of the cookie.
type sessions struct {
	sync.Mutex
	all map[string]*session
}

func (s *sessions) of(r *http.Request) *session {
	s.Lock()
	defer s.Unlock()
	if cookie, err := r.Cookie("session"); err == nil {
		return s.all[cookie.Value]
	}
	return nil
}

func (s *sessions) add(w http.ResponseWriter, added *session) {
	s.Lock()
	defer s.Unlock()
	id := oauth2.GenerateVerifier()
	s.all[id] = added
	http.SetCookie(w, &http.Cookie{Name: "session", Value: id, Path: "/", HttpOnly: true, SameSite: http.SameSiteLaxMode})
}

func (s *sessions) remove(r *http.Request) {
	s.Lock()
	defer s.Unlock()
	if cookie, err := r.Cookie("session"); err == nil {
		delete(s.all, cookie.Value)
	}
}

func main() {
	ctx := context.Background()
	party, err := connect(ctx, securecookie.GenerateRandomKey(32), securecookie.GenerateRandomKey(32))
	if err != nil {
		log.Fatal(err)
	}
	browsers := &sessions{all: map[string]*session{}}
	answer := func(w http.ResponseWriter, value any) {
		w.Header().Set("Content-Type", "application/json")
		if err := json.NewEncoder(w).Encode(value); err != nil {
			log.Print(err)
		}
	}
	// handle adds a page that only a person who is signed in can open.
	handle := func(path string, page func(w http.ResponseWriter, r *http.Request, s *session) error) {
		http.HandleFunc(path, func(w http.ResponseWriter, r *http.Request) {
			s := browsers.of(r)
			if s == nil {
				http.Redirect(w, r, "/login", http.StatusFound)
				return
			}
			if err := page(w, r, s); err != nil {
				http.Error(w, err.Error(), http.StatusInternalServerError)
			}
		})
	}

	http.HandleFunc("GET /{$}", func(w http.ResponseWriter, r *http.Request) {
		answer(w, map[string]bool{"signedIn": browsers.of(r) != nil})
	})
	routes(party, func(w http.ResponseWriter, r *http.Request, tokens *Tokens, _ string,
		_ rp.RelyingParty, userinfo *oidc.UserInfo) {
		browsers.add(w, &session{tokens, userinfo, tokens.IDToken})
		http.Redirect(w, r, "/me", http.StatusFound)
	})
	handle("GET /me", func(w http.ResponseWriter, _ *http.Request, s *session) error {
		answer(w, map[string]any{"idToken": s.tokens.IDTokenClaims, "userinfo": s.userinfo})
		return nil
	})
	handle("GET /call", func(w http.ResponseWriter, _ *http.Request, s *session) error {
		response, err := oauth2.NewClient(ctx, oauth2.StaticTokenSource(s.tokens.Token)).Get(os.Getenv("API_URL"))
		if err != nil {
			return err
		}
		defer response.Body.Close()
		w.WriteHeader(response.StatusCode)
		_, err = io.Copy(w, response.Body)
		return err
	})
	handle("GET /refresh", func(w http.ResponseWriter, _ *http.Request, s *session) error {
		fresh, err := refresh(ctx, party, s.tokens.RefreshToken)
		if err != nil {
			return err
		}
		answer(w, map[string]bool{
			"newAccessToken":  fresh.AccessToken != s.tokens.AccessToken,
			"newRefreshToken": fresh.RefreshToken != s.tokens.RefreshToken,
		})
		s.tokens = fresh
		return nil
	})
	handle("GET /logout", func(w http.ResponseWriter, r *http.Request, s *session) error {
		browsers.remove(r)
		http.Redirect(w, r, signOut(party, s.idToken), http.StatusFound)
		return nil
	})
	log.Fatal(http.ListenAndServe("127.0.0.1:"+os.Getenv("PORT"), nil))
}
