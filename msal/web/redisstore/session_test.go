package redisstore

import (
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/alexedwards/scs/v2"

	"github.com/msalext/msalext/msal/web"
)

// encoded is a session as scs stores it.
func encoded(t *testing.T, values map[string]any) string {
	t.Helper()
	data, err := (scs.GobCodec{}).Encode(time.Unix(2e9, 0), values)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// printed is what fmt makes of a session, with verbs that fit and others.
func printed(s Session) string {
	text := fmt.Sprint(s.Err)
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
		text += fmt.Sprintf(verb, s) + fmt.Sprintf(verb, &s)
	}
	return text
}

func TestWhatASessionSays(t *testing.T) {
	t.Parallel()
	const record = `{"token_key":"web/session/A","account":"a.b","mail":"alice@contoso.example","since":"2026-01-02T03:04:05Z","csrf":"canary"}`
	store := New(nil, nil)
	for _, c := range []struct {
		name, data string
		somebody   bool
		email      string
		problem    error
	}{
		{"somebody's", encoded(t, map[string]any{web.RecordName: record}), true, "alice@contoso.example", nil},
		{"somebody's, with more", encoded(t, map[string]any{web.RecordName: record, "cart": 3}), true, "alice@contoso.example", nil},
		{"a visitor's", encoded(t, map[string]any{"cart": 3}), false, "", nil},
		{"an empty one", encoded(t, nil), false, "", nil},
		{"a record of another type", encoded(t, map[string]any{web.RecordName: 3}), true, "", ErrUnusable},
		{"a record that is no JSON", encoded(t, map[string]any{web.RecordName: "{"}), true, "", ErrUnusable},
		{"a record without tokens", encoded(t, map[string]any{web.RecordName: "{}"}), true, "", ErrUnusable},
		{"nothing", "", true, "", ErrUnreadable},
		{"no gob", "\x00canary", true, "", ErrUnreadable},
		{"half of it", encoded(t, map[string]any{web.RecordName: record})[:40], true, "", ErrUnreadable},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			got, somebody := store.session(row{"canary-name", c.data})
			if somebody != c.somebody || got.Record.Email != c.email || !errors.Is(got.Err, c.problem) {
				t.Errorf("%+v, %t", got, somebody)
			}
			if text := printed(got); strings.Contains(text, "canary") || strings.Contains(text, hex.EncodeToString([]byte("canary"))) {
				t.Errorf("it is printed: %s", text)
			}
			if again, _ := store.session(row{"canary-name", c.data}); again.Mark != got.Mark {
				t.Error("the mark changes")
			}
		})
	}
}
