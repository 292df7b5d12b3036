package msal

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/url"
	"strconv"
	"strings"
	"sync"

	"github.com/AzureAD/microsoft-authentication-library-for-go/apps/cache"
	"github.com/AzureAD/microsoft-authentication-library-for-go/apps/public"

	"github.com/msalext/msalext/extensions/backend"
	"github.com/msalext/msalext/extensions/backend/memory"
	"github.com/msalext/msalext/extensions/persist"
)

// application is what both kinds of client are.
type application struct {
	clientID string
	host     string // the authority's, with its port
	options  Options
	cache    *persist.PersistedTokenCache
	accessor access
	network  *exchanges
}

func (a *application) init(clientID string, o Options) error {
	if clientID == "" {
		return unusable("clientID", "it is empty")
	}
	u, err := url.Parse(strings.ToLower(o.Authority))
	if err != nil {
		return unusable("Authority", "it isn't a URL")
	}
	a.clientID, a.host, a.options, a.cache = clientID, u.Host, o, o.Cache
	if a.cache == nil {
		if a.cache, err = inMemory(); err != nil {
			return err
		}
	}
	a.accessor = accessTo(a.cache)
	a.network = o.network(a.cache)
	return nil
}

// String names the application alone, as other fields hold secrets.
func (a application) String() string { return "client of the application " + strconv.Quote(a.clientID) }

// Format prints what String returns, whatever the verb.
func (a application) Format(f fmt.State, _ rune) {
	_, _ = io.WriteString(f, a.String()) // fmt has no way to tell of a failed write
}

// LogValue is what log/slog logs.
func (a application) LogValue() slog.Value { return slog.StringValue(a.String()) }

// inMemory is a cache that nobody shares. Without it, what works on the stored
// cache would have to be there a second time for MSAL's own memory.
func inMemory() (*persist.PersistedTokenCache, error) {
	store, err := new(memory.Backend).Open(context.Background(), backend.Config{})
	if err != nil {
		return nil, err
	}
	return persist.NewPersistedTokenCache(persist.New("memory", store, backend.Config{}, nil), nil), nil
}

// onceMade makes a client when it is first needed.
func onceMade[C any](make func(cache.ExportReplace) (C, error), a access) func() (C, error) {
	return sync.OnceValues(func() (C, error) { return make(withoutAccessTokens{a}) })
}

// call runs one of MSAL's calls, and makes its result and its error ours. x
// tells the network what MSAL can't; it is for this call alone.
func (a *application) call(ctx context.Context, x *exchange, msal func(context.Context) (public.AuthResult, error)) (Result, error) {
	x.of = a.network
	with := context.WithValue(ctx, exchangeKey{}, x)
	r, err := msal(with)
	for x.fresh && err == nil && r.Metadata.TokenSource == public.TokenSourceCache {
		// Another goroutine's token was just issued: to store it, MSAL's memory is
		// filled with all that there is, for as long as that takes.
		if err = ctx.Err(); err == nil {
			r, err = msal(with)
		}
	}
	if err != nil && !x.fresh && r.AccessToken != "" && ctx.Err() == nil {
		// A token of the cache that is still good, which could not be renewed ahead of its time.
		r.AccessToken, err = x.format(r.AccessToken)
	}
	if err != nil {
		return Result{}, x.explain(err)
	}
	return Result{AuthResult: r, TokenType: x.tokenType(), RefreshToken: x.refreshToken}, nil
}
