//go:build e2e

package e2e

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"time"

	"github.com/msalext/msalext/examples/webapp/cloud"
)

// person uses the app by a program in place of a browser.
type person struct {
	email  string
	app    string // the address
	client *http.Client
	cloud  *cloud.Cloud
}

// errAway: nobody could answer, which says nothing of the session.
var errAway = errors.New("the app is away")

func newPerson(email, app string, transport http.RoundTripper, c *cloud.Cloud) (*person, error) {
	jar, err := cookiejar.New(nil)
	return &person{email, app, &http.Client{
		Transport: transport, Jar: jar, Timeout: patience,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}, c}, err
}

// signIn is the way to the identity provider and back.
func (p *person) signIn(ctx context.Context) error {
	_, there, err := p.send(ctx, http.MethodGet, p.app+"/user/login/api/me", nil)
	if err != nil {
		return err
	}
	answer, err := p.cloud.Entra().Authorize(there, p.email)
	if err != nil {
		return err
	}
	_, to, err := p.send(ctx, http.MethodPost, p.app+"/user/authorized", answer)
	if err == nil && to != "/api/me" {
		err = fmt.Errorf("the sign-in leads to %q", to)
	}
	return err
}

// whoAmI asks the app, which asks Graph, and demands that both name this person.
func (p *person) whoAmI(ctx context.Context) error {
	body, _, err := p.send(ctx, http.MethodGet, p.app+"/api/me", nil)
	if err != nil {
		return err
	}
	var said struct{ Session, Graph string }
	if err := json.Unmarshal(body, &said); err != nil {
		return fmt.Errorf("%w: %.200s", err, body)
	}
	if said.Session != p.email || said.Graph != p.email {
		return fmt.Errorf("the answer is another's: %s is told %+v", p.email, said)
	}
	return nil
}

// signedOut is an answer that no session explains.
type signedOut struct {
	email, about string
}

func (e *signedOut) Error() string { return e.email + " was signed out: " + e.about }

func (p *person) send(ctx context.Context, method, address string, form url.Values) (body []byte, location string, err error) {
	req, err := http.NewRequestWithContext(ctx, method, address, strings.NewReader(form.Encode()))
	if err != nil {
		return nil, "", err
	}
	req.Header.Set("Accept", "application/json")
	if form != nil {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	resp, err := p.client.Do(req)
	if err != nil {
		return nil, "", errors.Join(errAway, err)
	}
	defer resp.Body.Close()
	if body, err = io.ReadAll(resp.Body); err != nil {
		return nil, "", errors.Join(errAway, err)
	}
	switch {
	case resp.StatusCode >= 500:
		return nil, "", fmt.Errorf("%w: %s: %.200s", errAway, resp.Status, body)
	case resp.StatusCode == http.StatusUnauthorized:
		return nil, "", &signedOut{p.email, fmt.Sprintf("%s %s: %.200s", method, req.URL.Path, body)}
	case resp.StatusCode >= 400:
		return nil, "", fmt.Errorf("%s %s: %s: %.200s", method, req.URL.Path, resp.Status, body)
	}
	return body, resp.Header.Get("Location"), nil
}

// insist tries again as long as the app is away, and tells how often it was.
func insist(ctx context.Context, do func(context.Context) error) (away int, err error) {
	for {
		err := do(ctx)
		if !errors.Is(err, errAway) || ctx.Err() != nil {
			return away, err
		}
		away++
		select {
		case <-ctx.Done():
		case <-time.After(200 * time.Millisecond):
		}
	}
}
