package msal_test

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/msalext/msalext/msal"
)

var noon = time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC)

// idToken makes a token with these claims in place of, or beside, those of one
// that is right at noon. A nil value leaves one out.
func idToken(change map[string]any) string {
	claims := map[string]any{
		"iss": "https://login.example/t/v2.0", "sub": "me", "aud": "app", "nonce": "n-1",
		"iat": noon.Unix(), "nbf": noon.Unix(), "exp": noon.Add(time.Hour).Unix(), "name": "Alice",
	}
	for name, value := range change {
		claims[name] = value
		if value == nil {
			delete(claims, name)
		}
	}
	payload, err := json.Marshal(claims)
	if err != nil {
		panic(err)
	}
	return jwt(string(payload))
}

func jwt(payload string) string {
	part := base64.RawURLEncoding.EncodeToString
	return part([]byte(`{"alg":"none"}`)) + "." + part([]byte(payload)) + ".c2ln"
}

func TestDecodeIDToken(t *testing.T) {
	t.Parallel()
	all := msal.IDTokenChecks{ClientID: "app", Issuer: "https://login.example/t/v2.0", Nonce: "n-1", Now: noon}
	at := func(d time.Duration) msal.IDTokenChecks { return msal.IDTokenChecks{Now: noon.Add(d)} }
	for _, c := range []struct {
		name   string
		change map[string]any
		checks msal.IDTokenChecks
		want   error
	}{
		{"right", nil, all, nil},
		{"another issuer", nil, msal.IDTokenChecks{Issuer: "https://login.example/t/v2.0/", Now: noon}, msal.ErrIDTokenIssuer},
		{"issuer in other letter case", nil, msal.IDTokenChecks{Issuer: "https://LOGIN.example/t/v2.0", Now: noon}, msal.ErrIDTokenIssuer},
		{"another application's", map[string]any{"aud": "other"}, all, msal.ErrIDTokenAudience},
		{"for several", map[string]any{"aud": []string{"other", "app"}, "azp": "app"}, all, nil},
		{"for several, given to another", map[string]any{"aud": []string{"other", "app"}, "azp": "other"}, all, msal.ErrIDTokenAudience},
		{"audience that begins alike", map[string]any{"aud": "app2"}, all, msal.ErrIDTokenAudience},
		{"audience with a number", map[string]any{"aud": []any{"app", 1}}, all, msal.ErrIDTokenMalformed},
		{"no audience", map[string]any{"aud": nil}, all, msal.ErrIDTokenMalformed},
		{"another nonce", map[string]any{"nonce": "n-2"}, all, msal.ErrIDTokenNonce},
		{"no nonce", map[string]any{"nonce": nil}, all, msal.ErrIDTokenNonce},
		{"nonce that isn't a text", map[string]any{"nonce": 1}, all, msal.ErrIDTokenMalformed},
		{"nonce nobody asked for", nil, msal.IDTokenChecks{Now: noon}, nil},
		{"claims under other letter case", map[string]any{"nonce": nil, "NONCE": "n-1"}, all, msal.ErrIDTokenNonce},
		{"before the time, within the skew", nil, at(-2 * time.Minute), nil},
		{"before the time", nil, at(-2*time.Minute - time.Second), msal.ErrIDTokenTime},
		{"too old, within the skew", nil, at(time.Hour + 119*time.Second), nil},
		{"too old", nil, at(time.Hour + 120*time.Second), msal.ErrIDTokenTime},
		{"too old without skew", nil, msal.IDTokenChecks{Now: noon.Add(time.Hour), Skew: -1}, msal.ErrIDTokenTime},
		{"a wider skew", nil, msal.IDTokenChecks{Now: noon.Add(2 * time.Hour), Skew: 2 * time.Hour}, nil},
		{"no expiry", map[string]any{"exp": nil}, all, msal.ErrIDTokenMalformed},
		{"expiry as text", map[string]any{"exp": "1"}, all, msal.ErrIDTokenMalformed},
		{"expiry beyond the calendar", map[string]any{"exp": 1e300}, all, msal.ErrIDTokenMalformed},
		{"expiry before 1970", map[string]any{"exp": -1}, all, msal.ErrIDTokenMalformed},
		{"expiry with a fraction", map[string]any{"exp": float64(noon.Unix()) + 3600.5}, all, nil},
		{"issuer that isn't a text", map[string]any{"iss": []string{"x"}}, all, msal.ErrIDTokenMalformed},
		{"no subject", map[string]any{"sub": nil}, all, msal.ErrIDTokenMalformed},
	} {
		t.Run("S8 "+c.name, func(t *testing.T) {
			t.Parallel()
			token, err := msal.DecodeIDToken(idToken(c.change), &c.checks)
			if !errors.Is(err, c.want) || (err == nil) != (c.want == nil) {
				t.Fatalf("%v, want %v", err, c.want)
			}
			if _, typed := errors.AsType[*msal.IDTokenError](err); err != nil && !typed {
				t.Errorf("%T", err)
			}
			if (token != nil) != (err == nil || errors.Is(err, msal.ErrIDTokenTime)) {
				t.Errorf("the token is %v with %v", token, err)
			}
		})
	}
}

func TestDecodeIDTokenRefuses(t *testing.T) {
	t.Parallel()
	good := idToken(nil)
	for name, raw := range map[string]string{
		"nothing": "", "two parts": good[:strings.LastIndex(good, ".")], "four parts": good + ".x", "an encrypted one": "a.b.c.d.e",
		"dots": "..", "not base64": "a.!!.c", "a line break": strings.Replace(good, ".", ".\n", 1), "a list": jwt("[]"), "null": jwt("null"),
		"two objects": jwt(`{} {}`), "cut": jwt(`{"iss":`), "not UTF-8": jwt("{\"iss\xff\":1}"), "deep": jwt(strings.Repeat("[", 1<<16)),
		"large": jwt(`{"a":"` + strings.Repeat("a", 2<<20) + `"}`),
	} {
		t.Run("S9 "+name, func(t *testing.T) {
			t.Parallel()
			if token, err := msal.DecodeIDToken(raw, nil); token != nil || !errors.Is(err, msal.ErrIDTokenMalformed) || len(err.Error()) > 200 {
				t.Errorf("%v, %v", token, err)
			}
		})
	}
}

func TestIDTokenErrorHoldsNoNonce(t *testing.T) {
	t.Parallel()
	_, err := msal.DecodeIDToken(idToken(map[string]any{"nonce": "theirs-7"}), &msal.IDTokenChecks{Nonce: "ours-7", Now: noon})
	if text := fmt.Sprintf("%v %+v %#v", err, err, err); strings.Contains(text, "-7") || strings.Contains(text, "Alice") {
		t.Error(text)
	}
}

func TestDecodePart(t *testing.T) {
	t.Parallel()
	t.Run("S7 decodes", func(t *testing.T) {
		for part, want := range map[string]string{"": "", "YQ": "a", "YQ==": "a", "_-8": "\xff\xef"} {
			if got, err := msal.DecodePart(part); err != nil || string(got) != want {
				t.Errorf("%q is %q, %v", part, got, err)
			}
		}
	})
	t.Run("S7 refuses", func(t *testing.T) {
		for _, part := range []string{"a", "YQ.", "Y Q", "YQ\n", "/+8", "=YQ", strings.Repeat("a", 2<<20)} {
			if got, err := msal.DecodePart(part); !errors.Is(err, msal.ErrIDTokenMalformed) {
				t.Errorf("%.20q is %q, %v", part, got, err)
			}
		}
	})
}

func FuzzDecodeIDToken(f *testing.F) {
	for _, seed := range []string{idToken(nil), "a.b.c", jwt(`{"exp":1e999}`), jwt(`{"aud":[[]]}`)} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		token, err := msal.DecodeIDToken(raw, nil)
		if _, typed := errors.AsType[*msal.IDTokenError](err); err != nil && !typed || token == nil && err == nil {
			t.Errorf("%v, %v", token, err)
		}
		if token != nil && (token.Issuer == "" || token.Subject == "" || len(token.Audience) == 0 || token.Expires.IsZero()) {
			t.Errorf("accepted %+v", token)
		}
	})
}

func ExampleDecodeIDToken() {
	raw := idToken(nil) // what AuthResult.IDToken.RawToken has
	token, err := msal.DecodeIDToken(raw, &msal.IDTokenChecks{ClientID: "app", Now: noon})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(token.Text("name"), token.Expires.UTC())
	_, err = msal.DecodeIDToken(raw, &msal.IDTokenChecks{ClientID: "other", Now: noon})
	fmt.Println(err)
	// Output:
	// Alice 2026-06-01 13:00:00 +0000 UTC
	// msalext: the ID token is for another application: it says "app", not "other"
}

func ExampleDecodePart() {
	header, err := msal.DecodePart("eyJhbGciOiJub25lIn0")
	fmt.Println(string(header), err)
	// Output: {"alg":"none"} <nil>
}
