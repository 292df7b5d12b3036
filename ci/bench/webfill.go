package main

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/alexedwards/scs/v2"
	goredis "github.com/redis/go-redis/v9"

	"github.com/msalext/msalext/extensions"
	"github.com/msalext/msalext/msal/msaltest"
	"github.com/msalext/msalext/msal/web"
	"github.com/msalext/msalext/msal/web/redisstore"
)

// webSignIn is a person's way through the app's own handlers.
func webSignIn(ctx context.Context, base string, entra *msaltest.Server, username string) error {
	jar, err := cookiejar.New(nil)
	if err != nil {
		return err
	}
	h := &http.Client{Jar: secureJar{jar}, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	ask := func(method, path string, form url.Values) (location string, err error) {
		req, err := http.NewRequestWithContext(ctx, method, base+path, strings.NewReader(form.Encode()))
		if err != nil {
			return "", err
		}
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		resp, err := h.Do(req)
		if err != nil {
			return "", err
		}
		body, err := io.ReadAll(resp.Body)
		if resp.StatusCode != http.StatusSeeOther {
			err = fmt.Errorf("%s %s: %s: %.300s", method, path, resp.Status, body)
		}
		return resp.Header.Get("Location"), errors.Join(err, resp.Body.Close())
	}
	there, err := ask(http.MethodGet, "/user/login", nil)
	if err != nil {
		return err
	}
	answer, err := entra.Authorize(there, username)
	if err != nil {
		return err
	}
	_, err = ask(http.MethodPost, "/user/authorized", answer)
	return err
}

// secureJar gives cookies for https to this machine's http, as browsers do.
type secureJar struct{ http.CookieJar }

func (j secureJar) SetCookies(u *url.URL, cookies []*http.Cookie) {
	j.CookieJar.SetCookies(secure(u), cookies)
}
func (j secureJar) Cookies(u *url.URL) []*http.Cookie { return j.CookieJar.Cookies(secure(u)) }

func secure(u *url.URL) *url.URL {
	other := *u
	other.Scheme = "https"
	return &other
}

// webFill multiplies the one session on the server, with its tokens, until there
// are n, and returns what browsers would send.
func webFill(ctx context.Context, address string, tokens *extensions.Persistence, n int) (cookies []string, err error) {
	client := goredis.NewClient(&goredis.Options{Addr: address})
	defer client.Close()
	sessions := redisstore.New(client, nil)
	all, err := sessions.AllCtx(ctx)
	if err != nil || len(all) != 1 {
		return nil, fmt.Errorf("%d sessions, %w", len(all), err)
	}
	var first webSession
	for name, data := range all {
		if err := errors.Join(first.read(ctx, data, tokens), sessions.DeleteCtx(ctx, name)); err != nil {
			return nil, err
		}
	}
	var mu sync.Mutex
	var wg sync.WaitGroup
	var errs []error
	each := make(chan struct{})
	for range webClients {
		wg.Go(func() {
			for range each {
				id, err := first.again(ctx, sessions, tokens)
				mu.Lock()
				cookies, errs = append(cookies, "__Host-session="+id), append(errs, err)
				mu.Unlock()
			}
		})
	}
	for range n {
		each <- struct{}{}
	}
	close(each)
	wg.Wait()
	return cookies, errors.Join(errs...)
}

// webSession is a session to be multiplied.
type webSession struct {
	deadline time.Time
	values   map[string]any
	record   web.Record
	cache    []byte
}

func (s *webSession) read(ctx context.Context, data []byte, tokens *extensions.Persistence) (err error) {
	if s.deadline, s.values, err = (scs.GobCodec{}).Decode(data); err != nil {
		return err
	}
	record, ok := web.RecordOf(s.values)
	if !ok {
		return errors.New("nobody is signed in")
	}
	s.record = record
	s.cache, err = tokens.Key(record.TokenKey).Load(ctx)
	return err
}

func (s *webSession) again(ctx context.Context, sessions *redisstore.Store, tokens *extensions.Persistence) (id string, err error) {
	id = rand.Text() + rand.Text()
	r := s.record
	r.TokenKey = r.TokenKey[:strings.LastIndexByte(r.TokenKey, '/')+1] + rand.Text()
	text, err := json.Marshal(r)
	if err != nil {
		return "", err
	}
	values := map[string]any{}
	for name, value := range s.values {
		values[name] = value
	}
	values[web.RecordName] = string(text)
	data, err := (scs.GobCodec{}).Encode(s.deadline, values)
	if err != nil {
		return "", err
	}
	// The store knows a hash of what the cookie says.
	sum := sha256.Sum256([]byte(id))
	name := base64.RawURLEncoding.EncodeToString(sum[:])
	return id, errors.Join(sessions.CommitCtx(ctx, name, data, s.deadline), tokens.Key(r.TokenKey).Save(ctx, s.cache))
}
