// A small app that signs people in with go-oidc. The page docs/connect/go-oidc.md has gatehouse.go.
package main

import (
	"context"
	"encoding/json"
	"io"
	"log"
	"net/http"
	"os"
	"sync"
	"time"

	"golang.org/x/oauth2"
)

// session is what the app keeps about one browser.
type session struct {
	state, nonce, pkce string
	token              *oauth2.Token
	rawIDToken         string
	sid                string
}

// sessions are the sessions by the value of the cookie.
type sessions struct {
	sync.Mutex
	all map[string]*session
}

func (s *sessions) of(w http.ResponseWriter, r *http.Request) *session {
	s.Lock()
	defer s.Unlock()
	if cookie, err := r.Cookie("session"); err == nil && s.all[cookie.Value] != nil {
		return s.all[cookie.Value]
	}
	id, found := oauth2.GenerateVerifier(), &session{}
	s.all[id] = found
	http.SetCookie(w, &http.Cookie{Name: "session", Value: id, Path: "/", HttpOnly: true, SameSite: http.SameSiteLaxMode})
	return found
}

func main() {
	ctx := context.Background()
	gatehouse, err := connect(ctx)
	if err != nil {
		log.Fatal(err)
	}
	var metadata struct{ Issuer string }
	if err := gatehouse.provider.Claims(&metadata); err != nil {
		log.Fatal(err)
	}
	issuer := metadata.Issuer
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
			s := browsers.of(w, r)
			if s.token == nil {
				http.Redirect(w, r, "/login", http.StatusFound)
				return
			}
			if err := page(w, r, s); err != nil {
				http.Error(w, err.Error(), http.StatusInternalServerError)
			}
		})
	}

	http.HandleFunc("GET /{$}", func(w http.ResponseWriter, r *http.Request) {
		answer(w, map[string]bool{"signedIn": browsers.of(w, r).token != nil})
	})
	http.HandleFunc("GET /login", func(w http.ResponseWriter, r *http.Request) {
		s := browsers.of(w, r)
		s.state, s.nonce, s.pkce = oauth2.GenerateVerifier(), oauth2.GenerateVerifier(), oauth2.GenerateVerifier()
		http.Redirect(w, r, gatehouse.start(s.state, s.nonce, s.pkce), http.StatusFound)
	})
	http.HandleFunc("GET /callback", func(w http.ResponseWriter, r *http.Request) {
		s := browsers.of(w, r)
		if s.state == "" || r.FormValue("state") != s.state || r.FormValue("iss") != issuer {
			http.Error(w, "this answer belongs to another sign-in", http.StatusBadRequest)
			return
		}
		token, idToken, err := gatehouse.finish(ctx, r.FormValue("code"), s.nonce, s.pkce)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadGateway)
			return
		}
		var claims struct{ Sid string }
		if err := idToken.Claims(&claims); err != nil {
			http.Error(w, err.Error(), http.StatusBadGateway)
			return
		}
		s.state, s.token, s.sid = "", token, claims.Sid
		s.rawIDToken, _ = token.Extra("id_token").(string)
		http.Redirect(w, r, "/me", http.StatusFound)
	})
	handle("GET /me", func(w http.ResponseWriter, _ *http.Request, s *session) error {
		idToken, err := gatehouse.verifier.Verify(ctx, s.rawIDToken)
		if err != nil {
			return err
		}
		var claims, person map[string]any
		if err := idToken.Claims(&claims); err != nil {
			return err
		}
		userinfo, err := gatehouse.provider.UserInfo(ctx, oauth2.StaticTokenSource(s.token))
		if err != nil {
			return err
		}
		if err := userinfo.Claims(&person); err != nil {
			return err
		}
		answer(w, map[string]any{"idToken": claims, "userinfo": person})
		return nil
	})
	handle("GET /call", func(w http.ResponseWriter, _ *http.Request, s *session) error {
		response, err := gatehouse.Client(ctx, s.token).Get(os.Getenv("API_URL"))
		if err != nil {
			return err
		}
		defer response.Body.Close()
		w.WriteHeader(response.StatusCode)
		_, err = io.Copy(w, response.Body)
		return err
	})
	handle("GET /refresh", func(w http.ResponseWriter, _ *http.Request, s *session) error {
		// The library refreshes a token that has expired.
		expired := *s.token
		expired.Expiry = time.Now().Add(-time.Minute)
		fresh, err := gatehouse.TokenSource(ctx, &expired).Token()
		if err != nil {
			return err
		}
		answer(w, map[string]bool{
			"newAccessToken":  fresh.AccessToken != s.token.AccessToken,
			"newRefreshToken": fresh.RefreshToken != s.token.RefreshToken,
		})
		s.token = fresh
		return nil
	})
	handle("GET /logout", func(w http.ResponseWriter, r *http.Request, s *session) error {
		s.token = nil
		http.Redirect(w, r, signOut(s.rawIDToken), http.StatusFound)
		return nil
	})
	http.HandleFunc("POST /backchannel-logout", func(w http.ResponseWriter, r *http.Request) {
		ended, err := gatehouse.loggedOut(r)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		browsers.Lock()
		defer browsers.Unlock()
		for _, s := range browsers.all {
			if ended.SessionID != "" && s.sid == ended.SessionID {
				s.token = nil
			}
		}
		w.WriteHeader(http.StatusNoContent)
	})
	log.Fatal(http.ListenAndServe("127.0.0.1:"+os.Getenv("PORT"), nil))
}
