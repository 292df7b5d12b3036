package msal

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// logged is a network that tells a logger of each request and its answer. What
// it tells is a list of what may be told, and not all but what is known to be
// secret: a parameter that MSAL sends one day isn't logged.
func logged(base Doer, log *slog.Logger, pii bool) Doer {
	if log == nil {
		return base
	}
	return &loggedNetwork{Doer: base, log: log, pii: pii}
}

type loggedNetwork struct {
	Doer

	log *slog.Logger
	pii bool // names may be told
}

func (l *loggedNetwork) Do(req *http.Request) (*http.Response, error) {
	if !l.log.Enabled(req.Context(), slog.LevelDebug) {
		return l.Doer.Do(req)
	}
	attrs := l.asked(req)
	began := time.Now()
	resp, err := l.Doer.Do(req)
	attrs = append(attrs, slog.Duration("took", time.Since(began)))
	if err != nil {
		attrs = append(attrs, slog.String("err", l.networkError(err)))
	} else {
		attrs = append(attrs, l.answered(req, resp)...)
	}
	l.log.LogAttrs(context.WithoutCancel(req.Context()), slog.LevelDebug, "msalext: request", attrs...)
	return resp, err
}

func (l *loggedNetwork) asked(req *http.Request) []slog.Attr {
	form := sentForm(req)
	attrs := []slog.Attr{slog.String("method", req.Method), slog.String("url", l.address(req.URL))}
	for _, a := range []struct{ key, value string }{
		{"correlation_id", req.Header.Get("client-request-id")}, {"client_id", form.Get("client_id")},
		{"grant_type", form.Get("grant_type")}, {"scope", form.Get("scope")}, {"username", form.Get("username")},
	} {
		if a.value != "" && (l.pii || a.key != "username") {
			attrs = append(attrs, slog.String(a.key, l.text(shorten(a.value, maxText))))
		}
	}
	return attrs
}

func (l *loggedNetwork) answered(req *http.Request, resp *http.Response) []slog.Attr {
	attrs := []slog.Attr{slog.Int("status", resp.StatusCode)}
	if resp.StatusCode < 400 || resp.Body == nil {
		return attrs
	}
	body, rest := leading(resp.Body)
	resp.Body = rest
	e := parseError(body, secretsOf(sentForm(req)))
	e.describe(resp)
	attrs = append(attrs, slog.Any("answer", e))
	if l.pii && e.Description != "" {
		attrs = append(attrs, slog.String("description", oneLine(e.Description)))
	}
	return attrs
}

// address is where a request goes, without its query, which can hold anything.
func (l *loggedNetwork) address(u *url.URL) string {
	parts := strings.Split(u.EscapedPath(), "/")
	for i, part := range parts {
		person := i > 0 && strings.EqualFold(parts[i-1], "UserRealm") || strings.Contains(part, "@") || strings.Contains(part, "%40")
		if person && !l.pii {
			parts[i] = redacted
		}
	}
	return u.Scheme + "://" + u.Host + strings.Join(parts, "/")
}

// text is something that was sent or came, without what looks like a secret.
func (l *loggedNetwork) text(s string) string {
	s = oneLine(clean(s, nil))
	if l.pii {
		return s
	}
	return withoutPeople(s)
}

// networkError leaves out the URL, which address has told.
func (l *loggedNetwork) networkError(err error) string {
	if e, ok := errors.AsType[*url.Error](err); ok {
		err = e.Err
	}
	return l.text(err.Error())
}
