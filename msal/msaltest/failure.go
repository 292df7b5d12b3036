package msaltest

import (
	"cmp"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"time"
)

// Failure is an error answer as Entra ID sends it. The fields and codes are
// described at
// https://learn.microsoft.com/entra/identity-platform/reference-error-codes.
type Failure struct {
	// Status is the HTTP status. Zero means 401 for invalid_client, else 400.
	Status int
	// Code is the OAuth error, such as invalid_grant. When empty the answer
	// isn't JSON but a line of text, as a proxy or an overloaded gateway
	// would send it.
	Code string
	// SubError refines Code, such as consent_required; may be empty.
	SubError string
	// Description is the text of error_description. It is preceded by the
	// first of Codes, and followed by ids and the time.
	Description string
	// Codes are the numbers of the AADSTS errors, most specific first.
	Codes []int
	// Claims is the claims challenge, a JSON object as text; may be empty.
	Claims string
	// Header is added to the answer; nil: nothing.
	Header http.Header
	// Body is sent as it is, instead of the JSON that is made of the fields
	// above; its Content-Type is application/json unless Header says another.
	// Nil: none. With a Status of 200 it is an answer that claims success.
	Body []byte
	// HangUp closes the connection instead of answering.
	HangUp bool
	// RetryAfter is sent as a header, rounded up to a second; zero means none.
	RetryAfter time.Duration
}

// Fail makes the next len(failures) requests of that kind fail, one after the
// other, instead of being served. [KindToken] matches every grant. They are
// counted like any other request. The same failure n times is
// slices.Repeat([]Failure{f}, n)....
func (s *Server) Fail(kind Kind, failures ...Failure) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.failures[kind] = append(s.failures[kind], failures...)
}

// nextFailure takes what Fail left for a request; a failure for the grant goes
// before one for the whole endpoint.
func (s *Server) nextFailure(kind Kind) *Failure {
	for _, k := range []Kind{kind, kind.endpoint()} {
		if queue := s.failures[k]; len(queue) > 0 {
			s.failures[k] = slices.Delete(slices.Clone(queue), 0, 1)
			return &queue[0]
		}
	}
	return nil
}

func (f *Failure) status() int {
	if f.Status == 0 && f.Code == "invalid_client" {
		return http.StatusUnauthorized
	}
	return cmp.Or(f.Status, http.StatusBadRequest)
}

// failureJSON is the body of an error answer, in Entra ID's order.
type failureJSON struct {
	Error         string `json:"error"`
	Description   string `json:"error_description"`
	Codes         []int  `json:"error_codes,omitempty"`
	Timestamp     string `json:"timestamp"`
	TraceID       string `json:"trace_id"`
	CorrelationID string `json:"correlation_id"`
	SubError      string `json:"suberror,omitempty"`
	Claims        string `json:"claims,omitempty"`
}

func (f *Failure) write(w http.ResponseWriter, r *http.Request) {
	if f.HangUp {
		// The server closes the connection, and writes nothing to its log.
		panic(http.ErrAbortHandler)
	}
	maps.Copy(w.Header(), f.Header)
	if f.RetryAfter > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(wholeSeconds(f.RetryAfter)))
	}
	if f.Body != nil {
		f.writeBody(w)
		return
	}
	if f.Code == "" {
		http.Error(w, cmp.Or(f.Description, http.StatusText(f.status())), f.status())
		return
	}
	body := failureJSON{
		Error:         f.Code,
		Codes:         f.Codes,
		Timestamp:     time.Now().UTC().Format("2006-01-02 15:04:05Z"),
		TraceID:       randomGUID(),
		CorrelationID: cmp.Or(r.Header.Get("client-request-id"), randomGUID()),
		SubError:      f.SubError,
		Claims:        f.Claims,
	}
	body.Description = f.describe(body)
	writeJSON(w, f.status(), body)
}

func (f *Failure) writeBody(w http.ResponseWriter) {
	if w.Header().Get("Content-Type") == "" {
		w.Header().Set("Content-Type", "application/json; charset=utf-8")
	}
	w.WriteHeader(f.status())
	// A failed write means that the client is gone, or has had enough.
	_, _ = w.Write(f.Body)
}

func (f *Failure) describe(body failureJSON) string {
	text := f.Description
	if len(f.Codes) > 0 {
		text = fmt.Sprintf("AADSTS%d: %s", f.Codes[0], text)
	}
	return fmt.Sprintf("%s Trace ID: %s Correlation ID: %s Timestamp: %s",
		text, body.TraceID, body.CorrelationID, body.Timestamp)
}

func newFailure(code string, number int, description string) *Failure {
	return &Failure{Code: code, Codes: []int{number}, Description: description}
}

func invalidRequest(description string) *Failure {
	return newFailure("invalid_request", 900144, description)
}

func missingParameter(name string) *Failure {
	return invalidRequest("The request body must contain the following parameter: '" + name + "'.")
}

func invalidGrant(number int, subError, description string) *Failure {
	f := newFailure("invalid_grant", number, description)
	f.SubError = subError
	return f
}
