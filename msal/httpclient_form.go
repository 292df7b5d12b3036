package msal

import (
	"bytes"
	"encoding/json"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strings"
)

// maxBody is how much of a request or an answer is looked at. Both are a few
// kilobytes; what is larger is something else and passes unseen.
const maxBody = 256 << 10

// form is the body of a request that redeems a refresh token (RFC 6749 §6).
type form url.Values

// refreshForm returns the form of a request that redeems a refresh token, and
// nil for any other. The body of a request can be read once, so the request to
// send is another one where it was.
func refreshForm(req *http.Request) (*http.Request, form) {
	kind, _, err := mime.ParseMediaType(req.Header.Get("Content-Type"))
	if err != nil || kind != "application/x-www-form-urlencoded" || req.Method != http.MethodPost || req.Body == nil {
		return req, nil
	}
	body, rest := leading(req.Body)
	again := req.WithContext(req.Context()) // the caller's stays as it is
	again.Body = rest
	values, err := url.ParseQuery(string(body))
	if err != nil || len(body) > maxBody || values.Get("grant_type") != "refresh_token" || len(values["refresh_token"]) != 1 {
		return again, nil
	}
	return again, form(values)
}

func (f form) token() string { return url.Values(f).Get("refresh_token") }

// with returns the request with another token.
func (f form) with(req *http.Request, token string) *http.Request {
	values := url.Values{}
	for name, v := range f {
		values[name] = v
	}
	values.Set("refresh_token", token)
	text := values.Encode()
	again := req.Clone(req.Context())
	again.ContentLength = int64(len(text))
	again.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(strings.NewReader(text)), nil }
	again.Body, _ = again.GetBody()
	return again
}

// refusal is an error answer of a token endpoint (RFC 6749 §5.2), and what
// Entra ID adds.
type refusal struct {
	Code     string `json:"error"`
	SubError string `json:"suberror"`
}

// refusalOf returns an answer that a refresh token isn't valid, and nil for any
// other. The answer can still be read from its start.
func refusalOf(resp *http.Response) *refusal {
	if resp.StatusCode < 400 || resp.StatusCode > 499 || resp.Body == nil {
		return nil
	}
	body, rest := leading(resp.Body)
	resp.Body = rest
	var r refusal
	if len(body) > maxBody || json.Unmarshal(body, &r) != nil || r.Code != "invalid_grant" {
		return nil
	}
	return &r
}

// mayBeUsed tells whether the reason can be that the token was used before.
// Other sub-errors ask a person for something
// (https://learn.microsoft.com/entra/identity-platform/reference-error-codes).
func (r *refusal) mayBeUsed() bool {
	return r.SubError == "" || r.SubError == "bad_token" || r.SubError == "token_expired"
}

// leading reads up to maxBody bytes of a body, or one more where there are more,
// and returns them and a body that reads as the first one did, errors included.
func leading(body io.ReadCloser) ([]byte, io.ReadCloser) {
	start, err := io.ReadAll(io.LimitReader(body, maxBody+1))
	rest := io.Reader(body)
	if err != nil {
		rest = failing{err}
	}
	return start, &reread{io.MultiReader(bytes.NewReader(start), rest), body}
}

// reread is a body whose start was read before.
type reread struct {
	io.Reader
	io.Closer
}

// failing is where reading a body failed.
type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }
