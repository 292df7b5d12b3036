package msal_test

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/AzureAD/microsoft-authentication-library-for-go/apps/public"

	"github.com/msalext/msalext/msal"
)

// TestResultsPrintNoToken, wherever they are in what is printed.
func TestResultsPrintNoToken(t *testing.T) {
	t.Parallel()
	r := msal.Result{AuthResult: public.AuthResult{AccessToken: "hunter2"}, RefreshToken: "hunter2", TokenType: "Bearer"}
	r.IDToken.RawToken = "hunter2"
	for name, v := range map[string]any{"itself": r, "by pointer": &r, "in a slice": []msal.Result{r}, "in a struct": struct{ R msal.Result }{r}} {
		t.Run(name, func(t *testing.T) {
			encoded, err := json.Marshal(v)
			if err != nil {
				t.Fatal(err)
			}
			var log strings.Builder
			slog.New(slog.NewTextHandler(&log, nil)).Info("", "result", v)
			slog.New(slog.NewJSONHandler(&log, nil)).Info("", "result", v)
			text := fmt.Sprintf("%v %+v %#v", v, v, v) + string(encoded) + log.String()
			if strings.Contains(text, "hunter2") || !strings.Contains(text, "Bearer") {
				t.Errorf("printed as %s", text)
			}
		})
	}
}
