package s2s

import (
	"errors"
	"sync"
	"time"

	"github.com/dragoman-im/dragoman/core/s2s/dialback"
	"github.com/dragoman-im/dragoman/core/stream"
)

// errVerified ends a connection that was opened to verify a key.
var errVerified = errors.New("verified")

// verifyID identifies a verification (XEP-0220 §2.1.2).
type verifyID struct {
	pair pair
	id   string // of the stream on which the key came
}

// verification is a dialback key that a peer has sent.
type verification struct {
	verifyID
	key string
}

// request returns the question for the server of the domain (XEP-0220 §2.1.2).
func (v *verification) request() dialback.Element {
	return dialback.Element{Name: "verify", From: v.pair.ours, To: v.pair.theirs, ID: v.id, Key: v.key}
}

// verify asks the server of the domain whether it has made a key. done is called once, by any goroutine; it must not block.
func (s *Server) verify(v verification, done func(outcome)) {
	r := &request{verify: v, done: done}
	if o := s.directory.find(v.pair.theirs); o != nil && o.ask(r) {
		return
	}
	domains := &s.opening.domains
	if !domains.Enter(v.pair.theirs, maxOneDomain) { // or others could make us flood it with connections
		s.Counters.LimitCounters.Crowded.Add(1)
		done(outcome{condition: dialback.NoResources})
		return
	}
	r.done = func(o outcome) {
		domains.Leave(v.pair.theirs)
		done(o)
	}
	o := &outConn{server: s, pair: v.pair}
	o.shared.verifies = map[verifyID]*request{v.verifyID: r}
	s.open(o, &s.opening.verifications, maxVerifications)
}

// ask sends the question on this connection; false if that cannot be.
func (o *outConn) ask(r *request) bool {
	o.shared.mu.Lock()
	if !o.shared.ready || o.shared.ended || o.shared.verifies[r.verify.verifyID] != nil {
		o.shared.mu.Unlock()
		return false
	}
	if o.shared.verifies == nil {
		o.shared.verifies = map[verifyID]*request{}
	}
	r.until = time.Now().Add(stepWait)
	o.shared.verifies[r.verify.verifyID] = r
	d := r.verify.request()
	o.shared.mu.Unlock()
	o.Append(d.Append)
	o.Queue().Flush()
	return true
}

// verifyAnswered handles the answer to the question about a key. One that was not asked for is ignored (CVE-2012-3525).
func (o *outConn) verifyAnswered(it *stream.Item) error {
	d, err := dialback.Read(it)
	if err != nil {
		return err
	}
	id := verifyID{pair{ours: d.To, theirs: d.From}, d.ID}
	o.shared.mu.Lock()
	r := o.shared.verifies[id]
	if d.Type != "" {
		delete(o.shared.verifies, id)
	}
	idle := len(o.shared.verifies)+len(o.shared.asked)+len(o.shared.carried) == 0
	o.shared.ended = o.shared.ended || idle && r != nil && d.Type != "" // the stream ends below: what is asked from here on goes to another one
	o.shared.mu.Unlock()
	if r == nil || d.Type == "" {
		o.Log().Warn("answer about a dialback key that was not asked for", "pair", id.pair)
		return nil
	}
	switch d.Type {
	case dialback.TypeValid:
		r.done(outcome{valid: true})
	case dialback.TypeInvalid:
		r.done(outcome{})
	default:
		r.done(outcome{condition: verificationError(dialbackError{d.Condition}, true)})
	}
	if idle {
		return o.giveUp(errVerified)
	}
	return nil
}

// expire fails the requests that were sent on a connection in use and are not answered.
func (o *outConn) expire(now time.Time) {
	late := func(r *request) bool { return !r.until.IsZero() && now.After(r.until) }
	var list []*request
	o.shared.mu.Lock()
	for p, r := range o.shared.asked {
		if late(r) {
			delete(o.shared.asked, p)
			list = append(list, r)
		}
	}
	for id, r := range o.shared.verifies {
		if late(r) {
			delete(o.shared.verifies, id)
			list = append(list, r)
		}
	}
	o.shared.mu.Unlock()
	for _, r := range list {
		if r.link != nil {
			r.link.failed(errLate)
		} else {
			r.done(outcome{condition: verificationError(stream.ErrSilent, true)})
		}
	}
}

// outcome is the result of a verification: valid, or the condition of the dialback error (XEP-0220 §2.4.2).
type outcome struct {
	valid     bool
	condition string // "" with valid, and for an invalid key
}

// result is the outcome of the verification for a pair of an incoming connection.
type result struct {
	pair    pair
	outcome outcome
}

// results are those that the goroutine of an incoming connection has not handled yet.
type results struct {
	mu   sync.Mutex
	list []result
}

func (r *results) add(one result) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.list = append(r.list, one)
}

func (r *results) take() (list []result) {
	r.mu.Lock()
	defer r.mu.Unlock()
	list, r.list = r.list, nil
	return list
}
