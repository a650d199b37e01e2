package c2s

import (
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/dragoman-im/dragoman/core/resumption"
	"github.com/dragoman-im/dragoman/core/stanza"
	"github.com/dragoman-im/dragoman/core/stream"
	"github.com/dragoman-im/dragoman/core/unacked"
)

const (
	nsManagement = stream.NSManagement

	// askWait is how long a stanza may wait for others before an acknowledgement of it is requested.
	askWait = 2 * time.Second
	// progressWait is how long an acknowledgement by the client may not be stored.
	progressWait = 5 * time.Second
	// replayMargin is how long a message may take from its archive to its session. What was archived in such a time before
	// the last acknowledgement is sent again after a crash.
	replayMargin = 2 * time.Second
)

var errUnacked = stream.NewError(stream.PolicyViolation, "too many stanzas are not acknowledged")

// errNotStored ends a stream on which stanzas cannot be acknowledged. The session is kept: the client sends them again.
var errNotStored = stream.NewError(stream.ResourceConstraint, "messages cannot be stored at the moment: try again later")

// management is the state of a session with stream management (XEP-0198). Its fields besides those below mu do not change.
type management struct {
	session *session
	out     *unacked.List
	id      resumption.ID // zero if the session cannot be resumed
	max     time.Duration // for which it can be
	floor   time.Time     // what was archived before it and is not acknowledged is stored
	keeper  resumption.Keeper
	timer   *time.Timer
	claim   chan struct{} // holds one value while a connection resumes the session
	handled atomic.Pointer[resumption.Handled]
	saving  atomic.Bool // the facts are about to be stored
	closed  atomic.Bool // it is not stored any more
	full    atomic.Bool // ends the session at the next call of Expire
	used    usedPart
	resumed resumedState
}

// usedPart tells which stanzas were delivered to a client in use, by their numbers: those after begin, and while the client is inactive, not
// those after end. The features have been told of the others when they were delivered. The session's lock is held.
type usedPart struct{ begin, end uint32 }

// resumedState is what changes when a session is detached and resumed.
type resumedState struct {
	mu       sync.Mutex
	gone     chan struct{} // closed when the connection has left the session
	detached time.Time     // zero while a connection is attached
	progress time.Time     // when it was stored last
	kept     []keptStanza  // stored, by number
	replayed map[string]struct{}
}

type keptStanza struct {
	number uint32
	id     string
}

// newManagement returns the state of a session on which the client has acknowledged acked stanzas.
func newManagement(s *session, acked uint32) *management {
	l := s.server.limits()
	m := &management{session: s, keeper: resumption.NewKeeper(s.jid.Bare()), claim: make(chan struct{}, 1)}
	m.out = unacked.New(acked, unacked.Limits{Stanzas: l.Unacked, Bytes: l.UnackedBytes}, unacked.Hooks{
		Added: m.added, Full: m.overflow, Unasked: func() { m.timer.Reset(askWait) },
	})
	m.timer = time.AfterFunc(time.Hour, m.ask)
	m.timer.Stop()
	m.resumed.gone = make(chan struct{})
	return m
}

// resumable reports whether the session can be resumed.
func (m *management) resumable() bool { return !m.id.IsZero() }

// stored reports whether the session is stored.
func (m *management) stored() bool { return m.resumable() && m.session.server.cfg.Sessions != nil }

// enable handles the request to enable stream management (XEP-0198 §3).
func (c *conn) enable(it *stream.Item) error {
	s := c.session
	if s.management.Load() != nil {
		c.failed("unexpected-request", nil)
		return stream.NewError(stream.PolicyViolation, "stream management is enabled already") // XEP-0198 §3
	}
	e, err := it.Tree()
	if err != nil {
		return err
	}
	m, answer := c.enabling(s, e)
	text := func(dst []byte) []byte { return answer.Append(dst, "") }
	if m == nil {
		c.Append(text)
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	c.manage(s, m, text)
	return nil
}

// enabling returns the answer to a request to enable stream management, enabled or failed, and for enabled the state that manage
// begins with when the answer is sent.
func (c *conn) enabling(s *session, e *stanza.Element) (m *management, answer *stanza.Element) {
	wants, bad := parseBoolean(e.Attr("resume"))
	wait, err := parseMax(e.Attr("max"))
	if bad || err != nil {
		return nil, failed("bad-request", nil)
	}
	m = newManagement(s, 0)
	answer = stanza.NewElement(nsManagement, "enabled")
	if l := c.server.limits(); wants && l.Resume > 0 && c.host.Temporary == nil {
		m.max = l.Resume
		if wait > 0 {
			m.max = min(m.max, wait)
		}
		id, text := resumption.NewID()
		m.id = id
		answer.With("id", text).With("resume", "true").With("max", strconv.Itoa(int(m.max/time.Second)))
		if at := c.server.cfg.Location; at != "" {
			answer.With("location", at)
		}
	}
	return m, answer
}

// enableInline enables stream management together with binding (XEP-0198 §9.1): see bindInline. attach begins to count.
func (c *conn) enableInline(s *session, e *stanza.Element) *stanza.Element {
	m, answer := c.enabling(s, e)
	c.negotiation.enabling = m
	return answer
}

// manage begins to count. The caller holds the session's lock.
func (c *conn) manage(s *session, m *management, answer func(dst []byte) []byte) {
	c.count(m, 0, 0)
	s.management.Store(m)
	c.Queue().Manage(m.out, answer)
	if m.resumable() {
		c.server.sessions.add(s, m)
		m.FactsChanged()
	}
}

// parseBoolean reads an XML boolean (XEP-0198 §3).
func parseBoolean(text string) (value, bad bool) {
	switch strings.TrimSpace(text) {
	case "true", "1":
		return true, false
	case "false", "0", "":
		return false, false
	}
	return false, true
}

// parseMax reads how long the client wants to be able to resume; 0 is not said.
func parseMax(text string) (time.Duration, error) {
	if text == "" {
		return 0, nil
	}
	n, err := strconv.ParseUint(strings.TrimSpace(text), 10, 31)
	return time.Duration(n) * time.Second, err
}

// failed returns the answer to a request that cannot be fulfilled (XEP-0198 §6); h, which may be nil, is the number of stanzas that the
// session had handled.
func failed(condition string, h *uint32) *stanza.Element {
	e := stanza.NewElement(nsManagement, "failed")
	if h != nil {
		e.With("h", formatCount(*h))
	}
	return e.Add(stanza.NewElement(stanza.NSStanzas, condition))
}

func (c *conn) failed(condition string, h *uint32) {
	answer := failed(condition, h)
	c.Append(func(dst []byte) []byte { return answer.Append(dst, "") })
}

func formatCount(n uint32) string { return strconv.FormatUint(uint64(n), 10) }

// unexpected answers an element that does not belong where it comes (XEP-0198 §3).
func (c *conn) unexpected(*stream.Item) error {
	c.failed("unexpected-request", nil)
	return nil
}
