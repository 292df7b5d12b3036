package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"slices"
	"sync"
	"time"
)

// webClients is how many requests are under way at once.
const webClients = 16

// webResult is what a burst of requests came to.
type webResult struct {
	perSecond float64
	p99       time.Duration
}

// webBurst sends requests for a while, each as one of those who are signed in.
func webBurst(ctx context.Context, h *http.Client, address string, cookies []string, lasts time.Duration) (webResult, error) {
	var mu sync.Mutex
	var took []time.Duration
	var wrong []error
	var wg sync.WaitGroup
	began := time.Now()
	for range webClients {
		wg.Go(func() {
			mine, err := webRequests(ctx, h, address, cookies, began.Add(lasts))
			mu.Lock()
			defer mu.Unlock()
			took = append(took, mine...)
			if err != nil {
				wrong = append(wrong, err)
			}
		})
	}
	wg.Wait()
	if err := errors.Join(wrong...); err != nil || len(took) == 0 {
		return webResult{}, fmt.Errorf("%s: %d answers, %w", address, len(took), err)
	}
	slices.Sort(took)
	return webResult{float64(len(took)) / time.Since(began).Seconds(), took[len(took)*99/100]}, nil
}

func webRequests(ctx context.Context, h *http.Client, address string, cookies []string, until time.Time) (took []time.Duration, err error) {
	for time.Now().Before(until) {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
		if err != nil {
			return nil, err
		}
		req.Header.Set("Cookie", cookies[rand.IntN(len(cookies))])
		began := time.Now()
		resp, err := h.Do(req)
		if err != nil {
			return nil, err
		}
		body, err := io.ReadAll(resp.Body)
		if err = errors.Join(err, resp.Body.Close()); err != nil {
			return nil, err
		}
		if resp.StatusCode != http.StatusOK || string(body) != "ok" {
			return nil, fmt.Errorf("%s: %.100s", resp.Status, body)
		}
		took = append(took, time.Since(began))
	}
	return took, nil
}
