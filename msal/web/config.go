package web

import (
	"context"
	"html/template"
	"log/slog"
	"net/http"
	"time"

	"github.com/alexedwards/scs/v2"

	"github.com/msalext/msalext/extensions/persist"
	"github.com/msalext/msalext/msal"
)

// Config says which application people sign in to, and where its data lies.
// ClientID, Authority, Credential, Tokens, and BaseURL or RedirectURI are
// required; the zero value of any other field is fine.
type Config struct {
	// ClientID is the application's, as registered.
	ClientID string
	// Authority is who signs people in, such as
	// https://login.microsoftonline.com/contoso.onmicrosoft.com. Where it isn't a
	// single tenant's (common, organizations), set Tenants as well, or everybody
	// with a Microsoft account can sign in.
	Authority string
	// Tenants are the ids of the tenants whose people may sign in; nil: all that
	// the authority lets in.
	Tenants []string
	// Credential is how the application proves itself; see [msal.Secret].
	Credential msal.Credential
	// BaseURL is where people find the application, https and without a path:
	// https://shop.example. Plain http is accepted for this machine alone, where
	// Safari doesn't keep the cookies. Empty: that of RedirectURI.
	BaseURL string
	// RedirectURI is where the identity provider sends browsers, as registered. It
	// has to lead to the route /user/authorized. Empty: BaseURL +
	// "/user/authorized".
	RedirectURI string
	// ResponseMode is how the browser brings the answer: form_post (also when
	// empty) or query.
	ResponseMode string
	// Scopes are what people are asked to consent to at the sign-in. Nil:
	// User.Read, which Graph's Me and Photo need.
	Scopes []string
	// Capabilities is as in [msal.Options]: with cp1 APIs may revoke tokens, and
	// send the claims challenges that [Session.Client] and [App.Deny] answer.
	Capabilities []string

	// Tokens keeps the tokens, one item for each session, under keys that begin
	// with [TokenPrefix]. Whoever shares it with the same ClientID has to share the
	// sessions, too; see [App.Sweep]. The caller closes it, after the App.
	Tokens *persist.Persistence
	// AllowPlaintext accepts Tokens that aren't encrypted. Else New refuses them.
	AllowPlaintext bool
	// Caches is how many sessions' token caches stay in memory; 0: 1,000.
	Caches int

	// Sessions keeps who is signed in. New sets its cookie's name to begin with
	// __Host-, and the flags Secure, HttpOnly, SameSite=Lax and Path=/. Nil: one
	// with Store, whose sessions last for a day, or until nobody used them for
	// two hours, or the browser ends; the store then knows digests of the ids
	// alone.
	Sessions *scs.SessionManager
	// Store is where sessions are kept where Sessions is nil. Nil too: this
	// process's memory, so that a restart signs everybody out. Applications may not
	// share one, or one prefix in it: who copies a cookie from one to another is
	// nobody there, but takes along what the application itself put into the session.
	Store scs.Store
	// CookieName is that of the session cookie, without __Host-. Empty: that of
	// Sessions, or session.
	CookieName string
	// SweepEvery is how often token items are removed whose session is gone; see
	// [App.Sweep]. 0: each hour; less than 0: never.
	SweepEvery time.Duration

	// OnLogin is called in turn when somebody has signed in, before the browser is
	// told: the session's methods work, and what is put into Sessions with ctx
	// stays with the session. An error ends the sign-in; [ErrForbidden] shows a
	// page that says so.
	OnLogin []func(ctx context.Context, s *Session) error

	// HTTPClient is for the identity provider and for APIs. The former gets a copy
	// that, where it has none, has a time-out of a minute, and a CheckRedirect that
	// keeps secrets from going elsewhere. Nil: one that uses http.DefaultTransport.
	HTTPClient *http.Client
	// GraphURL is the base of Microsoft Graph. Empty:
	// https://graph.microsoft.com/v1.0. Plain http is accepted for addresses of this
	// machine alone, such as 127.0.0.1.
	GraphURL string
	// GraphScopes are those for Graph. Nil: User.Read.
	GraphScopes []string
	// DisableInstanceDiscovery is for identity providers that Microsoft doesn't
	// know: AD FS, private clouds, and package msaltest.
	DisableInstanceDiscovery bool

	// Page is the template of all pages that people see; it is executed with a
	// [Page]. Its styles, images and fonts must come from BaseURL, and it can have
	// no script. Nil: one of this package's, in English.
	Page *template.Template
	// Logger is told what went wrong, and of sign-ins; never a secret, and nobody's
	// name. Nil: slog.Default.
	Logger *slog.Logger
}
