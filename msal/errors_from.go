package msal

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	msalerrors "github.com/AzureAD/microsoft-authentication-library-for-go/apps/errors"
)

// FromMSAL makes an [*Error] of an error of MSAL's clients where the identity
// provider's answer is behind it, and returns every other error, nil included,
// as it is: those of the network, of a context and of a store.
//
// MSAL's own error prints the answer, and where that isn't valid JSON the
// tokens in it; its Verbose method prints the request with its secrets. The
// result holds neither. It also knows the answers of the device code flow,
// whose body MSAL has read before the caller can.
func FromMSAL(err error) error {
	if e := (*Error)(nil); err == nil || errors.As(err, &e) {
		return err
	}
	if call, ok := errors.AsType[msalerrors.CallErr](err); ok {
		return errorOfCall(call)
	}
	if _, ok := errors.AsType[msalerrors.InvalidJsonErr](err); ok {
		return &Error{Description: "the answer isn't valid JSON"}
	}
	// MSAL has no type for it.
	if _, scopes, ok := strings.Cut(err.Error(), "declined scopes are present: "); ok {
		return &Error{Code: "invalid_scope", Status: http.StatusOK, Description: "declined: " + clean(scopes, nil)}
	}
	return err
}

// errorOfCall reads the answer from the error's text, since the body of Resp
// can be read once and MSAL may have done so.
func errorOfCall(call msalerrors.CallErr) *Error {
	if call.Resp == nil {
		return &Error{}
	}
	var body string
	if call.Err != nil {
		_, body, _ = strings.Cut(call.Err.Error(), fmt.Sprintf("reply status code was %d:\n", call.Resp.StatusCode))
	}
	sent := sentForm(call.Req)
	e := parseError([]byte(body), secretsOf(sent))
	e.Grant = shorten(sent.Get("grant_type"), maxWord)
	e.describe(call.Resp)
	return e
}

// sentForm reads the form of a request once more. A request whose body can't be
// had again has none.
func sentForm(req *http.Request) url.Values {
	if req == nil || req.GetBody == nil {
		return nil
	}
	body, err := req.GetBody()
	if err != nil {
		return nil
	}
	defer body.Close()
	text, err := io.ReadAll(io.LimitReader(body, maxBody))
	if err != nil {
		return nil
	}
	form, err := url.ParseQuery(string(text))
	if err != nil {
		return nil
	}
	return form
}

// ErrorOf makes an [*Error] of an answer of a token endpoint, or nil where its
// status is less than 400. It reads the body, up to 256 KiB, and doesn't close
// it. What isn't an OAuth error becomes one without a Code.
func ErrorOf(resp *http.Response) *Error {
	if resp.StatusCode < 400 {
		return nil
	}
	var body []byte
	if resp.Body != nil {
		// What can't be read to its end isn't JSON, and so an error without a code.
		body, _ = io.ReadAll(io.LimitReader(resp.Body, maxBody+1))
	}
	var form url.Values
	if resp.Request != nil {
		form = sentForm(resp.Request)
	}
	e := parseError(body, secretsOf(form))
	e.Grant = shorten(form.Get("grant_type"), maxWord)
	e.describe(resp)
	return e
}

// describe adds what isn't in the body.
func (e *Error) describe(resp *http.Response) {
	e.Status = resp.StatusCode
	if wait, ok := retryAfter(resp.Header, time.Now()); ok {
		e.RetryAfter = wait
	}
}

// answerJSON is an error answer with what Entra ID adds.
type answerJSON struct {
	Code          string `json:"error"`
	SubError      string `json:"suberror"`
	Description   string `json:"error_description"`
	Codes         []int  `json:"error_codes"`
	CorrelationID string `json:"correlation_id"`
	TraceID       string `json:"trace_id"`
	Claims        string `json:"claims"`
	URI           string `json:"error_uri"`
}

// maxWord bounds what should be a word or an id.
const maxWord = 256

func parseError(body []byte, secrets []string) *Error {
	var a answerJSON
	if len(body) > maxBody {
		return &Error{}
	}
	err := json.Unmarshal(body, &a)
	if _, wrongType := errors.AsType[*json.UnmarshalTypeError](err); err != nil && !wrongType {
		return &Error{} // of a member with another type, the other members count
	}
	return a.toError(secrets)
}

func (a answerJSON) toError(secrets []string) *Error {
	word := func(s string) string { return shorten(clean(s, secrets), maxWord) }
	e := &Error{
		Code:          word(a.Code),
		SubError:      word(a.SubError),
		Description:   shorten(clean(a.Description, secrets), 4*maxText),
		Codes:         slices.Clip(a.Codes[:min(len(a.Codes), 16)]),
		CorrelationID: word(a.CorrelationID),
		TraceID:       word(a.TraceID),
		URI:           word(a.URI),
	}
	if len(a.Claims) <= maxBody && json.Valid([]byte(a.Claims)) {
		e.Claims = a.Claims
	}
	if len(e.Codes) == 0 {
		e.Codes = codesIn(e.Description)
	}
	return e
}

var aadsts = regexp.MustCompile(`\bAADSTS([0-9]{1,9})\b`)

// codesIn finds the number that begins the text where there is no list of
// them: the browser brings none.
func codesIn(description string) []int {
	m := aadsts.FindStringSubmatch(description)
	if m == nil {
		return nil
	}
	n, err := strconv.Atoi(m[1])
	if err != nil {
		return nil
	}
	return []int{n}
}
