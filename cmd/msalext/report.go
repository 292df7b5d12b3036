package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/spf13/cobra"

	"github.com/msalext/msalext/extensions/backend"
)

// usageError is a mistake in the arguments.
type usageError struct{ text string }

func (e *usageError) Error() string { return e.text }

func usage(format string, args ...any) error { return &usageError{fmt.Sprintf(format, args...)} }

// codedError is a failure of which no part of the library knows.
type codedError struct {
	text string
	code int
}

func (e *codedError) Error() string { return e.text }

// arguments demands n of them, which are what.
func arguments(n int, what string) cobra.PositionalArgs {
	return func(_ *cobra.Command, args []string) error {
		if len(args) != n {
			return usage("%s given: name %s", plural(len(args), "argument"), what)
		}
		return nil
	}
}

var location = arguments(1, "one LOCATION")

// report tells the person, or with --json the script, what went wrong.
func (c *command) report(err error) int {
	if err == nil {
		return exitOK
	}
	code := codeOf(err)
	c.tellFailure(err, code)
	return code
}

// tellFailure writes to the standard error output.
func (c *command) tellFailure(err error, code int) {
	if c.json {
		_ = json.NewEncoder(c.err).Encode(failure{Error: bare(err), Code: code, Hint: hintOf(err)})
		return
	}
	fmt.Fprintln(c.err, c.colorOn(c.err, red, "msalext:"), plain(bare(err)))
}

type failure struct {
	Error string `json:"error"`
	Code  int    `json:"code"`
	Hint  string `json:"hint,omitempty"`
}

// bare is an error without the name of this program before it.
func bare(err error) string { return asFlags(strings.TrimPrefix(err.Error(), "msalext: ")) }

// hintOf is what to do about an error.
func hintOf(err error) string {
	if e, ok := errors.AsType[*backend.Error](err); ok {
		return asFlags(e.Hint)
	}
	return ""
}

// withoutHint is what bare says before the hint.
func withoutHint(err error) string { return strings.TrimSuffix(bare(err), "; "+hintOf(err)) }

// asFlags says in terms of this program what the library says in those of Go.
func asFlags(text string) string {
	return settingsInGo.ReplaceAllString(inGo.Replace(text), "settings with --set")
}

var inGo = strings.NewReplacer(
	"set MigrateOptions.AllowPlaintext", "pass --allow-plaintext",
	"with DeleteSource", "with --delete-source",
	"give them in Options.Settings", "give them as Options.Settings",
	"set Options.Envelope", "pass --envelope: see msalext help key-sources",
	"set no Preset", "pass no --preset",
	"bring the items over with Migrate", "bring the items over with msalext migrate",
	"bring it over with Migrate: open it without an envelope, and with one at another location",
	"bring it over with msalext migrate --to-envelope, to another location",
	"Quarantine moves it aside to begin anew", "msalext quarantine moves it aside to begin anew",
	"if it is lost for good, Persistence.Quarantine moves the item aside", "if it is lost for good, msalext quarantine --lost-key moves the item aside",
	"set Options.Logger to see it", "pass --verbose to see it",
	"use Persistence.Quarantine first", "use msalext quarantine first",
)

var settingsInGo = regexp.MustCompile(`Options\.Settings\["[^"]*"\](?:, which may be empty)?`)
