package backendtest

import (
	"context"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"github.com/msalext/msalext/extensions/backend"
)

func errorFaults() []fault {
	return []fault{
		{"returns errors without kind, operation or backend", "Every failure is a *backend.Error that names operation, backend, and a kind or the context's end.", unkindErrors},
		{"shows stored bytes in errors", "No error holds anything of the data that was stored or to be stored.", leaksData},
		{"shows secret settings", "No error and no text of Info holds a secret setting.", leaksSecrets},
		{"shows control characters in errors", "An error is one line without control characters, whatever the key.", leaksControls},
	}
}

// failure is an error that a case provoked.
type failure struct {
	what string
	err  error
}

// provoke makes a store fail in every way that a caller can bring about. What
// doesn't fail is the business of other cases.
func (c *trial) provoke(key string, data []byte) []failure {
	c.Helper()
	t := c.track(c.harness.Open(c.T))
	s := t.store
	v := c.save(s, key, data, backend.None)
	ended, cancel := context.WithCancel(c.ctx)
	cancel()
	all := []failure{
		{"load of nothing", loadError(c.ctx, s, key+"2")},
		{"save over an item", saveError(c.ctx, s, key, data, backend.None)},
		{"save from a wrong base", saveError(c.ctx, s, key, data, v+"x")},
		{"save of nothing", saveError(c.ctx, s, key, nil, v)},
		{"delete from a wrong base", s.Delete(c.ctx, key, v+"x")},
		{"cancelled load", loadError(ended, s, key)},
		{"cancelled save", saveError(ended, s, key, data, v)},
		{"cancelled delete", s.Delete(ended, key, v)},
	}
	if limit := s.Info().MaxBytes; limit > 0 && limit < 64<<20 {
		large := append(slices.Clone(data), make([]byte, limit)...)
		all = append(all, failure{"save of too much", saveError(c.ctx, s, key, large, v)})
	}
	if e, ok := backend.Can[backend.Expirer](s, backend.CanExpire); ok {
		all = append(all, failure{"expire of nothing", e.Expire(c.ctx, key+"2", 1)})
	}
	c.mustClose(t)
	all = append(all, failure{"load after Close", loadError(c.ctx, s, key)},
		failure{"save after Close", saveError(c.ctx, s, key, data, v)})
	return slices.DeleteFunc(all, func(f failure) bool { return f.err == nil })
}

func loadError(ctx context.Context, s backend.Store, key string) error {
	_, err := s.Load(ctx, key, backend.None)
	return err
}

func saveError(ctx context.Context, s backend.Store, key string, data []byte, base backend.Version) error {
	_, err := s.Save(ctx, key, data, base)
	return err
}

func unkindErrors(c *trial) {
	for _, f := range c.provoke("k", []byte("data")) {
		e, ok := errors.AsType[*backend.Error](f.err)
		if !ok {
			c.Errorf("%s: %v is a %T, want a *backend.Error", f.what, f.err, f.err)
			continue
		}
		ended := errors.Is(e, context.Canceled) || errors.Is(e, context.DeadlineExceeded)
		if !slices.Contains(backend.Kinds(), e.Kind) && (e.Kind != nil || !ended) {
			c.Errorf("%s: %v has the kind %v, which isn't one of backend.Kinds", f.what, e, e.Kind)
		}
		if e.Op == "" || e.Backend == "" {
			c.Errorf("%s: %v names the operation %q and the backend %q", f.what, e, e.Op, e.Backend)
		}
	}
}

func leaksData(c *trial) {
	const marker = "backendtest-Marker/of+the=data"
	for _, f := range c.provoke("k", []byte(marker)) {
		if form := shown(printed(f.err), marker); form != "" {
			c.Errorf("%s: the error shows the data as %s", f.what, form)
		}
	}
}

func leaksSecrets(c *trial) {
	h, ok := c.harness.(Configured)
	if !ok {
		c.Logf("nothing to test: the harness doesn't know its settings")
		return
	}
	failures := c.provoke("k", []byte("data"))
	info := c.open().Info()
	for _, text := range []string{info.Location, info.Method, info.Against} {
		failures = append(failures, failure{"Info", errors.New(text)})
	}
	for name, secret := range h.Config().Secrets {
		for _, f := range failures {
			if form := shown(printed(f.err), string(secret)); form != "" {
				c.Errorf("%s: shows the secret setting %q as %s", f.what, name, form)
			}
		}
	}
}

func leaksControls(c *trial) {
	for _, f := range c.provoke("\x1b[31mred\r\n\u202e", []byte("data")) {
		for _, r := range f.err.Error() {
			if unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) {
				c.Errorf("%s: the error holds %q", f.what, r)
			}
		}
	}
}

// printed is all that the usual verbs show of an error.
func printed(err error) string {
	text := fmt.Sprintf("%v %+v %#v", err, err, err)
	if e, ok := errors.AsType[*backend.Error](err); ok {
		text += fmt.Sprintf(" %#v %#v", *e, e.Err)
	}
	return text
}

// shown returns the form in which text shows a secret; "": none.
func shown(text, secret string) string {
	if secret == "" {
		return ""
	}
	b := []byte(secret)
	for _, form := range []struct{ name, text string }{
		{"it is", secret},
		{"quoted text", strings.Trim(strconv.Quote(secret), `"`)},
		{"hex", hex.EncodeToString(b)},
		{"base64", base64.RawStdEncoding.EncodeToString(b)},
		{"base64url", base64.RawURLEncoding.EncodeToString(b)},
		{"a list of bytes", strings.Trim(fmt.Sprint(b), "[]")},
	} {
		if strings.Contains(text, form.text) {
			return form.name
		}
	}
	return ""
}
