package msaltest

import (
	"encoding/json"
	"net/http"
)

// endpoint computes an answer while the server's lock is held: either a value
// to be sent as JSON (or an http.Handler that writes something else), or a
// failure.
type endpoint func(*http.Request) (any, *Failure)

// maxRequest bounds a request body; the largest real ones carry a certificate
// chain.
const maxRequest = 1 << 20

// serve makes an endpoint into a handler: it records the request, waits for
// the latency, and answers with a failure that the test asked for or with
// what the endpoint says.
func (s *Server) serve(kind Kind, do endpoint) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.Body = http.MaxBytesReader(w, r.Body, maxRequest)
		if err := r.ParseForm(); err != nil {
			invalidRequest("the body isn't a form").write(w, r)
			return
		}
		entry := s.record(kind, r)
		if !s.delay(r.Context()) {
			(&Failure{Status: http.StatusServiceUnavailable, Description: "the fake is closing"}).write(w, r)
			return
		}
		answer, failure := s.answer(entry, do, r)
		if failure != nil {
			failure.write(w, r)
			return
		}
		writeAnswer(w, r, answer)
	})
}

func (s *Server) answer(entry *Request, do endpoint, r *http.Request) (any, *Failure) {
	s.mu.Lock()
	defer s.mu.Unlock()
	failure := s.nextFailure(entry.Kind)
	var answer any
	if failure == nil {
		answer, failure = do(r)
	}
	entry.Status = http.StatusOK
	if failure != nil {
		entry.Status, entry.Error = failure.status(), failure.Code
	}
	return answer, failure
}

func writeAnswer(w http.ResponseWriter, r *http.Request, answer any) {
	if handler, ok := answer.(http.Handler); ok {
		handler.ServeHTTP(w, r)
		return
	}
	writeJSON(w, http.StatusOK, answer)
}

func writeJSON(w http.ResponseWriter, status int, body any) {
	data, err := json.Marshal(body)
	if err != nil {
		http.Error(w, "cannot encode the answer: "+err.Error(), http.StatusInternalServerError)
		return
	}
	// RFC 6749 §5.1 demands this of every answer that holds a token.
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(status)
	// A failed write means that the client is gone; nobody is left to tell.
	_, _ = w.Write(data)
}
