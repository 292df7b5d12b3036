package oidc_test

import (
	"bytes"
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	jose "github.com/go-jose/go-jose/v4"

	"github.com/msalext/msalext/msal/oidc"
)

const (
	tenant    = "11111111-2222-3333-4444-555555555555"
	host      = "https://login.example"
	authority = host + "/common"
	template  = host + "/{tenantid}/v2.0"
	personal  = "9188040d-6c67-4c5b-b112-36a304b66dad"
)

// keys are made once: each takes a while.
var keys = sync.OnceValue(func() (list [3]*rsa.PrivateKey) {
	for i := range list {
		list[i], _ = rsa.GenerateKey(rand.Reader, 2048)
	}
	return list
})

// idp is a provider: what it publishes, and how often it was asked.
type idp struct {
	mu     sync.Mutex
	issuer string
	config map[string]any // members in place of those that follow from the rest
	keys   []map[string]any
	answer map[string]func() *http.Response // by path, in place of all that
	asked  map[string]int
}

func newIDP() *idp {
	return &idp{issuer: template, keys: []map[string]any{public("k-0", 0, "")}, asked: map[string]int{}, answer: map[string]func() *http.Response{}}
}

// public is one of the published keys.
func public(id string, n int, issuer string) map[string]any {
	data, err := (&jose.JSONWebKey{Key: &keys()[n].PublicKey, KeyID: id, Use: "sig"}).MarshalJSON()
	if err != nil {
		panic(err)
	}
	var members map[string]any
	if err := json.Unmarshal(data, &members); err != nil {
		panic(err)
	}
	if issuer != "" {
		members["issuer"] = issuer
	}
	return members
}

const keysPath = "/keys"

// RoundTrip answers as a server does, without one, so that a bubble's clock can
// be used.
func (p *idp) RoundTrip(req *http.Request) (*http.Response, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if err := req.Context().Err(); err != nil {
		return nil, err
	}
	path := req.URL.Path
	if strings.HasSuffix(path, "/.well-known/openid-configuration") {
		path = "configuration"
	}
	p.asked[path]++
	var body any
	switch answer := p.answer[path]; {
	case answer != nil:
		return answer(), nil
	case path == "configuration":
		config := map[string]any{
			"issuer": p.issuer, "jwks_uri": host + keysPath, "id_token_signing_alg_values_supported": []string{"RS256"},
		}
		for name, value := range p.config {
			config[name] = value
		}
		body = config
	case path == keysPath:
		body = map[string]any{"keys": p.keys}
	default:
		return reply(http.StatusNotFound, "not here"), nil
	}
	data, err := json.Marshal(body)
	return reply(http.StatusOK, string(data)), err
}

func reply(status int, body string) *http.Response {
	return &http.Response{
		StatusCode: status, Status: http.StatusText(status), Header: http.Header{"Content-Type": {"application/json"}},
		Body: io.NopCloser(strings.NewReader(body)),
	}
}

// set changes the provider while it is used.
func (p *idp) set(change func(*idp)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	change(p)
}

func (p *idp) count(path string) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.asked[path]
}

func (p *idp) verifier(t testing.TB, change func(*oidc.Options)) *oidc.Verifier {
	t.Helper()
	o := oidc.Options{Authority: authority, ClientID: "app", HTTPClient: &http.Client{Transport: p}}
	if change != nil {
		change(&o)
	}
	v, err := oidc.New(o)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// claims are those of a token that is right now, with some in place of others.
// A nil value leaves one out.
func claims(change map[string]any) []byte {
	now := time.Now()
	all := map[string]any{
		"iss": host + "/" + tenant + "/v2.0", "tid": tenant, "sub": "me", "aud": "app", "nonce": "n-1",
		"iat": now.Unix(), "nbf": now.Unix(), "exp": now.Add(time.Hour).Unix(),
	}
	for name, value := range change {
		all[name] = value
		if value == nil {
			delete(all, name)
		}
	}
	data, err := json.Marshal(all)
	if err != nil {
		panic(err)
	}
	return data
}

// sign makes a token in the compact form, by a library that isn't what checks it.
func sign(t testing.TB, algorithm jose.SignatureAlgorithm, key any, header map[jose.HeaderKey]any, payload []byte) string {
	t.Helper()
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: algorithm, Key: key}, &jose.SignerOptions{ExtraHeaders: header})
	if err != nil {
		t.Fatal(err)
	}
	signed, err := signer.Sign(payload)
	if err != nil {
		t.Fatal(err)
	}
	text, err := signed.CompactSerialize()
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// token is one that the provider signed with its n-th key.
func token(t testing.TB, id string, n int, change map[string]any) string {
	t.Helper()
	header := map[jose.HeaderKey]any{}
	if id != "" {
		header["kid"] = id
	}
	return sign(t, jose.RS256, keys()[n], header, claims(change))
}

// long is a body of 100 MiB, which is more than anybody sends, and counts what
// is read of it.
type long struct{ read atomic.Int64 }

const tooLong = 100 << 20

func (l *long) Read(p []byte) (int, error) {
	if l.read.Load() >= tooLong {
		return 0, io.EOF
	}
	l.read.Add(int64(len(p)))
	return copy(p, bytes.Repeat([]byte(" "), len(p))), nil
}

func (*long) Close() error { return nil }
