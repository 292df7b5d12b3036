package web

import (
	"context"
	"errors"
	"mime"
	"net/http"
	"net/url"
	"strings"

	"github.com/msalext/msalext/msal"
)

var (
	errMixUp    = errors.New("the answer is from another identity provider")
	errNotAForm = errors.New("the answer isn't a form")
	errTenant   = errors.New("the person is of a tenant that may not sign in")
	errUnstored = errors.New("the token store didn't keep the tokens")
)

// serveAuthorized is where the identity provider sends browsers.
func (a *App) serveAuthorized(w http.ResponseWriter, r *http.Request) {
	answer, err := readAnswer(w, r)
	if err != nil {
		a.failedAnswer(w, r, flow{}, err)
		return
	}
	f, err := a.takeFlow(r, answer.Get("state"))
	if err != nil && !errors.Is(err, errFlowOld) {
		a.failedAnswer(w, r, f, err)
		return
	}
	http.SetCookie(w, a.cookieOfFlow(a.flowCookie(f.Flow.State), "", -1))
	if err == nil {
		err = a.complete(r.Context(), f, answer)
	}
	if err != nil {
		a.failedAnswer(w, r, f, err)
		return
	}
	a.log.InfoContext(r.Context(), "signed in")
	redirect(w, f.To)
}

// takeFlow returns the flow that a browser has for a state, once.
func (a *App) takeFlow(r *http.Request, state string) (flow, error) {
	f, err := a.unseal(r, state)
	// The cookie goes with the first time; who goes back then has none.
	if err == nil && !a.used.use(state, f.Until) || errors.Is(err, errFlowMissing) && a.used.has(state) {
		return f, errFlowUsed
	}
	return f, err
}

// readAnswer takes the query of a GET, and the form of a POST and nothing else
// of it.
func readAnswer(w http.ResponseWriter, r *http.Request) (url.Values, error) {
	if r.Method != http.MethodPost {
		return r.URL.Query(), nil
	}
	kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || kind != "application/x-www-form-urlencoded" {
		return nil, errNotAForm
	}
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	if err := r.ParseForm(); err != nil {
		return nil, errors.Join(msal.ErrAnswer, err)
	}
	return r.PostForm, nil
}

// complete redeems the code, and makes a session of what comes of it.
func (a *App) complete(ctx context.Context, f flow, answer url.Values) error {
	about, err := a.provider(ctx)
	if err != nil {
		return err
	}
	if err := about.checkIssuer(answer); err != nil {
		return err
	}
	record := a.newRecord()
	c, err := a.clientOf(ctx, record.TokenKey)
	if err != nil {
		return err
	}
	result, err := c.CompleteAuthCode(ctx, f.Flow, answer, nil)
	if err == nil {
		err = a.establish(ctx, &record, result, about, f.From)
	}
	if err != nil {
		a.forgetTokens(ctx, record.TokenKey)
	}
	return err
}

// checkIssuer is against an answer of another provider (RFC 9207 §2.4).
func (p *provider) checkIssuer(answer url.Values) error {
	issuers, sent := answer["iss"]
	if !sent && !p.SendsIssuer {
		return nil
	}
	if len(issuers) != 1 {
		return errMixUp
	}
	before, after, several := strings.Cut(p.Issuer, "{tenantid}")
	rest, ok := strings.CutPrefix(issuers[0], before)
	tenant, ok2 := strings.CutSuffix(rest, after)
	if !ok || !ok2 || several == (tenant == "") || strings.Contains(tenant, "/") {
		return errMixUp
	}
	return nil
}

// establish makes the request's session that of the person who signed in.
func (a *App) establish(ctx context.Context, record *Record, result msal.Result, about provider, from string) error {
	token, err := a.idToken(result, about)
	if err != nil {
		return err
	}
	if err := record.describe(token, result); err != nil {
		return err
	}
	// Without it other processes would not know the person, nor would this one
	// after a restart.
	if _, err := a.cfg.Tokens.Key(record.TokenKey).Load(ctx); err != nil {
		return errors.Join(errUnstored, err)
	}
	if err := a.renew(ctx, record, from); err != nil {
		return err
	}
	for _, hook := range a.cfg.OnLogin {
		if err := hook(ctx, a.sessionOf(ctx)); err != nil {
			return errors.Join(err, a.destroy(ctx))
		}
	}
	return nil
}

// idToken checks the rest of an ID token: who issued it, to whom, for which
// tenant. A wrong clock is no reason to keep people out.
func (a *App) idToken(result msal.Result, about provider) (*msal.IDToken, error) {
	token, err := msal.DecodeIDToken(result.IDToken.RawToken, &msal.IDTokenChecks{ClientID: a.cfg.ClientID})
	if err != nil && !errors.Is(err, msal.ErrIDTokenTime) {
		return nil, err
	}
	tenant := token.Text("tid")
	if token.Issuer != about.issuerFor(tenant) {
		return nil, &msal.IDTokenError{Kind: msal.ErrIDTokenIssuer}
	}
	if len(a.cfg.Tenants) > 0 && !containsFold(a.cfg.Tenants, tenant) {
		return nil, errors.Join(errTenant, ErrForbidden)
	}
	return token, nil
}

// renew gives the session a new id (against session fixation) and the person.
// What was in it stays, unless it was somebody else's.
func (a *App) renew(ctx context.Context, record *Record, from string) error {
	if err := a.adopt(ctx, from); err != nil {
		return err
	}
	before, was := a.recordIn(ctx)
	if was {
		a.forgetTokens(ctx, before.TokenKey)
		// Once more, as a request may have stored it while the tokens were still there;
		// see dropEnded.
		if err := a.adopt(ctx, from); err != nil {
			return err
		}
	}
	if a.sessions.Exists(ctx, RecordName) && before.Account != record.Account {
		if err := a.sessions.Clear(ctx); err != nil {
			return err
		}
	}
	if err := a.sessions.RenewToken(ctx); err != nil {
		return err
	}
	a.sessions.Put(ctx, RecordName, record.text())
	return nil
}

// adopt takes over what is in the session that the sign-in began in, and ends
// that, where the browser didn't bring it along. One that can't be decoded
// stays, for the version that can.
func (a *App) adopt(ctx context.Context, from string) error {
	if a.sessions.Token(ctx) != "" || from == "" {
		return nil
	}
	if err := a.loader.MergeSession(ctx, from); !errors.Is(err, errUndecodable) {
		return err
	}
	return nil
}

// forgetTokens deletes tokens that no session has any more. What can't be
// deleted now a sweep finds.
func (a *App) forgetTokens(ctx context.Context, key string) {
	if err := a.clients.Remove(context.WithoutCancel(ctx), key); err != nil {
		a.log.WarnContext(ctx, "tokens not deleted", "err", err)
	}
}
