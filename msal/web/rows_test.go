package web_test

import (
	"context"
	"errors"
	"iter"
	"testing"

	"github.com/msalext/msalext/msal/web"
)

// rowwise is a session store that tells of one session after another, and fails at
// the end.
type rowwise struct {
	contextual

	told int
	err  error
}

func (*rowwise) AllCtx(context.Context) (map[string][]byte, error) {
	return nil, errors.New("all of them don't fit into memory")
}

func (s *rowwise) Rows(ctx context.Context) iter.Seq2[web.StoredData, error] {
	return func(yield func(web.StoredData, error) bool) {
		all, err := s.contextual.AllCtx(ctx)
		for id, data := range all {
			if s.told++; !yield(web.StoredData{ID: id, Data: data}, nil) {
				return
			}
		}
		if err = errors.Join(err, s.err); err != nil {
			yield(web.StoredData{}, err)
		}
	}
}

func TestEachAsTheyCome(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	store := &rowwise{contextual: contextual{w.store}}
	s := w.serve(func(c *web.Config) { c.Store = store })
	for range 3 {
		w.browser(s).signIn(w, "/user/login", alice)
	}
	for stored, err := range s.app.Each(t.Context()) {
		if err != nil || stored.Record.Email != alice || stored.ID == "" {
			t.Errorf("%v, %v", stored, err)
		}
		break
	}
	if store.told != 1 {
		t.Errorf("%d sessions were told of to somebody who wanted one", store.told)
	}
	gone := errors.New("the server is gone")
	store.err = gone
	n, last := 0, error(nil)
	for _, err := range s.app.Each(t.Context()) {
		n, last = n+1, err
	}
	if n != 4 || !errors.Is(last, gone) {
		t.Errorf("%d, %v", n, last)
	}
	if n, err := s.app.SweepOlder(t.Context(), 0); n != 0 || !errors.Is(err, gone) {
		t.Errorf("%d items swept, %v", n, err)
	}
}
