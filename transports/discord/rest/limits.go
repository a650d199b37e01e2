package rest

import (
	"context"
	"fmt"
	"math"
	"net/http"
	"strconv"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"github.com/dragoman-im/dragoman/transports"
)

// Limits of the REST API (docs: Rate Limits).
const (
	perSecond  = 45               // of 50 requests a second in all
	maxWait    = 10 * time.Second // a longer wait is returned as an error, so that the caller can report it
	maxBuckets = 10000
	// After ten thousand answers of 401, 403 and 429 in ten minutes Discord answers nobody at this
	// address any longer (Invalid Request Limit): we stop long before.
	maxInvalid    = 2000
	invalidWindow = 10 * time.Minute
)

// limits keeps to the limits that Discord's headers give for each bucket, for one token.
type limits struct {
	all *rate.Limiter

	mu      sync.Mutex
	global  time.Time          // nothing before then
	names   map[string]string  // route to the bucket's name
	buckets map[string]*bucket // by the bucket's name and the major parameter

	invalid int
	since   time.Time // when counting them began
}

type bucket struct {
	remaining int
	reset     time.Time
}

func newLimits() *limits {
	return &limits{all: rate.NewLimiter(perSecond, perSecond), names: map[string]string{}, buckets: map[string]*bucket{}}
}

// wait returns when a request may go out. It holds nothing while it waits.
func (l *limits) wait(ctx context.Context, route, major string) error {
	for {
		pause := l.pause(route, major, time.Now())
		if pause <= 0 {
			break
		}
		if deadline, ok := ctx.Deadline(); pause > maxWait || ok && time.Until(deadline) < pause {
			return &transports.Error{
				Class: transports.Retry, Text: "Discord asks to wait", After: pause, Unsent: true, Err: fmt.Errorf("%s: out of requests for %v", route, pause.Round(time.Millisecond)),
			}
		}
		timer := time.NewTimer(pause)
		select {
		case <-ctx.Done():
			timer.Stop()
			return &transports.Error{Class: transports.Retry, Text: "Discord asks to wait", Unsent: true, Err: ctx.Err()}
		case <-timer.C:
		}
	}
	if err := l.all.Wait(ctx); err != nil {
		return &transports.Error{Class: transports.Retry, Text: "too many calls at once", After: time.Second, Unsent: true, Err: err}
	}
	return nil
}

// pause is how long to wait; 0 takes one request from the bucket.
func (l *limits) pause(route, major string, now time.Time) time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	if now.Sub(l.since) > invalidWindow {
		l.since, l.invalid = now, 0
	}
	if l.invalid >= maxInvalid {
		return max(l.since.Add(invalidWindow).Sub(now), time.Second)
	}
	if d := l.global.Sub(now); d > 0 {
		return d
	}
	b := l.buckets[l.key(route, major)]
	if b == nil {
		return 0
	}
	if b.remaining <= 0 {
		if d := b.reset.Sub(now); d > 0 {
			return d
		}
		b.remaining = 1 // the answer reports how many there are now
	}
	b.remaining--
	return 0
}

// key is where a route's bucket is kept. mu is held.
func (l *limits) key(route, major string) string {
	if name := l.names[route]; name != "" {
		return name + " " + major
	}
	return route + " " + major
}

// learn updates the limits from the headers of an answer.
func (l *limits) learn(route, major string, h http.Header) {
	remaining, err := strconv.Atoi(h.Get("X-RateLimit-Remaining"))
	if err != nil {
		return
	}
	reset := time.Now().Add(headerSeconds(h, "X-RateLimit-Reset-After"))
	l.mu.Lock()
	defer l.mu.Unlock()
	if name := h.Get("X-RateLimit-Bucket"); name != "" && len(name) <= 64 {
		l.names[route] = name // there are as many as there are routes in this package
	}
	if len(l.buckets) >= maxBuckets {
		now := time.Now()
		for key, b := range l.buckets {
			if b.reset.Before(now) {
				delete(l.buckets, key)
			}
		}
		if len(l.buckets) >= maxBuckets {
			clear(l.buckets)
		}
	}
	l.buckets[l.key(route, major)] = &bucket{remaining: remaining, reset: reset}
}

// refused counts an answer of status 401, 403 or 429.
func (l *limits) refused(route, major string, e *Error) {
	switch e.Status {
	case http.StatusUnauthorized, http.StatusForbidden, http.StatusTooManyRequests:
	default:
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.invalid++
	until := time.Now().Add(e.After)
	switch {
	case e.Status != http.StatusTooManyRequests:
	case e.Global || e.Code == 0 && e.Message == http.StatusText(e.Status): // of Cloudflare: it is for the address
		l.global = until
	default:
		l.buckets[l.key(route, major)] = &bucket{reset: until}
	}
}

// RetryAfter is how long an answer asks to wait.
func RetryAfter(h http.Header) time.Duration { return headerSeconds(h, "Retry-After") }

// headerSeconds reads a header of seconds, which may have a fraction.
func headerSeconds(h http.Header, name string) time.Duration {
	f, err := strconv.ParseFloat(h.Get(name), 64)
	if err != nil {
		return 0
	}
	return seconds(f)
}

// seconds is a length of time that Discord has given, between nothing and a day.
func seconds(f float64) time.Duration {
	if math.IsNaN(f) || f <= 0 {
		return 0
	}
	return time.Duration(min(f, 24*60*60) * float64(time.Second))
}
