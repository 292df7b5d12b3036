package canary_test

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/url"
	"strings"
	"testing"

	"github.com/msalext/msalext/internal/canary"
)

const marker = "canary-7f3a"

func TestEveryFormIsFound(t *testing.T) {
	t.Parallel()
	secret := []byte("prefix." + marker + ".suffix")
	js, err := json.Marshal(map[string]any{"data": secret})
	if err != nil {
		t.Fatal(err)
	}
	var log strings.Builder
	slog.New(slog.NewJSONHandler(&log, nil)).Info("x", "data", secret)
	for name, text := range map[string]string{
		"raw":                         string(secret),
		"quoted":                      fmt.Sprintf("%q", secret),
		"base64":                      base64.StdEncoding.EncodeToString(secret),
		"base64 +1":                   base64.StdEncoding.EncodeToString(append([]byte("."), secret...)),
		"base64 +2":                   base64.StdEncoding.EncodeToString(append([]byte(".."), secret...)),
		"base64url":                   base64.URLEncoding.EncodeToString([]byte(marker + "\xff\xfe")),
		"hex":                         fmt.Sprintf("%x", secret),
		"HEX":                         fmt.Sprintf("%X", secret),
		"spaced hex":                  fmt.Sprintf("% x", secret),
		"bytes":                       fmt.Sprint(secret),
		"Go bytes":                    fmt.Sprintf("%#v", secret),
		"JSON":                        string(js),
		"slog":                        log.String(),
		"URL":                         url.QueryEscape(string(secret)),
		"NUL in the middle of a list": "a\x00b=" + marker + "\x00",
	} {
		if len(canary.Find([]byte("something else "+text+" and more"), marker)) == 0 {
			t.Errorf("%s: not found in %q", name, text)
		}
	}
}

func TestNothingIsFoundWhereNothingIs(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"", "canary-7f3", "anary-7f3a", base64.StdEncoding.EncodeToString([]byte("canary-8f3a")), "[secret]"} {
		if found := canary.Find([]byte(text), marker); len(found) > 0 {
			t.Errorf("%q: %v", text, found)
		}
	}
}
