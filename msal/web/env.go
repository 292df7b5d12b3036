package web

import (
	"errors"
	"os"
	"strings"

	"github.com/msalext/msalext/msal"
)

// ConfigFromEnv reads from the environment what belongs there, each with prefix
// in front, under the names that aiohttp_msal has:
//
//	SP_APP_ID, SP_APP_PW   client id and secret
//	SP_AUTHORITY           the authority
//	DOMAIN                 BaseURL; a host name alone means https
//	COOKIE_NAME            CookieName; may be missing
//	SCOPES                 Scopes, with spaces between; may be missing
//
// Tokens, at least, has to be set by the program. The error is [ErrConfig], and
// names every variable that is missing.
func ConfigFromEnv(prefix string) (Config, error) {
	var missing []error
	need := func(name string) string {
		value := os.Getenv(prefix + name)
		if value == "" {
			missing = append(missing, unusable(prefix+name, "the environment doesn't have it"))
		}
		return value
	}
	cfg := Config{
		ClientID: need("SP_APP_ID"), Authority: need("SP_AUTHORITY"), BaseURL: need("DOMAIN"),
		CookieName: os.Getenv(prefix + "COOKIE_NAME"), Scopes: strings.Fields(os.Getenv(prefix + "SCOPES")),
	}
	secret := need("SP_APP_PW")
	if len(missing) > 0 {
		return Config{}, errors.Join(missing...)
	}
	if len(cfg.Scopes) == 0 {
		cfg.Scopes = nil
	}
	if !strings.Contains(cfg.BaseURL, "://") {
		cfg.BaseURL = "https://" + cfg.BaseURL
	}
	var err error
	cfg.Credential, err = msal.Secret(secret)
	return cfg, err
}
