package web

import (
	"context"
	"iter"

	"github.com/alexedwards/scs/v2"

	"github.com/msalext/msalext/extensions/backend"
)

// StoredData is a session as its store has it.
type StoredData struct {
	ID   string // its key in the session store, as in [Stored]
	Data []byte // what scs.SessionManager.Codec made of it
}

// rowStore is a session store that lists without having all sessions in memory at
// once. An error is the last thing that comes.
type rowStore interface {
	Rows(ctx context.Context) iter.Seq2[StoredData, error]
}

// rows lists what the session store has.
func (a *App) rows(ctx context.Context) iter.Seq2[StoredData, error] {
	if store, ok := a.sessions.Store.(rowStore); ok {
		return store.Rows(ctx)
	}
	return func(yield func(StoredData, error) bool) {
		all, err := a.allSessions(ctx)
		if err != nil {
			yield(StoredData{}, err)
			return
		}
		for id, data := range all {
			if !yield(StoredData{ID: id, Data: data}, nil) {
				return
			}
		}
	}
}

func (a *App) allSessions(ctx context.Context) (map[string][]byte, error) {
	switch store := a.sessions.Store.(type) {
	case scs.IterableCtxStore:
		return store.AllCtx(ctx)
	case scs.IterableStore:
		return store.All()
	}
	return nil, &backend.Error{Op: "list sessions", Kind: backend.ErrUnsupported, Hint: "use a session store that is an scs.IterableStore"}
}
