package msal_test

import (
	"context"
	"errors"
	"testing"

	msalcache "github.com/AzureAD/microsoft-authentication-library-for-go/apps/cache"
	"github.com/AzureAD/microsoft-authentication-library-for-go/apps/confidential"

	"github.com/msalext/msalext/extensions/backend"
	"github.com/msalext/msalext/extensions/persist"
	"github.com/msalext/msalext/msal"
	"github.com/msalext/msalext/msal/msaltest"
)

var appScopes = []string{"https://graph.microsoft.com/.default"}

func TestEachFlowLandsUnderItsKey(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	a, b := w.app(nil, nil), w.app(nil, nil)

	alices := a.signIn("session/1", alice)
	bobs := a.signIn("session/2", bob)
	if _, err := a.client("application").AcquireTokenByCredential(t.Context(), appScopes); err != nil {
		t.Fatal(err)
	}
	wantKeys(t, w, "application session/1 session/2")

	before := w.srv.Count(msaltest.KindToken)
	for key, signIn := range map[string]confidential.AuthResult{"session/1": alices, "session/2": bobs} {
		r, err := b.silent(key, signIn.Account)
		if err != nil || r.AccessToken != signIn.AccessToken {
			t.Errorf("%s in another process: %v", key, err)
		}
	}
	if _, err := b.client("application").AcquireTokenByCredential(t.Context(), appScopes); err != nil {
		t.Error(err)
	}
	if n := w.srv.Count(msaltest.KindToken) - before; n != 0 {
		t.Errorf("%d token requests for what is stored", n)
	}
	if _, err := b.silent("session/1", bobs.Account); err == nil {
		t.Error("a session found another's token")
	}
	if _, err := b.silent("session/3", alices.Account); err == nil {
		t.Error("a session without a sign-in found a token")
	}
}

// Tokens on behalf of users stay in the memory of their key's client.
func TestOnBehalfOfPerKey(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	a, b := w.app(nil, nil), w.app(nil, nil)
	caller := w.signIn(w.publicAlone(), bob)
	for i, c := range []struct {
		of   *app
		want int // requests so far
	}{{a, 1}, {a, 1}, {b, 2}, {a, 2}} {
		r, err := c.of.client("api/bob").AcquireTokenOnBehalfOf(t.Context(), caller.AccessToken, scopes)
		if err != nil || whose(r.AccessToken) != bob || w.srv.Count(msaltest.KindTokenBehalf) != c.want {
			t.Errorf("call %d: %v, token of %s, %d requests", i, err, whose(r.AccessToken), w.srv.Count(msaltest.KindTokenBehalf))
		}
	}
	r, err := a.client("api/alice").AcquireTokenOnBehalfOf(t.Context(), w.signIn(w.publicAlone(), alice).AccessToken, scopes)
	if err != nil || whose(r.AccessToken) != alice {
		t.Errorf("alice got %s's: %v", whose(r.AccessToken), err)
	}
}

func TestKeyFunction(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	type tenant struct{}
	unknown := errors.New("no tenant")
	a := w.app(func(ctx context.Context) (string, error) {
		if name, ok := ctx.Value(tenant{}).(string); ok {
			return name, nil
		}
		return "", unknown
	}, nil)
	client, err := a.Client(context.WithValue(t.Context(), tenant{}, "tenant/fabrikam"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := client.AcquireTokenByCredential(t.Context(), appScopes); err != nil {
		t.Fatal(err)
	}
	wantKeys(t, w, "tenant/fabrikam")
	if _, err := a.Client(t.Context()); !errors.Is(err, unknown) {
		t.Errorf("got %v", err)
	}
}

// A request without a session must not get what all of those share.
func TestNoKeyIsRefused(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	nothing := w.app(func(context.Context) (string, error) { return "", nil }, nil)
	_, err1 := nothing.Client(t.Context())
	_, err2 := w.app(nil, nil).Client(t.Context())
	_, err3 := w.app(nil, nil).Client(msal.WithPartition(t.Context(), ""))
	for _, err := range []error{err1, err2, err3, nothing.Remove(t.Context(), "")} {
		if e := (*backend.Error)(nil); !errors.Is(err, backend.ErrInvalid) || !errors.As(err, &e) || e.Hint == "" {
			t.Errorf("got %v", err)
		}
	}
}

func TestClientThatCantBeMade(t *testing.T) {
	t.Parallel()
	a := newWorld(t, nil).app(nil, nil)
	broken := errors.New("no credential")
	fails := true
	clients := msal.Partitioned(a.p, nil, func(msalcache.ExportReplace) (string, error) {
		if fails {
			return "", broken
		}
		return "client", nil
	}, nil)
	ctx := msal.WithPartition(t.Context(), "k")
	if _, err := clients.Client(ctx); !errors.Is(err, broken) {
		t.Errorf("got %v", err)
	}
	fails = false
	if c, err := clients.Client(ctx); err != nil || c != "client" {
		t.Errorf("got %q, %v", c, err)
	}
}

func TestSignOutEndsOneSession(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	a, b := w.app(nil, nil), w.app(nil, nil)
	laptop, phone := a.signIn("laptop", alice), a.signIn("phone", alice)
	for _, of := range []*app{a, b} { // both have it in memory
		for key, r := range map[string]confidential.AuthResult{"laptop": laptop, "phone": phone} {
			if _, err := of.silent(key, r.Account); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := b.client("laptop").RemoveAccount(t.Context(), laptop.Account); err != nil {
		t.Fatal(err)
	}
	for _, of := range []*app{a, b} {
		if _, err := of.silent("laptop", laptop.Account); err == nil {
			t.Error("signed out, and still there")
		}
		if r, err := of.silent("phone", phone.Account); err != nil || r.AccessToken != phone.AccessToken {
			t.Errorf("the other session: %v", err)
		}
	}
}

func TestRemove(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	a, b := w.app(nil, nil), w.app(nil, nil)
	signIn := a.signIn("session", alice)
	old := a.client("session")
	caller := w.signIn(w.publicAlone(), bob)
	if _, err := old.AcquireTokenOnBehalfOf(t.Context(), caller.AccessToken, scopes); err != nil {
		t.Fatal(err)
	}
	if _, err := b.silent("session", signIn.Account); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(a.Remove(t.Context(), "session"), a.Remove(t.Context(), "nobody's")); err != nil {
		t.Fatal(err)
	}
	wantKeys(t, w, "")
	for _, of := range []*app{a, b} {
		if _, err := of.silent("session", signIn.Account); err == nil {
			t.Error("removed, and still there")
		}
	}
	if _, err := old.AcquireTokenSilent(t.Context(), scopes, confidential.WithSilentAccount(signIn.Account)); err == nil {
		t.Error("removed, and still there for who has the client")
	}
	before := w.srv.Count(msaltest.KindTokenBehalf)
	if _, err := a.client("session").AcquireTokenOnBehalfOf(t.Context(), caller.AccessToken, scopes); err != nil {
		t.Fatal(err)
	}
	if w.srv.Count(msaltest.KindTokenBehalf) == before {
		t.Error("a token on behalf of a user survived")
	}
}

func TestClosed(t *testing.T) {
	t.Parallel()
	a := newWorld(t, nil).app(nil, nil)
	a.signIn("session", alice)
	for range 2 {
		if err := a.Close(t.Context()); err != nil {
			t.Error(err)
		}
	}
	if _, err := a.Client(msal.WithPartition(t.Context(), "session")); !errors.Is(err, backend.ErrClosed) {
		t.Errorf("got %v", err)
	}
}

// naive is what a store of partitions looks like for one client: the item that
// the context names, and no more.
type naive struct {
	p      *persist.Persistence
	loaded func(key string)
}

type naiveKey struct{}

func (n naive) item(ctx context.Context) (string, *persist.Persistence) {
	key, _ := ctx.Value(naiveKey{}).(string)
	return key, n.p.Key(key)
}

func (n naive) Replace(ctx context.Context, u msalcache.Unmarshaler, _ msalcache.ReplaceHints) error {
	key, item := n.item(ctx)
	data, err := item.Load(ctx)
	if err != nil && !errors.Is(err, backend.ErrNotFound) {
		return err
	}
	defer func() { n.loaded(key) }()
	return u.Unmarshal(data)
}

func (n naive) Export(ctx context.Context, m msalcache.Marshaler, _ msalcache.ExportHints) error {
	data, err := m.Marshal()
	if err != nil {
		return err
	}
	_, item := n.item(ctx)
	return item.Save(ctx, data)
}

// TestOneClientMissesTokens shows why each key has a client of its own: with one
// for all, a call for another user empties the memory between filling and
// searching it.
func TestOneClientMissesTokens(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	of := func(key string) context.Context { return context.WithValue(t.Context(), naiveKey{}, key) }
	interfere := func(string) {}
	credential, err := confidential.NewCredFromSecret("secret")
	if err != nil {
		t.Fatal(err)
	}
	one, err := confidential.New(w.srv.Authority(), "web", credential, confidential.WithHTTPClient(w.srv.Client()),
		confidential.WithInstanceDiscovery(false), confidential.WithCache(naive{w.app(nil, nil).p, func(key string) { interfere(key) }}))
	if err != nil {
		t.Fatal(err)
	}
	alices, err1 := w.code(of("alice"), one, alice)
	bobs, err2 := w.code(of("bob"), one, bob)
	if err := errors.Join(err1, err2); err != nil {
		t.Fatal(err)
	}
	silent := func(key string, account confidential.Account) error {
		_, err := one.AcquireTokenSilent(of(key), scopes, confidential.WithSilentAccount(account))
		return err
	}
	if err := silent("alice", alices.Account); err != nil {
		t.Fatalf("by herself: %v", err)
	}
	interfere = func(key string) {
		if key == "alice" { // bob's call comes right after her memory was filled
			done := make(chan error)
			go func() { done <- silent("bob", bobs.Account) }()
			if err := <-done; err != nil {
				t.Error(err)
			}
		}
	}
	if err := silent("alice", alices.Account); err == nil {
		t.Error("MSAL found the token; then one client could serve several keys")
	}
}
