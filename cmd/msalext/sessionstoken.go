package main

import (
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/msalext/msalext/extensions/persist"
	"github.com/msalext/msalext/msal"
	"github.com/msalext/msalext/msal/web/redisstore"
)

func (s *webSessions) token() *cobra.Command {
	var email, account string
	var scopes []string
	var secrets, unknown bool
	cmd := &cobra.Command{
		Use:   "token LOCATION {--account ID | --email ADDRESS}",
		Short: "See whether a person's session gives a token, refresh it, and show it",
		Long: "Takes an access token from the session that a person began last, and refreshes it where it has to be,\n" +
			"for the web app as well. The app's client id, secret and authority are read from the environment\n" +
			"variables SP_APP_ID, SP_APP_PW and SP_AUTHORITY, as the app does. The token itself is shown with\n" +
			"--show-secrets only, and only on a terminal.",
		Args: location,
	}
	flags := s.flags(cmd)
	flags.StringVar(&email, "email", "", "whose token, where the web app lets one tenant in: other organizations can give their people any address")
	flags.StringVar(&account, "account", "", "whose token: the home account id, which \"sessions list --json\" shows")
	flags.StringArrayVar(&scopes, "scope", []string{"User.Read"}, "what the token is for; repeatable")
	flags.BoolVar(&secrets, "show-secrets", false, "show the token itself (on a terminal only)")
	flags.BoolVar(&unknown, "disable-instance-discovery", false, "for identity providers that Microsoft doesn't know")
	complete(cmd, "account", nil)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if (email == "") == (account == "") {
			return usage("say whose token: either --account or --email")
		}
		if secrets && (s.json || !terminal(s.out)) {
			return usage("--show-secrets works on a terminal only")
		}
		all, done, err := s.open(cmd.Context(), args[0])
		if err != nil {
			return err
		}
		defer done()
		all.NewClient = func(c *persist.PersistedTokenCache) (*msal.Confidential, error) { return appClient(c, unknown) }
		ask, who := all.Token, email
		if account != "" {
			ask, who = all.AccountToken, account
		}
		t, err := ask(cmd.Context(), who, scopes...)
		if err != nil {
			return err
		}
		return s.emit(describeToken(t), func(w io.Writer) { showToken(w, t, secrets) })
	}
	return cmd
}

// appClient is the web app itself, as far as the identity provider can tell.
func appClient(c *persist.PersistedTokenCache, unknown bool) (*msal.Confidential, error) {
	values := map[string]string{}
	for _, name := range []string{"SP_APP_ID", "SP_APP_PW", "SP_AUTHORITY"} {
		if values[name] = os.Getenv(name); values[name] == "" {
			return nil, usage("the environment variable %s isn't set: it is the web app's", name)
		}
	}
	secret, err := msal.Secret(values["SP_APP_PW"])
	if err != nil {
		return nil, err
	}
	return msal.NewConfidential(values["SP_APP_ID"], secret, &msal.Options{Authority: values["SP_AUTHORITY"], Cache: c, DisableInstanceDiscovery: unknown})
}

func describeToken(t redisstore.Token) any {
	return struct {
		Session session   `json:"session"`
		Scopes  []string  `json:"scopes"`
		Expires time.Time `json:"expires"`
	}{describeSession(t.Session), t.Scopes, t.Expires}
}

func showToken(w io.Writer, t redisstore.Token, secrets bool) {
	fmt.Fprintf(w, "%s, by session %s, which began %s\n", plain(t.Session.Record.Email), t.Session.Mark, when(t.Session.Record.Since, time.Now()))
	fmt.Fprintf(w, "a token for %s, which expires %s\n", plain(strings.Join(t.Scopes, " ")), when(t.Expires, time.Now()))
	if secrets {
		fmt.Fprintln(w, t.Value)
	}
}
