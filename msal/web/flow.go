package web

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/msalext/msalext/msal"
)

const (
	// flowLife is how long a sign-in may take.
	flowLife = 10 * time.Minute
	// maxFlows is how many sign-ins one browser may have open: their cookies go
	// with each request, and servers bound a request's header to 8 KiB.
	maxFlows = 5
	// maxFlowCookie is what browsers keep, for name and value (RFC 6265 §6.1).
	maxFlowCookie = 4000
)

// flow is a sign-in whose browser is at the identity provider. It lies in that
// browser, sealed.
type flow struct {
	Flow  msal.AuthCodeFlow `json:"f"`
	To    string            `json:"to,omitempty"`  // a local path
	From  string            `json:"sid,omitempty"` // the session that it was begun in; a form from another site comes without the session cookie
	Until time.Time         `json:"t"`
}

var (
	errFlowMissing = errors.New("the browser has no such sign-in")
	errFlowOld     = errors.New("the sign-in took too long")
	errFlowUsed    = errors.New("the sign-in was finished before")
	errFlowLarge   = errors.New("the sign-in doesn't fit into a cookie")
)

// flowCookie names the cookie of one sign-in, which tabs have one each of. The
// state is a secret, and a name isn't treated as one.
func (a *App) flowCookie(state string) string {
	sum := sha256.Sum256([]byte(state))
	return a.flowPrefix() + hex.EncodeToString(sum[:8])
}

func (a *App) flowPrefix() string { return a.sessions.Cookie.Name + "-flow-" }

// bound is what a sealed flow belongs to, besides its key: other applications
// may have the same tokens' store.
func (a *App) bound(cookie string) []byte { return []byte(a.cfg.ClientID + "\x00" + cookie) }

// seal makes the cookie of a flow.
func (a *App) seal(ctx context.Context, f flow) (*http.Cookie, error) {
	name := a.flowCookie(f.Flow.State)
	aead, err := a.keys.current(ctx, false)
	if err != nil {
		return nil, err
	}
	text, err := json.Marshal(f)
	if err != nil {
		return nil, err
	}
	sealed := base64.RawURLEncoding.EncodeToString(aead.Seal(nil, nil, text, a.bound(name)))
	if len(name)+len(sealed) > maxFlowCookie {
		return nil, fmt.Errorf("msalext: begin a sign-in: %w; ask for fewer scopes or claims", errFlowLarge)
	}
	return a.cookieOfFlow(name, sealed, int(flowLife/time.Second)), nil
}

// cookieOfFlow has SameSite=None, since what an identity provider sends by
// form_post comes from another site. Only __Host- and Path=/ keep others from
// setting it (login CSRF).
func (a *App) cookieOfFlow(name, value string, maxAge int) *http.Cookie {
	return &http.Cookie{Name: name, Value: value, Path: "/", MaxAge: maxAge, Secure: true, HttpOnly: true, SameSite: http.SameSiteNoneMode}
}

// unseal returns the flow that a request has for a state.
func (a *App) unseal(r *http.Request, state string) (flow, error) {
	name := a.flowCookie(state)
	cookie, err := r.Cookie(name)
	if err != nil {
		return flow{}, errFlowMissing
	}
	sealed, err := base64.RawURLEncoding.DecodeString(cookie.Value)
	if err != nil {
		return flow{}, errFlowMissing
	}
	text, err := a.open(r.Context(), name, sealed)
	if err != nil {
		return flow{}, err
	}
	var f flow
	if json.Unmarshal(text, &f) != nil || f.Flow.State != state {
		return flow{}, errFlowMissing
	}
	if time.Now().After(f.Until) {
		return f, errFlowOld
	}
	return f, nil
}

// open tries the key at hand, and then one that may have taken its place.
func (a *App) open(ctx context.Context, name string, sealed []byte) ([]byte, error) {
	for _, anew := range []bool{false, true} {
		aead, err := a.keys.current(ctx, anew)
		if err != nil {
			return nil, err
		}
		if text, err := aead.Open(nil, nil, sealed, a.bound(name)); err == nil {
			return text, nil
		}
	}
	return nil, errFlowMissing
}

// tidyFlows drops the sign-ins that a browser began first, where it has many.
// Browsers send what they got first first (RFC 6265 §5.4).
func (a *App) tidyFlows(w http.ResponseWriter, r *http.Request) {
	var names []string
	for _, cookie := range r.Cookies() {
		if strings.HasPrefix(cookie.Name, a.flowPrefix()) {
			names = append(names, cookie.Name)
		}
	}
	for len(names) >= maxFlows {
		http.SetCookie(w, a.cookieOfFlow(names[0], "", -1))
		names = names[1:]
	}
}
