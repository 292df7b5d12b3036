package msaltest

import (
	"crypto/x509"
	"net/http"
	"net/url"
	"slices"
)

// App is an application as it is registered with Entra ID. Nobody needs to
// register one: what [Server.AddApp] wasn't told of may present any assertion
// and any secret that [Options.ClientSecret] lets pass.
type App struct {
	// ClientID is the application's id.
	ClientID string
	// Secrets are the client secrets that are valid. Where there are any, or
	// Certificates or SubjectName are set, the application is confidential:
	// each of its token requests has to present a valid credential.
	Secrets []string
	// Certificates are those with whose keys client assertions may be signed
	// (RS256 or PS256). An assertion names its certificate by x5t or x5t#S256.
	Certificates []*x509.Certificate
	// SubjectName is the common name or DNS name of certificates that Roots
	// issued, and that an assertion may bring along in x5c. Empty: none.
	SubjectName string
	// Roots are the issuers that SubjectName is trusted from.
	Roots *x509.CertPool
	// RedirectURIs are those that the authorization endpoint sends people to.
	// Empty: any.
	RedirectURIs []string
	// Identifiers name the application as an API, such as api://orders. Where
	// there are any, it can act on behalf of those only whose access token is
	// for one of them or for the ClientID.
	Identifiers []string
}

// AddApp registers an application, replacing what an earlier call said of the
// same ClientID. The fake keeps a copy.
func (s *Server) AddApp(a App) {
	for _, list := range []*[]string{&a.Secrets, &a.RedirectURIs, &a.Identifiers} {
		*list = slices.Clone(*list)
	}
	a.Certificates = slices.Clone(a.Certificates)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.apps[a.ClientID] = a
}

func (a *App) confidential() bool {
	return len(a.Secrets) > 0 || len(a.Certificates) > 0 || a.SubjectName != ""
}

const assertionType = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"

// authenticateClient checks the client's own credential where one was sent, or
// the grant or the registration needs one.
func (s *Server) authenticateClient(kind Kind, r *http.Request) *Failure {
	form := r.PostForm
	app, registered := s.apps[form.Get("client_id")]
	secret, assertion := form.Get("client_secret"), form.Get("client_assertion")
	needed := kind == KindTokenClient || kind == KindTokenBehalf || app.confidential()
	switch {
	case secret == "" && assertion == "" && needed:
		return newFailure("invalid_client", 7000218,
			"The request body must contain the following parameter: 'client_assertion' or 'client_secret'.")
	case assertion != "" && form.Get("client_assertion_type") != assertionType:
		return newFailure("invalid_request", 50027, "The client_assertion_type isn't "+assertionType+".")
	case !registered || !app.confidential():
		return s.checkCommonSecret(form)
	case assertion != "":
		return app.checkAssertion(assertion, baseURL(r)+r.URL.EscapedPath())
	case !slices.Contains(app.Secrets, secret):
		return newFailure("invalid_client", 7000215, "Invalid client secret provided.")
	}
	return nil
}

// checkCommonSecret is for applications that nobody registered.
func (s *Server) checkCommonSecret(form url.Values) *Failure {
	secret := form.Get("client_secret")
	if secret != "" && s.opts.ClientSecret != "" && secret != s.opts.ClientSecret {
		return newFailure("invalid_client", 7000215, "Invalid client secret provided.")
	}
	return nil
}
