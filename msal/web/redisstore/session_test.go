package redisstore

import (
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

func TestWhatASessionSays(t *testing.T) {
	t.Parallel()
	const record = `{"token_key":"web/session/A","account":"a.b","mail":"alice@contoso.example","since":"2026-01-02T03:04:05Z"}`
	store := New(nil, nil)
	for _, c := range []struct {
		name, data string
		somebody   bool
		email      string
		unusable   bool
	}{
		{"somebody's", encoded(t, map[string]any{web.RecordName: record}), true, "alice@contoso.example", false},
		{"somebody's, with more", encoded(t, map[string]any{web.RecordName: record, "cart": 3}), true, "alice@contoso.example", false},
		{"a visitor's", encoded(t, map[string]any{"cart": 3}), false, "", false},
		{"an empty one", encoded(t, nil), false, "", false},
		{"a record of another type", encoded(t, map[string]any{web.RecordName: 3}), true, "", true},
		{"a record that is no JSON", encoded(t, map[string]any{web.RecordName: "{"}), true, "", true},
		{"a record without tokens", encoded(t, map[string]any{web.RecordName: "{}"}), true, "", true},
		{"nothing", "", true, "", true},
		{"no gob", "\x00canary", true, "", true},
		{"half of it", encoded(t, map[string]any{web.RecordName: record})[:40], true, "", true},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			got, somebody := store.session(row{"canary-name", c.data})
			if somebody != c.somebody || got.Record.Email != c.email || errors.Is(got.Err, ErrUnusable) != c.unusable {
				t.Errorf("%+v, %t", got, somebody)
			}
			if text := fmt.Sprintf("%v %+v %#v", got, got, got.Err); strings.Contains(text, "canary") {
				t.Errorf("it is printed: %s", text)
			}
			if again, _ := store.session(row{"canary-name", c.data}); again.Mark != got.Mark {
				t.Error("the mark changes")
			}
		})
	}
}
