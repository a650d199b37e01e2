package bosh

import (
	"crypto/rand"
	"sync"
	"time"

	"github.com/dragoman-im/dragoman/core/stream"
)

// Sessions are the sessions of a server. The zero value is ready for use.
type Sessions struct {
	mu   sync.Mutex
	byID map[string]*Session
}

// Create makes the session that a request asks for, which is then the first one for Do. before is how many bytes an element may have before
// the client has logged in; secure is whether nobody can read the request on its way.
func (s *Sessions) Create(r *Request, before int, secure bool) *Session {
	x := &Session{
		Secure:   secure,
		id:       rand.Text(), // 128 bits: XEP-0124 §19.3
		settings: settingsFor(&r.Creation),
		in:       input{wake: make(chan struct{}, 1), max: before}, out: output{room: make(chan struct{}, 1), created: true},
		order: order{last: r.RID - 1, first: r.RID, early: map[int64]*waiting{}}, quiet: time.Now(), pause: -1,
	}
	x.remove = func() { s.remove(x) }
	x.timer = time.AfterFunc(maxWait, x.fire)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.byID == nil {
		s.byID = map[string]*Session{}
	}
	s.byID[x.id] = x
	return x
}

// Find returns the session with an identifier, nil if there is none.
func (s *Sessions) Find(id string) *Session {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.byID[id]
}

func (s *Sessions) remove(x *Session) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.byID, x.id)
}

// Len returns how many sessions there are, those included that have ended and whose client may ask for the last answer again.
func (s *Sessions) Len() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.byID)
}

var _ stream.FrameTransport = (*Session)(nil)
