package fake

import (
	"context"
	"net/http"
	"time"
)

// Action is how a request goes wrong; the functions that return one are the kinds.
type Action struct {
	kind    actionKind
	status  int
	code    int
	message string
	wait    time.Duration
}

type actionKind int

const (
	answers actionKind = iota
	limits
	limitsAll
	breaks
	hangs
	loses
	holds
)

// Answer refuses with an HTTP status and a JSON error code.
func Answer(status, code int, message string) Action {
	return Action{kind: answers, status: status, code: code, message: message}
}

// RateLimit answers 429 although the bucket's headers left room.
func RateLimit(wait time.Duration) Action { return Action{kind: limits, wait: wait} }

// GlobalRateLimit answers 429 for all routes at once.
func GlobalRateLimit(wait time.Duration) Action { return Action{kind: limitsAll, wait: wait} }

// Broken answers with a 5xx and a page that is no JSON.
func Broken(status int) Action { return Action{kind: breaks, status: status} }

// Hang does nothing with the request until Release, the client or Close ends it.
func Hang() Action { return Action{kind: hangs} }

// LoseReply does what was asked and then cuts the connection without an answer.
func LoseReply() Action { return Action{kind: loses} }

// HoldReply does what was asked and answers only after Release, so that the event of a
// message arrives before the answer of the call that made it.
func HoldReply() Action { return Action{kind: holds} }

// Injection is one order to misbehave.
type Injection struct {
	s        *Server
	route    string
	left     int // -1: no end
	action   Action
	hits     int
	released chan struct{}
	free     bool
}

type faults struct{ list []*Injection }

// Inject orders a misbehaviour for a number of requests (-1: until Remove) of a route, such
// as "POST /channels/{channel_id}/messages", or of "" for all. The oldest order that fits
// is obeyed.
func (s *Server) Inject(route string, times int, action Action) *Injection {
	s.mu.Lock()
	defer s.mu.Unlock()
	i := &Injection{s: s, route: route, left: times, action: action, released: make(chan struct{})}
	s.faults.list = append(s.faults.list, i)
	return i
}

// faultFor takes the order that a request falls under. It takes the lock.
func (s *Server) faultFor(method string, r *route) *Injection {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, i := range s.faults.list {
		if i.left == 0 || i.route != "" && i.route != method+" "+r.pattern {
			continue
		}
		if i.left > 0 {
			i.left--
		}
		i.hits++
		s.touch()
		return i
	}
	return nil
}

// Hits is how many requests fell under the order.
func (i *Injection) Hits() int {
	i.s.mu.Lock()
	defer i.s.mu.Unlock()
	return i.hits
}

// Wait returns when n requests fell under the order.
func (i *Injection) Wait(ctx context.Context, n int) error {
	return i.s.wait(ctx, func() bool { return i.hits >= n })
}

// Remove ends the order for the requests to come.
func (i *Injection) Remove() {
	i.s.mu.Lock()
	defer i.s.mu.Unlock()
	i.left = 0
}

// Release lets the requests go on that Hang or HoldReply keep; also those to come.
func (i *Injection) Release() {
	i.s.mu.Lock()
	defer i.s.mu.Unlock()
	if !i.free {
		i.free = true
		close(i.released)
	}
}

// before reports whether the request is not even looked at.
func (i *Injection) before() bool { return i.action.kind != loses && i.action.kind != holds }

// answer is the reply that a fault gives instead of carrying out the request.
func (i *Injection) answer(x *exchange) (int, any) {
	switch i.action.kind {
	case limits:
		h := x.w.Header()
		h.Set("X-RateLimit-Limit", "5")
		h.Set("X-RateLimit-Remaining", "4")
		h.Set("X-RateLimit-Reset-After", "1.000")
		h.Set("X-RateLimit-Reset", seconds(float64(x.s.now().UnixMilli())/1000+1))
		h.Set("X-RateLimit-Bucket", bucketName(x.route))
		return x.tooMany(i.action.wait, false, "shared")
	case limitsAll:
		return x.tooMany(i.action.wait, true, "global")
	case breaks:
		x.w.Header().Set("Content-Type", "text/html")
		return i.action.status, []byte("<html><body><h1>" + http.StatusText(i.action.status) + "</h1></body></html>")
	case hangs:
		if !i.hold(x.s, x.r) {
			panic(http.ErrAbortHandler)
		}
		x.w.Header().Set("Content-Type", "text/html")
		return http.StatusGatewayTimeout, []byte("<html></html>")
	}
	return i.action.status, obj{"code": i.action.code, "message": i.action.message}
}

// after keeps or loses the answer of a request that was done; false means lost.
func (i *Injection) after(s *Server, r *http.Request) bool {
	return i.action.kind == holds && i.hold(s, r)
}

// hold waits for Release; false where the client or the server went away first.
func (i *Injection) hold(s *Server, r *http.Request) bool {
	select {
	case <-i.released:
		return true
	case <-r.Context().Done():
	case <-s.done:
	}
	return false
}
