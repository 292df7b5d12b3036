package msal

import (
	"net/http"
	"strconv"
	"strings"
	"time"
)

// retryAfter reads how long the server asks to wait (RFC 9110 §10.2.3: seconds
// or a date). What lies in the past is no wait. A number that no clock holds
// is taken for a year, since the server asked for more time than anybody has.
func retryAfter(h http.Header, now time.Time) (time.Duration, bool) {
	const year = 365 * 24 * time.Hour
	text := strings.TrimSpace(h.Get("Retry-After"))
	if text == "" {
		return 0, false
	}
	if strings.Trim(text, "0123456789") == "" {
		seconds, err := strconv.Atoi(text)
		if err != nil || seconds > int(year/time.Second) {
			return year, true
		}
		return time.Duration(seconds) * time.Second, true
	}
	date, err := http.ParseTime(text)
	if err != nil {
		return 0, false
	}
	return min(max(date.Sub(now), 0), year), true
}

// sleep waits, unless the request's context ends before.
func sleep(req *http.Request, wait time.Duration) error {
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C:
		return req.Context().Err()
	case <-req.Context().Done():
		return req.Context().Err()
	}
}
