package main

import (
	"io"
	"time"
)

func (c *command) showInspection(w io.Writer, seen *inspection, secrets bool) {
	c.facts(w, seen.Location, [][2]string{
		{"backend", seen.Backend + ": " + seen.Protection},
		{"holds", size(int64(seen.Bytes)) + ", " + plural(len(seen.Accounts), "account") + ", " + plural(len(seen.Tokens), "token")},
		{"written", seen.written()},
		{"lock", seen.lock()},
	})
	accounts := table{header: []string{"ACCOUNT", "TENANT", "ENVIRONMENT", "HOME ACCOUNT ID"}}
	for _, a := range seen.Accounts {
		accounts.rows = append(accounts.rows, []string{a.Username, a.Tenant, a.Environment, a.Home})
	}
	c.section(w, accounts)
	c.section(w, seen.tokens(secrets))
}

func (seen *inspection) written() string {
	switch {
	case seen.Written == nil:
		return ""
	case seen.Written.By == "":
		return when(seen.Written.At, seen.now)
	}
	return when(seen.Written.At, seen.now) + ", by " + seen.Written.By
}

func (seen *inspection) lock() string {
	if seen.LockHolder == "" {
		return "free"
	}
	return "held by " + seen.LockHolder
}

func (seen *inspection) tokens(secrets bool) table {
	t := table{header: []string{"TOKEN", "OF", "CLIENT", "SIZE", "EXPIRES", "SCOPES"}, hue: seen.hue}
	if secrets {
		t.header = append(t.header, "SECRET")
	}
	for _, tok := range seen.Tokens {
		row := []string{tok.Kind, owner(tok), tok.Client, size(int64(tok.Bytes)), expiry(tok, seen.now), tok.Scopes}
		if secrets {
			row = append(row, tok.entry.Secret())
		}
		t.rows = append(t.rows, row)
	}
	return t
}

// hue dims what has expired.
func (seen *inspection) hue(row, _ int) string {
	if t := seen.Tokens[row]; t.Kind == "access" && t.Expires != nil && t.Expires.Before(seen.now) {
		return dim
	}
	return ""
}

func owner(t token) string {
	switch {
	case t.Username != "":
		return t.Username
	case t.Home != "":
		return t.Home
	}
	return "the application"
}

// expiry is said of access tokens alone: the others don't tell.
func expiry(t token, now time.Time) string {
	switch {
	case t.Kind != "access":
		return ""
	case t.Expires == nil:
		return "not said"
	}
	return when(*t.Expires, now)
}
