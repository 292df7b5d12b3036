package msal

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/AzureAD/microsoft-authentication-library-for-go/apps/public"
)

// exchange is one call of an MSAL client's, as its network sees it: MSAL passes
// the context on to each request. One goroutine at a time uses it.
type exchange struct {
	of     *exchanges // the network of the call's client; another client's requests aren't part of it
	scheme public.AuthenticationScheme
	claims string // to be asked for where MSAL doesn't
	cached bool   // only what is in the cache is wanted
	fresh  bool   // what is in the cache isn't wanted
	signIn bool   // a code has to bring an ID token

	refreshToken string // what the last answer brought
	refused      *Error // what the last answer means, where it says success and brings no token
	unfit        error  // why the last answer's tokens are nothing for MSAL
}

type exchangeKey struct{}

// errOnlyCached ends a request that must not be sent.
var errOnlyCached = errors.New("a token of the cache was asked for")

// explain makes MSAL's error ours.
func (x *exchange) explain(err error) error {
	switch {
	case x.unfit != nil:
		return x.unfit
	case errors.Is(err, errOnlyCached):
		return fmt.Errorf("msalext: acquiring a token silently: %w; ForClient acquires one", ErrNoToken)
	case err.Error() == "no token found": // MSAL has no type for it
		return fmt.Errorf("msalext: acquiring a token silently: %w; a person has to sign in", ErrNoToken)
	}
	if _, known := errors.AsType[*Error](FromMSAL(err)); !known && x.refused != nil {
		return x.refused
	}
	return FromMSAL(err)
}

// format makes of an access token what is sent to an API.
func (x *exchange) format(token string) (string, error) {
	if x.scheme == nil {
		return token, nil
	}
	return x.scheme.FormatAccessToken(token)
}

func (x *exchange) tokenType() string {
	if x.scheme != nil {
		return x.scheme.AccessTokenType()
	}
	return "Bearer"
}

// exchanges is a network that does for MSAL's calls what their exchange says.
type exchanges struct{ Doer }

// Do sends a request, with what MSAL could not put into it.
func (n *exchanges) Do(req *http.Request) (*http.Response, error) {
	x, ok := req.Context().Value(exchangeKey{}).(*exchange)
	if !ok || x.of != n || req.Method != http.MethodPost {
		return n.Doer.Do(req)
	}
	if x.cached && !refreshing() {
		return nil, errOnlyCached
	}
	req, err := x.prepare(req)
	if err != nil {
		return nil, err
	}
	resp, err := n.Doer.Do(req)
	if err == nil && resp.StatusCode == http.StatusOK && resp.Body != nil {
		x.learn(req, resp)
		if x.unfit != nil {
			_ = resp.Body.Close() // nobody reads the rest
			return nil, x.unfit
		}
	}
	return resp, err
}

// refreshing tells whether MSAL has a token that is still good, and asks for the
// next one.
func refreshing() bool {
	return onStack("proactiveRefresh")
}

// learn keeps what MSAL's results lack, what MSAL would make an error without a
// type of, and what it would store although nobody may use it.
func (x *exchange) learn(req *http.Request, resp *http.Response) {
	body, rest := leading(resp.Body)
	resp.Body = rest
	var answer struct {
		AccessToken  string `json:"access_token"`
		RefreshToken string `json:"refresh_token"`
		IDToken      string `json:"id_token"`
		TokenType    string `json:"token_type"`
	}
	form := sentForm(req)
	unreadable := json.Unmarshal(body, &answer) != nil && len(bytes.TrimSpace(body)) > 0
	if unreadable || !form.Has("grant_type") {
		return // MSAL says what is wrong with it; or it isn't a token that was asked for
	}
	x.refreshToken = answer.RefreshToken
	if answer.AccessToken == "" {
		x.refused = parseError(body, secretsOf(form))
		x.refused.Grant, x.refused.Status = form.Get("grant_type"), resp.StatusCode
		x.refused.Description = cmp.Or(x.refused.Description, "the answer has no access token")
		return
	}
	switch {
	case strings.EqualFold(x.tokenType(), popType) && !strings.EqualFold(answer.TokenType, popType):
		x.unfit = fmt.Errorf("msalext: acquiring a token: %w: the provider issued a token of the type %.20q, which is bound to no key", ErrPop, answer.TokenType)
	case x.signIn && answer.IDToken == "" && form.Get("grant_type") == "authorization_code":
		x.unfit = malformed("the answer has none")
	}
}
