package msal

import (
	"fmt"
	"log/slog"
	"strings"
	"time"
)

// Error is what an identity provider answered in place of a token: at the token
// endpoint (RFC 6749 §5.2, RFC 8628 §3.5), or through the browser (RFC 6749
// §4.1.2.1, OpenID Connect Core §3.1.2.6). [FromMSAL] makes one of MSAL's
// errors, and [ErrorOf] one of an HTTP answer. Test for what it means with
// errors.Is and one of this package's sentinels, such as
// [ErrInteractionRequired].
//
// It stands for the dict with "error" that the methods of MSAL Python return.
//
// It holds no token: neither the request nor MSAL's own error, both of which
// have secrets in them, is kept, and what looks like one is taken out of the
// server's text. An Error isn't changed after it was made, and may be read by
// any number of goroutines.
type Error struct {
	// Code is the OAuth error, such as invalid_grant. Empty where the answer
	// wasn't an OAuth error at all, but for example a proxy's page.
	Code string
	// SubError is what Entra ID adds to the code, such as bad_token.
	SubError string
	// Description is the server's text. It can name people.
	Description string
	// Codes are the numbers of the AADSTS errors, most specific first
	// (https://learn.microsoft.com/entra/identity-platform/reference-error-codes).
	Codes []int
	// CorrelationID and TraceID are what Microsoft's support asks for.
	CorrelationID, TraceID string
	// Claims is what the next interactive request has to ask for, as JSON;
	// pass it to MSAL's WithClaims.
	Claims string
	// URI is a page about the error (error_uri), which the server chose.
	URI string
	// Status is the HTTP status; 0 where the browser brought the answer.
	Status int
	// RetryAfter is how long the server asked to wait; 0 where it didn't.
	RetryAfter time.Duration
	// Grant is the grant_type that was refused; empty where it isn't known.
	Grant string
}

// maxText bounds the server's text in an error message.
const maxText = 1 << 10

// Error is one line: code, sub-error, the server's text without mail addresses,
// and what support asks for.
func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString("msalext: the identity provider refused: ")
	b.WriteString(e.title())
	if text := withoutPeople(oneLine(e.Description)); text != "" {
		b.WriteString(": " + shorten(text, maxText))
	}
	if e.CorrelationID != "" && !strings.Contains(e.Description, e.CorrelationID) {
		fmt.Fprintf(&b, " (correlation id %s)", oneLine(e.CorrelationID))
	}
	return b.String()
}

func (e *Error) title() string {
	switch {
	case e.Code == "" && e.Status == 0:
		return "an answer that can't be understood"
	case e.Code == "":
		return fmt.Sprintf("HTTP status %d, and no OAuth error", e.Status)
	case e.SubError == "":
		return oneLine(e.Code)
	}
	return oneLine(e.Code) + " (" + oneLine(e.SubError) + ")"
}

// LogValue is a group of what names nobody. The server's text isn't among it,
// since it can hold names, addresses and whatever else the server thought of;
// whoever wants it logs the Description.
func (e *Error) LogValue() slog.Value {
	attrs := []slog.Attr{slog.String("error", oneLine(e.Code))}
	for _, a := range []struct{ key, value string }{
		{"suberror", e.SubError}, {"correlation_id", e.CorrelationID}, {"trace_id", e.TraceID}, {"grant_type", e.Grant},
	} {
		if a.value != "" {
			attrs = append(attrs, slog.String(a.key, oneLine(a.value)))
		}
	}
	if len(e.Codes) > 0 {
		attrs = append(attrs, slog.Any("aadsts", e.Codes))
	}
	if e.Status != 0 {
		attrs = append(attrs, slog.Int("status", e.Status))
	}
	if e.RetryAfter != 0 {
		attrs = append(attrs, slog.Duration("retry_after", e.RetryAfter))
	}
	return slog.GroupValue(attrs...)
}
