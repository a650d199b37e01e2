package bosh

import (
	"context"
	"crypto/sha1" //nolint:gosec // XEP-0124 §15.3 names it; it protects what could be read anyway
	"crypto/subtle"
	"encoding/hex"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/dragoman-im/dragoman/core/stream/version"
)

// What sessions are offered (XEP-0124 §7.2).
const (
	maxWait      = 60 * time.Second
	maxHold      = 1
	inactivity   = 60 * time.Second
	maxPause     = 120 * time.Second
	pollInterval = 2 * time.Second
)

// ourVersion is the version of BOSH (XEP-0124 §7.1).
var ourVersion = version.Version{Major: 1, Minor: 11}

// maxRepeats limits how often one request is made again (XEP-0124 §14.3).
const maxRepeats = 20

// settings are what a client and this server have agreed on.
type settings struct {
	wait, inactivity time.Duration
	hold, requests   int
	contentType      string
	version          string
	legacy           bool // the client knows status codes of HTTP instead of conditions
}

func settingsFor(c *Creation) settings {
	set := settings{wait: maxWait, hold: maxHold, inactivity: inactivity, contentType: c.ContentType, version: commonVersion(c.Version)}
	set.legacy = c.Version == ""
	if set.contentType == "" {
		set.contentType = defaultType
	}
	if c.Wait >= 0 {
		set.wait = min(set.wait, time.Duration(c.Wait)*time.Second)
	}
	if c.Hold >= 0 {
		set.hold = min(set.hold, c.Hold)
	}
	if set.wait == 0 || set.hold == 0 { // XEP-0124 §12
		set.wait, set.hold, set.inactivity = 0, 0, inactivity+2*pollInterval
	}
	set.requests = set.hold + 1
	return set
}

// commonVersion returns the lower of ours and what a client has sent, "" if that is no version.
func commonVersion(sent string) string {
	v, ok := version.Parse(sent)
	switch {
	case sent == "" || !ok:
		return ""
	case v.Less(ourVersion):
		return v.String()
	}
	return ourVersion.String()
}

// Session is one session. Any goroutine may call its methods.
type Session struct {
	Secure bool // nobody could read the first request on its way; requests that others can read are refused then (XEP-0124 §19.1)

	id       string
	settings settings
	remove   func() // from the sessions of the server; without the lock

	mu    sync.Mutex
	in    input
	out   output
	order order
	quiet time.Time     // since when no request waits; only while that is so
	pause time.Duration // that the client has asked for; below zero: none
	timer *time.Timer
	over  bool   // the stream has ended: the next answer that is given is the last one, and says so
	final bool   // the last answer was given, or there is nobody to give it to
	why   string // the condition in the last answer
}

// order is the state of the requests.
type order struct {
	first, last int64              // rid of the first one, and of the last one whose elements were taken
	early       map[int64]*waiting // that came before others with a lower rid
	held        []*waiting         // that are not answered, in order
	given       []given            // the latest answers, for requests that are repeated
	chain       string             // what the hash of the next key must be; "": there are no keys
	polled      time.Time          // when the last request came, if it asked for nothing and got nothing
}

// waiting is a request that is not answered.
type waiting struct {
	request *Request
	answer  chan Answer
	until   time.Time
	gone    bool // its connection has ended
}

// given is an answer that may be asked for again.
type given struct {
	request *Request
	answer  Answer
	repeats int
}

// BodyLimit returns how many bytes the body of a request may have.
func (s *Session) BodyLimit() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return BodyLimit(s.in.max)
}

// BodyLimit is how many bytes the body of a request may have where an element may have so many.
func BodyLimit(element int) int { return 2*element + 4096 }

// Do takes a request and returns the answer when there is one. The end of ctx means that the client's connection has ended: the
// answer has no body then, and the client may make the request again.
func (s *Session) Do(ctx context.Context, r *Request) Answer {
	w := &waiting{request: r, answer: make(chan Answer, 1)}
	s.mu.Lock()
	s.accept(w)
	s.mu.Unlock()
	select {
	case a := <-w.answer:
		return a
	case <-ctx.Done():
	}
	s.mu.Lock()
	w.gone = true
	if !s.live() {
		s.quiet = time.Now()
	}
	s.rearm()
	s.mu.Unlock()
	return Answer{}
}

// Refuse ends the session because of a request that cannot be read.
func (s *Session) Refuse(condition string) Answer {
	w := &waiting{answer: make(chan Answer, 1)}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.fail(w, condition)
	return <-w.answer
}

// accept takes a request: now, or when those before it have come (XEP-0124 §14.2).
func (s *Session) accept(w *waiting) {
	o := &s.order
	window := int64(s.settings.requests)
	if w.request.Terminate || w.request.Pause >= 0 {
		window++ // XEP-0124 §11
	}
	switch rid := w.request.RID; {
	case rid <= o.last && rid >= o.first:
		s.repeat(w)
	case s.final:
		w.answer <- s.compose(answer{terminate: true, condition: NotFound}, nil)
		return
	case rid > o.last+window || rid < o.first:
		s.fail(w, NotFound)
	default:
		if older := o.early[rid]; older != nil {
			older.answer <- s.compose(answer{recoverable: true}, nil)
		}
		o.early[rid] = w
		for next := o.early[o.last+1]; next != nil && !s.final; next = o.early[o.last+1] {
			o.last++
			delete(o.early, o.last)
			s.begin(next)
		}
	}
	s.settle()
}

// begin takes the elements of the request whose turn it is.
func (s *Session) begin(w *waiting) {
	r, now := w.request, time.Now()
	special := r.Terminate || r.Pause >= 0
	empty := len(r.payloads) == 0 && !special && !r.Restart && r.RID != s.order.first
	switch {
	case !s.hasKey(r.Keys):
		s.fail(w, NotFound)
		return
	case empty && s.settings.hold == 0 && now.Sub(s.order.polled) < pollInterval, // XEP-0124 §12
		s.tooMany(special), time.Duration(r.Pause)*time.Second > maxPause:
		s.fail(w, PolicyViolation)
		return
	}
	s.order.polled = time.Time{}
	if empty {
		s.order.polled = now
	}
	s.pause = time.Duration(r.Pause) * time.Second
	s.forward(r)
	w.until = now.Add(s.settings.wait)
	s.order.held = append(s.order.held, w)
}

// tooMany reports whether one more request is more than the client may make at once (XEP-0124 §11).
func (s *Session) tooMany(special bool) bool {
	limit := s.settings.requests
	if special {
		limit++
	}
	return len(s.order.held) >= limit
}

// hasKey checks the key of a request, if the session has keys (XEP-0124 §15.4).
func (s *Session) hasKey(k Keys) bool {
	expected := s.order.chain
	s.order.chain = strings.ToLower(k.Key)
	if k.New != "" {
		s.order.chain = strings.ToLower(k.New)
	}
	if expected == "" {
		return true
	}
	sum := sha1.Sum([]byte(k.Key)) //nolint:gosec // see the import
	return subtle.ConstantTimeCompare([]byte(hex.EncodeToString(sum[:])), []byte(expected)) == 1
}

// repeat handles a request that the client makes again because its connection was lost (XEP-0124 §14.3).
func (s *Session) repeat(w *waiting) {
	o := &s.order
	same := func(r *Request) bool {
		return r.RID == w.request.RID && (o.chain == "" || r.sum == w.request.sum)
	}
	if i := slices.IndexFunc(o.held, func(h *waiting) bool { return same(h.request) }); i >= 0 {
		o.held[i].answer <- s.compose(answer{recoverable: true}, nil)
		w.until = time.Now().Add(s.settings.wait)
		o.held[i] = w
		return
	}
	i := slices.IndexFunc(o.given, func(g given) bool { return same(g.request) })
	switch {
	case i < 0:
		s.fail(w, NotFound)
	case o.given[i].repeats >= maxRepeats:
		s.fail(w, PolicyViolation)
	default:
		o.given[i].repeats++
		if !s.live() {
			s.quiet = time.Now()
		}
		w.answer <- o.given[i].answer
	}
}

// settle answers the requests that are not to wait any longer.
func (s *Session) settle() {
	defer s.rearm()
	o := &s.order
	if s.over {
		s.finish()
		return
	}
	for len(o.held) > 0 && !s.blocked() {
		w := o.held[0]
		pausing := w.request.Pause >= 0
		switch {
		case len(s.out.payloads) > 0 && !pausing && (!w.gone || len(o.held) > 1):
			s.answerOldest(answer{}, true)
		case len(o.held) > s.settings.hold || s.pause >= 0:
			s.answerOldest(answer{}, false)
		default:
			return
		}
	}
}

// answerOldest answers the request that has waited longest; payloads: with what the stream has written.
func (s *Session) answerOldest(a answer, payloads bool) {
	o := &s.order
	w := o.held[0]
	o.held = o.held[1:]
	a.created, s.out.created = s.out.created, false
	a.header, s.out.header = s.out.header, nil
	var out []byte
	if payloads && len(s.out.payloads) > 0 {
		out = s.out.take()
		o.polled = time.Time{}
	}
	answer := s.compose(a, out)
	if w.request.Pause < 0 { // XEP-0124 §14.3
		if o.given = append(o.given, given{request: w.request.answered(), answer: answer}); len(o.given) > s.settings.requests {
			o.given = slices.Delete(o.given, 0, 1)
		}
	}
	w.answer <- answer
	if !s.live() {
		s.quiet = time.Now()
	}
}

// answered returns what is needed of a request to know it again.
func (r *Request) answered() *Request { return &Request{RID: r.RID, sum: r.sum} }

// finish gives the last answer to the oldest request, and empty ones to the others (XEP-0124 §13). Without a request it waits for the next.
func (s *Session) finish() {
	for len(s.order.held) > 0 {
		if !s.final {
			s.final = true
			s.answerOldest(answer{terminate: true, condition: s.why}, true)
		} else {
			s.answerOldest(answer{}, false)
		}
	}
	if s.final {
		s.release(answer{})
	}
}

// release answers the requests whose turn does not come any more.
func (s *Session) release(a answer) {
	for rid, w := range s.order.early {
		delete(s.order.early, rid)
		w.answer <- s.compose(a, nil)
	}
}

// fail ends the session because of a request (XEP-0124 §17.2).
func (s *Session) fail(w *waiting, condition string) {
	w.answer <- s.compose(answer{terminate: true, condition: condition}, nil)
	s.over, s.final = true, true
	for _, other := range s.order.held {
		if other != w {
			other.answer <- s.compose(answer{terminate: true, condition: OtherRequest}, nil)
		}
	}
	s.order.held, s.order.given = nil, nil
	s.release(answer{terminate: true, condition: OtherRequest})
	s.in.end()
	s.out.signal()
	s.rearm()
}

// live reports whether a request waits whose connection is there.
func (s *Session) live() bool {
	return slices.ContainsFunc(s.order.held, func(w *waiting) bool { return !w.gone })
}
