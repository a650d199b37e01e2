package discord

import "sync"

// resume is what is kept to go on where a connection stopped.
type resume struct {
	Session string `json:"session"`
	Seq     int64  `json:"seq"`
	URL     string `json:"url"`
}

// progress is how far the gateway's events have come. An event is handed on without waiting
// until it is kept; where one was not, the point stays before it, so that it comes again.
type progress struct {
	mu     sync.Mutex
	point  resume
	ready  bool  // READY was seen in this process
	failed int64 // the first event that was not kept, 0 for none
	stuck  int64 // the event that could not be handled at last
	tries  int   // how often, in a row
}

// tryAgain reports whether an event that could not be handled is to come once more.
func (p *progress) tryAgain(seq int64) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.stuck != seq {
		p.stuck, p.tries = seq, 0
	}
	p.tries++
	return p.tries < maxTries
}

func (p *progress) resume() resume {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.point
}

// seq is the content of a heartbeat: the last number that came, nothing before the first one.
func (p *progress) seq() any {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.point.Seq == 0 {
		return nil
	}
	return p.point.Seq
}

// forget ends the session: the next connection begins a new one.
func (p *progress) forget() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.point, p.failed = resume{}, 0
}

func (p *progress) setURL(url string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.point.URL = url
}

// begin notes a new session; again reports that this process had one before.
func (p *progress) begin(session, url string) (again bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.point.Session, p.point.URL, p.failed = session, url, 0
	again, p.ready = p.ready, true
	return again
}

// advance notes an event and returns the position that is to be saved.
func (p *progress) advance(seq int64) resume {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.point.Seq = max(p.point.Seq, seq)
	return p.kept()
}

// fail notes an event that was not kept, and returns the position that is to be saved.
func (p *progress) fail(session string, seq int64) (resume, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if session != p.point.Session {
		return resume{}, false // of a session that is over: the history is read after it
	}
	if p.failed == 0 || seq < p.failed {
		p.failed = seq
	}
	return p.kept(), true
}

// rewind goes back to before the first event that was not kept, for the next connection.
func (p *progress) rewind() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.point, p.failed = p.kept(), 0
}

func (p *progress) kept() resume {
	point := p.point
	if p.failed > 0 {
		point.Seq = min(point.Seq, p.failed-1)
	}
	return point
}
