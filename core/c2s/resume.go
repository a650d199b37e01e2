package c2s

import (
	"context"
	"errors"
	"time"

	"github.com/dragoman-im/dragoman/core/resumption"
	"github.com/dragoman-im/dragoman/core/router"
	"github.com/dragoman-im/dragoman/core/stanza"
	"github.com/dragoman-im/dragoman/core/stream"
	"github.com/dragoman-im/dragoman/core/unacked"
)

// claimTime is how long a connection waits for the one whose session it resumes, or for another that resumes it too.
const claimTime = 5 * time.Second

// beforeBindManagement handles stream management of a client that has logged in and has no session.
func (c *conn) beforeBindManagement(it *stream.Item) error {
	if c.who.IsZero() || !it.Is(nsManagement, "resume") {
		return c.unexpected(it) // XEP-0198 §3: log in and bind first
	}
	e, err := it.Tree()
	if err != nil {
		return err
	}
	_, answer, attach, err := c.resuming(e)
	if err != nil {
		return err
	}
	if attach == nil {
		c.Append(func(dst []byte) []byte { return answer.Append(dst, "") })
		return nil
	}
	return attach(func(dst []byte) []byte { return answer.Append(dst, "") })
}

// resuming handles a request to resume a session, of a client that has logged in (XEP-0198 §5). It returns the answer, resumed or
// failed, and for resumed the session and a function that sends it: it appends what it is given, in which the answer is, and then what the
// client has not got. The caller calls it at once, or the session waits for claimTime. An error ends the stream.
func (c *conn) resuming(e *stanza.Element) (m *management, answer *stanza.Element, attach func(func(dst []byte) []byte) error, err error) {
	refuse := func(condition string, h *uint32) (*management, *stanza.Element, func(func([]byte) []byte) error, error) {
		c.server.Counters.ResumeFailed.Add(1)
		c.Log().Debug("session not resumed", "condition", condition)
		return nil, failed(condition, h), nil, nil
	}
	h, ok := stream.ParseCount(e.Attr("h"))
	if !ok || e.Attr("previd") == "" {
		return refuse("bad-request", nil)
	}
	id, ok := resumption.ParseID(e.Attr("previd"))
	if !ok {
		return refuse("item-not-found", nil)
	}
	m, handled := c.server.sessions.find(id, c.who)
	if m == nil && handled == nil {
		m, err = c.restore(id, h)
		if err != nil {
			c.Log().Error("session not restored", "err", err)
			return refuse("internal-server-error", nil)
		}
	}
	if m == nil {
		return refuse("item-not-found", handled)
	}
	if !m.take(c.Context()) {
		return refuse("resource-constraint", nil)
	}
	n, err := m.prepare(c.Context(), h)
	switch {
	case errors.Is(err, errSessionEnded):
		m.release()
		return refuse("item-not-found", nil)
	case err != nil:
		m.release()
		if _, ok := errors.AsType[*stream.Error](err); ok {
			return nil, nil, nil, err
		}
		c.Log().Error("session not resumed", "err", err)
		return refuse("internal-server-error", nil)
	}
	answer = stanza.NewElement(nsManagement, "resumed").With("previd", e.Attr("previd")).With("h", formatCount(n))
	return m, answer, func(f func([]byte) []byte) error { return c.attachResumed(m, n, f) }, nil
}

var errSessionEnded = errors.New("the session has ended")

// take waits until no other connection resumes the session, and until the one that it is on has left it. The caller must release it.
func (m *management) take(ctx context.Context) bool {
	ctx, cancel := context.WithTimeout(ctx, claimTime)
	defer cancel()
	select {
	case m.claim <- struct{}{}:
	case <-ctx.Done():
		return false
	}
	if old := m.session.conn.Load(); old != nil {
		old.Stop(errReplaced) // XEP-0198 §5
	}
	m.resumed.mu.Lock()
	gone := m.resumed.gone
	m.resumed.mu.Unlock()
	select {
	case <-gone:
		return true
	case <-ctx.Done():
		m.release()
		return false
	}
}

func (m *management) release() { <-m.claim }

// prepare applies the client's h, and returns how many of its stanzas are handled; that is stored then.
func (m *management) prepare(ctx context.Context, h uint32) (n uint32, err error) {
	s := m.session
	s.mu.Lock()
	over := s.finishing || s.ended || s.closing != nil
	s.mu.Unlock()
	if over {
		return 0, errSessionEnded
	}
	if err := m.acknowledged(h); err != nil {
		return 0, err
	}
	handled := m.handled.Load()
	if settled := handled.Settled(); settled != nil {
		select {
		case <-settled:
		case <-time.After(settleTime): // the client sends again what is not committed
		}
	}
	n, saved := handled.Count()
	if n == saved || !m.stored() {
		return n, nil
	}
	result := make(chan error, 1)
	m.save(n, func(err error) { result <- err })
	select {
	case err := <-result:
		return n, err
	case <-ctx.Done():
		return n, ctx.Err()
	}
}

// resumeInline resumes a session together with the login (XEP-0198 §9.2): see loginInline.
func (c *conn) resumeInline(e *stanza.Element) (result *stanza.Element, then func()) {
	m, answer, attach, err := c.resuming(e)
	switch {
	case err != nil:
		c.Stop(err)
		return failed("undefined-condition", nil), nil
	case attach == nil:
		return answer, nil
	}
	c.session = m.session
	return answer, func() {
		if err := attach(func(dst []byte) []byte { return dst }); err != nil {
			c.Stop(err)
		}
	}
}

// attachResumed makes the connection that of the session, and sends what the client has not got.
func (c *conn) attachResumed(m *management, n uint32, answer func(dst []byte) []byte) error {
	defer m.release()
	s := m.session
	stamp := func(u unacked.Stanza) *stanza.Stanza { return delayed(u.Stanza, s, u.At) }
	s.mu.Lock()
	if s.finishing || s.ended || s.closing != nil {
		s.mu.Unlock()
		c.session = nil
		return stream.NewError(stream.Conflict, "the session has ended")
	}
	c.count(m, n, n)
	m.resumed.mu.Lock()
	m.resumed.gone, m.resumed.detached = make(chan struct{}), time.Time{}
	m.resumed.mu.Unlock()
	m.full.Store(false)         // detach finds out again
	m.used.begin = m.out.Last() // the features know of what came before
	m.out.Change(stamp)
	c.session = s
	c.Queue().Resume(m.out, answer)
	s.conn.Store(c)
	s.mu.Unlock()
	c.server.sessions.attach(m)
	m.timer.Reset(unacked.AckWait)
	c.Establish()
	c.negotiation.bindings, c.negotiation.certificate = nil, nil
	c.server.Counters.Resumed.Add(1)
	c.server.Counters.Detached.Add(-1)
	c.AddLog("resource", s.jid.Resource())
	c.Log().Debug("session resumed")
	login := router.Login{Since: c.negotiation.removals, Revocation: c.negotiation.revocation}
	if c.host.Router.Revoked(c.who, s.client, login) || c.host.Router.Revoked(c.who, c.negotiation.client, login) {
		return stream.NewError(stream.NotAuthorized, "the password has been changed")
	}
	return nil
}
