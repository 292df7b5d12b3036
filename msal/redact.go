package msal

import (
	"net/url"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"
)

// redacted stands where something was taken out.
const redacted = "[redacted]"

// secretFields are the parameters of a token request that must not come back
// in a message (RFC 6749, 7521, 7636, 8628).
var secretFields = []string{
	"refresh_token", "access_token", "client_secret", "client_assertion", "assertion", "password", "code", "code_verifier", "device_code",
}

// secretsOf lists the secrets in a form. One of a few letters would be found
// in any text.
func secretsOf(form url.Values) []string {
	var secrets []string
	for _, field := range secretFields {
		for _, value := range form[field] {
			if len(value) >= 6 {
				secrets = append(secrets, value)
			}
		}
	}
	return secrets
}

// tokenLike finds what can be a token: a JWT or an encrypted one, a value of
// Entra ID's (its codes and refresh tokens begin with a number and a dot), and
// any long run of letters and digits that no text, and no id, has.
var tokenLike = regexp.MustCompile(`\beyJ[A-Za-z0-9_-]{8,}[A-Za-z0-9._-]*|\b[0-9]{1,2}\.A[A-Za-z0-9._~-]{30,}|[A-Za-z0-9_~+-]{48,}={0,2}`)

// clean takes the secrets given, and what looks like one, out of a text that a
// server sent.
func clean(text string, secrets []string) string {
	for _, secret := range secrets {
		text = strings.ReplaceAll(text, secret, redacted)
	}
	return tokenLike.ReplaceAllString(strings.ToValidUTF8(text, "\uFFFD"), redacted)
}

var address = regexp.MustCompile(`[^\s<>'"(),;:@]+@[^\s<>'"(),;:@]+`)

// withoutPeople takes user names and mail addresses out.
func withoutPeople(text string) string { return address.ReplaceAllString(text, redacted) }

// oneLine makes a text that forges no line of a log, and moves no cursor.
func oneLine(text string) string {
	text = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || r == '\u2028' || r == '\u2029' || unicode.Is(unicode.Cf, r) {
			return ' '
		}
		return r
	}, text)
	return strings.Join(strings.Fields(text), " ")
}

// shorten cuts a text to at most n bytes of whole characters.
func shorten(text string, n int) string {
	if len(text) <= n {
		return text
	}
	for n > 0 && !utf8.RuneStart(text[n]) {
		n--
	}
	return text[:n]
}
