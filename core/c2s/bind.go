package c2s

import (
	"context"
	"errors"

	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/router"
	"github.com/dragoman-im/dragoman/core/stanza"
	"github.com/dragoman-im/dragoman/core/stream"
)

// maxRenames is the number of further resources that are tried if the requested one is in use.
const maxRenames = 3

// beforeBind handles a stanza of a client that has logged in and not bound a session.
func (c *conn) beforeBind(it *stream.Item) error {
	st, err := it.Stanza()
	if err != nil {
		return stream.NewError(stream.NotAuthorized, "bind first")
	}
	own := st.To.IsZero() || st.To == c.who || st.To.String() == c.host.domain
	if st.Kind != stanza.IQ || !own {
		return stream.NewError(stream.NotAuthorized, "bind first") // RFC 6120 §7.1
	}
	if !st.IsRequest() {
		return nil
	}
	bind := st.Child(nsBind, "bind")
	if bind == nil || st.Type != stanza.TypeSet || st.ID == "" {
		c.refuse(st, stanza.NotAuthorized("bind first"))
		return nil
	}
	c.bind(st, bind.ChildText(nsBind, "resource"))
	return nil
}

func (c *conn) refuse(st *stanza.Stanza, e *stanza.Error) {
	if reply := st.ErrorReply(e); reply != nil {
		c.Send(reply)
	}
}

// bind binds a resource and answers the request (RFC 6120 §7.6, §7.7).
func (c *conn) bind(st *stanza.Stanza, resource string) {
	s, refusal := c.claim(resource, c.negotiation.client)
	if refusal != nil {
		c.refuse(st, refusal)
		return
	}
	result := st.Result(stanza.NewElement(nsBind, "bind").Add(stanza.TextElement(nsBind, "jid", s.jid.String())))
	c.establish(s, func() { c.Send(result) })
}

// establish attaches a session after an answer was sent, and ends the negotiation.
func (c *conn) establish(s *session, answer func()) {
	s.attach(c, answer)
	c.Establish()
	c.negotiation.bindings, c.negotiation.certificate = nil, nil
	c.AddLog("resource", s.jid.Resource())
	c.Log().Debug("session bound")
}

// claim binds a session with a resource; with "" the server chooses one. client is the id of the client, "" if that is unknown.
func (c *conn) claim(resource, client string) (*session, *stanza.Error) {
	for try := 0; ; try++ {
		name := resource
		if name == "" {
			name = newID() // RFC 6120 §7.6.1: it cannot be guessed
		}
		full, err := c.who.WithResource(name)
		if err != nil || !full.IsFull() {
			return nil, stanza.BadRequest("this resource cannot be used")
		}
		s, err := c.enter(full, client)
		if errors.Is(err, router.ErrTooMany) && c.server.evict(c.who) {
			s, err = c.enter(full, client)
		}
		switch {
		case err == nil:
			return s, nil
		case errors.Is(err, router.ErrConflict) && c.server.cfg.Conflict == Rename && try < maxRenames:
			resource = "" // RFC 6120 §7.7.2.2 case 1
		case errors.Is(err, router.ErrConflict):
			return nil, stanza.Conflict("this resource is in use")
		case errors.Is(err, router.ErrNoAccount):
			return nil, stanza.NotAuthorized("the account has been deleted")
		case errors.Is(err, router.ErrRevoked):
			return nil, stanza.NotAuthorized("the password has been changed")
		case errors.Is(err, router.ErrTooMany):
			c.server.Counters.Full.Add(1)
			return nil, stanza.ResourceConstraint("too many sessions of this account")
		default:
			c.Log().Error("session not bound", "err", err)
			return nil, stanza.InternalServerError()
		}
	}
}

func (c *conn) enter(full jid.JID, client string) (*session, error) {
	s := &session{server: c.server, host: c.host, jid: full, client: client}
	port, err := c.host.Router.Bind(c.Context(), s, router.BindOptions{
		// The resource of a client that is known is its own: an earlier session with it has lost its connection.
		Replace: c.server.cfg.Conflict == Replace || client != "", Client: client, Max: max(c.server.limits().Sessions, 0), Since: c.proof(),
		Revocation: c.negotiation.revocation,
	})
	s.port = port
	return s, err
}

// proof returns the BindOptions.Since of the connection. An account of this connection only began after the count was read.
func (c *conn) proof() *uint64 {
	if c.host.Temporary != nil {
		return nil
	}
	return &c.negotiation.removals
}

// Feature answers the requests for a session on a stream that has one.
func Feature() router.Feature {
	iq := map[string]router.IQHandler{nsSession: legacySession, nsBind: secondBind}
	return router.Feature{Name: "session", HostIQ: iq, AccountIQ: iq}
}

// legacySession answers the request that RFC 3921 clients send after binding. Nothing has to be done.
func legacySession(_ context.Context, q *router.IQ) (*stanza.Element, error) {
	if q.Stanza.Type != stanza.TypeSet || q.Session == nil || q.Account != nil && !q.Own() {
		return nil, stanza.ServiceUnavailable("")
	}
	return nil, nil
}

// secondBind refuses to bind twice on one stream (RFC 6120 §7.1).
func secondBind(_ context.Context, q *router.IQ) (*stanza.Element, error) {
	if q.Session == nil || q.Account != nil && !q.Own() {
		return nil, stanza.ServiceUnavailable("")
	}
	return nil, stanza.NotAllowed("a session is bound already")
}
