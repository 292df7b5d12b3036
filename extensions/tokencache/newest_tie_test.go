package tokencache_test

import (
	"strings"
	"testing"

	"github.com/msalext/msalext/extensions/tokencache"
)

// MSAL Go adds its refresh token beside one that another library's key has, in
// any order, and dates neither.
func TestUndatedRefreshTokens(t *testing.T) {
	t.Parallel()
	entry := func(key, secret string) string {
		return `"home-env-refreshtoken-client` + key + `":{"home_account_id":"home","environment":"env","credential_type":"RefreshToken","client_id":"client","secret":"` + secret + `"}`
	}
	older, newer := entry("--", "older"), entry("", "newer")
	for _, members := range []string{older + "," + newer, newer + "," + older} {
		out, err := tokencache.Readable([]byte(`{"RefreshToken":{` + members + `}}`))
		if err != nil || strings.Contains(string(out), "older") || !strings.Contains(string(out), "newer") {
			t.Errorf("%s, %v", out, err)
		}
	}
}
