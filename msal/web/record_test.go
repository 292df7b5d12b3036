package web_test

import (
	"bytes"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/msalext/msalext/msal/web"
)

// TestRecordPrints: what is printed of who is signed in has neither the secret nor
// anybody's name.
func TestRecordPrints(t *testing.T) {
	t.Parallel()
	r := web.Record{Account: "oid.tid", CSRF: marker, Name: "Alice", Email: alice, Since: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)}
	const want = "sign-in of oid.tid at 2026-01-02T03:04:05Z"
	if got := r.String(); got != want {
		t.Error(got)
	}
	var log bytes.Buffer
	slog.New(slog.NewJSONHandler(&log, nil)).Info("x", "record", r)
	stored := web.Stored{Record: r}
	text := log.String() + fmt.Sprintf("%v %+v %#v %s %q %v %+v %#v %x", r, r, r, &r, r, stored, &stored, stored, r)
	for _, secret := range []string{marker, "Alice", alice, fmt.Sprintf("%x", marker)} {
		if strings.Contains(text, secret) {
			t.Errorf("%q is in %s", secret, text)
		}
	}
	if !strings.Contains(log.String(), want) {
		t.Error(log.String())
	}
}
