package msal_test

import (
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/msalext/msalext/msal"
)

func authenticate(fields ...string) http.Header {
	h := http.Header{}
	for _, f := range fields {
		h.Add("WWW-Authenticate", f)
	}
	return h
}

func TestParseChallenges(t *testing.T) {
	t.Parallel()
	type params = map[string]string
	one := func(scheme string, p params) msal.Challenge { return msal.Challenge{Scheme: scheme, Params: p} }
	for _, c := range []struct {
		name   string
		fields []string
		want   []msal.Challenge
		fails  bool
	}{
		{"no field", nil, nil, false},
		{"an empty field", []string{" , ,"}, nil, false},
		{"a scheme alone", []string{"Negotiate"}, []msal.Challenge{one("negotiate", params{})}, false},
		{"a token", []string{"NTLM TlRMTVNTUAAC+/==, Basic realm=x"}, []msal.Challenge{{Scheme: "ntlm", Token68: "TlRMTVNTUAAC+/==", Params: params{}}, one("basic", params{"realm": "x"})}, false},
		{"a token with one =", []string{"Negotiate YQ="}, []msal.Challenge{{Scheme: "negotiate", Token68: "YQ=", Params: params{}}}, false},
		{"the RFC's example", []string{`Basic realm="simple", Newauth realm="apps", type=1, title="Login to \"apps\""`},
			[]msal.Challenge{one("basic", params{"realm": "simple"}), one("newauth", params{"realm": "apps", "type": "1", "title": `Login to "apps"`})}, false},
		{"several fields", []string{`Basic realm="a"`, `Bearer error=x`}, []msal.Challenge{one("basic", params{"realm": "a"}), one("bearer", params{"error": "x"})}, false},
		{"parameters in the next field", []string{`Bearer realm="a"`, `error=x`}, []msal.Challenge{one("bearer", params{"realm": "a", "error": "x"})}, false},
		{"spaces and empty elements", []string{"\tBearer   realm = \"a\" ,, , ERROR\t=\tx ,"}, []msal.Challenge{one("bearer", params{"realm": "a", "error": "x"})}, false},
		{"commas, equals signs and schemes in quotes", []string{`Bearer a="x, Basic realm=\"y\"", b=""`}, []msal.Challenge{one("bearer", params{"a": `x, Basic realm="y"`, "b": ""})}, false},
		{"escapes", []string{`Bearer a="\\\a\""`}, []msal.Challenge{one("bearer", params{"a": `\a"`})}, false},
		{"a quote without its end", []string{`Basic realm=x, Bearer a="b`}, []msal.Challenge{one("basic", params{"realm": "x"})}, true},
		{"a backslash at the end", []string{`Bearer a="b\`}, nil, true},
		{"a parameter twice", []string{`Bearer a=b, A=c`}, nil, true},
		{"no value", []string{`Bearer a=, b=c`}, []msal.Challenge{{Scheme: "bearer", Token68: "a=", Params: params{}}}, true},
		{"no value in the second", []string{`Bearer a=b, c=, d=e`}, nil, true},
		{"a control character", []string{"Bearer a=\"\x00\""}, nil, true},
		{"no comma", []string{`Bearer a="b"c="d"`}, nil, true},
		{"no scheme", []string{`="x"`}, nil, true},
		{"too many", []string{strings.Repeat("Basic,", 17)}, slices.Repeat([]msal.Challenge{one("basic", params{})}, 16), true},
		{"too many parameters", []string{"Bearer " + manyParams(65)}, nil, true},
		{"too long", []string{"Bearer a=" + strings.Repeat("b", 64<<10)}, nil, true},
	} {
		t.Run("S17 "+c.name, func(t *testing.T) {
			t.Parallel()
			got, err := msal.ParseChallenges(authenticate(c.fields...))
			if (err != nil) != c.fails || err != nil && !errors.Is(err, msal.ErrChallenge) {
				t.Errorf("%v", err)
			}
			if diff := cmp.Diff(c.want, got); diff != "" && len(c.want)+len(got) > 0 {
				t.Error(diff)
			}
		})
	}
}

func manyParams(n int) string {
	var all []string
	for i := range n {
		all = append(all, fmt.Sprintf("p%d=x", i))
	}
	return strings.Join(all, ",")
}

func TestParseClaimsChallenge(t *testing.T) {
	t.Parallel()
	const claims = `{"access_token":{"nbf":{"essential":true,"value":"1??>"}}}`
	std := base64.StdEncoding.EncodeToString([]byte(claims))
	url := base64.RawURLEncoding.EncodeToString([]byte(claims))
	if !strings.ContainsAny(std, "+/") || std == url {
		t.Fatal("the two alphabets don't differ here")
	}
	for _, c := range []struct {
		name, field, want string
		fails             bool
	}{
		{"base64url", `Bearer realm="", authorization_uri="https://login.microsoftonline.com/common/oauth2/authorize", error="insufficient_claims", claims="` + url + `"`, claims, false},
		{"base64", `Bearer error="insufficient_claims", claims="` + std + `"`, claims, false},
		{"the last of several", `Basic realm="x, claims=y", Bearer error="invalid_token", claims="e30", PoP error=insufficient_claims, claims="` + url + `"`, claims, false},
		{"none", `Bearer realm="x"`, "", false},
		{"another error", `Bearer error="invalid_token", claims="` + url + `"`, "", false},
		{"another scheme", `Basic error="insufficient_claims", claims="` + url + `"`, "", false},
		{"no claims", `Bearer error="insufficient_claims"`, "", false},
		{"before what is malformed", `Bearer error="insufficient_claims", claims="` + url + `", Basic realm="`, claims, false},
		{"not base64", `Bearer error="insufficient_claims", claims="{}"`, "", true},
		{"not JSON", `Bearer error="insufficient_claims", claims="YWJj"`, "", true},
		{"not an object", `Bearer error="insufficient_claims", claims="W10"`, "", true},
		{"malformed", `Bearer error="insuff`, "", true},
	} {
		t.Run("S17 "+c.name, func(t *testing.T) {
			t.Parallel()
			got, err := msal.ParseClaimsChallenge(authenticate(c.field))
			if got != c.want || errors.Is(err, msal.ErrChallenge) != c.fails {
				t.Errorf("%q, %v", got, err)
			}
		})
	}
}

func FuzzParseChallenges(f *testing.F) {
	for _, seed := range []string{`Bearer a="b\"", Basic realm=x`, "Negotiate YQ==", `a b=c, d="`, "\x00", ",,,", `Bearer error="insufficient_claims", claims="e30"`} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, field string) {
		all, err := msal.ParseChallenges(authenticate(field))
		if err != nil && !errors.Is(err, msal.ErrChallenge) || len(all) > 16 {
			t.Fatalf("%d, %v", len(all), err)
		}
		if err != nil {
			return
		}
		// What was read means the same when it is written down.
		again, err := msal.ParseChallenges(authenticate(written(all)))
		if diff := cmp.Diff(all, again); err != nil || diff != "" {
			t.Errorf("%q: %v %s", written(all), err, diff)
		}
	})
}

// written is a field with these challenges.
func written(all []msal.Challenge) string {
	var list []string
	for _, c := range all {
		var params []string
		for name, value := range c.Params {
			params = append(params, name+`="`+strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(value)+`"`)
		}
		list = append(list, strings.TrimSpace(c.Scheme+" "+c.Token68+strings.Join(params, ",")))
	}
	return strings.Join(list, ", ")
}

func ExampleParseClaimsChallenge() {
	answer := http.Header{"Www-Authenticate": {`Bearer realm="", error="insufficient_claims", claims="eyJhY2Nlc3NfdG9rZW4iOnt9fQ"`}}
	claims, err := msal.ParseClaimsChallenge(answer)
	fmt.Println(claims, err)
	// Output: {"access_token":{}} <nil>
}

func ExampleParseChallenges() {
	challenges, err := msal.ParseChallenges(http.Header{"Www-Authenticate": {`Negotiate, Bearer realm="a \"quoted\" name"`}})
	for _, c := range challenges {
		fmt.Printf("%s %q\n", c.Scheme, c.Params["realm"])
	}
	fmt.Println(err)
	// Output:
	// negotiate ""
	// bearer "a \"quoted\" name"
	// <nil>
}
