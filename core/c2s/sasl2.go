package c2s

import (
	"strings"

	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/sasl"
	"github.com/dragoman-im/dragoman/core/stanza"
	"github.com/dragoman-im/dragoman/core/stream"
)

// complete does what a client has asked for together with its login, and sends the success (XEP-0388 §2.6.1).
func (c *conn) complete(out sasl.Outcome) error {
	c.authenticated(*out.Identity)
	c.negotiation.client = out.Request.Agent.ID
	var results []*stanza.Element
	for _, x := range loginInlines() {
		e := out.Request.Element.Child(x.space, x.local)
		if e == nil {
			continue
		}
		result, then := x.perform(c, e)
		results = append(results, result)
		if then != nil {
			c.sendSuccess(out, c.session.jid, append(results, c.token(out)...))
			then()
			return nil
		}
	}
	bind := out.Request.Element.Child(nsBind2, "bind")
	if bind == nil {
		c.sendSuccess(out, c.who, append(results, c.token(out)...))
		c.sendFeatures()
		return nil
	}
	return c.bind2(out, bind, results)
}

func (c *conn) sendSuccess(out sasl.Outcome, who jid.JID, results []*stanza.Element) {
	if c.host.LoggedIn != nil {
		c.host.LoggedIn(*out.Identity, out.Request.Agent)
	}
	c.negotiation.dialogue = nil
	c.Append(func(dst []byte) []byte { return sasl.AppendSuccess(dst, out.Data, who, results...) })
}

// token returns the token that the client gets, if any (XEP-0484 §3.3). The login succeeds without it too.
func (c *conn) token(out sasl.Outcome) []*stanza.Element {
	token, err := c.host.SASL.Token(c.Context(), c.saslConn(), *out.Identity, out.Request)
	if err != nil {
		c.Log().Error("client gets no token", "err", err)
	}
	if token == nil {
		return nil
	}
	return []*stanza.Element{token}
}

// bind2 binds a session as part of a login (XEP-0386 §4.2).
func (c *conn) bind2(out sasl.Outcome, bind *stanza.Element, results []*stanza.Element) error {
	client := c.negotiation.client
	s, refusal := c.claim(c.resource2(client, bind.ChildText(nsBind2, "tag")), client)
	if refusal != nil {
		return bindError(refusal)
	}
	bound := stanza.NewElement(nsBind2, "bound")
	for _, x := range bindInlines() {
		if e := bind.Child(x.space, x.local); e != nil {
			if result := x.perform(c, s, e); result != nil {
				bound.Add(result)
			}
		}
	}
	bound.Add(s.port.Inline(c.Context(), bind)...)
	results = append(append(results, bound), c.token(out)...)
	c.establish(s, func() {
		c.sendSuccess(out, s.jid, results)
		c.sendFeatures()
	})
	return nil
}

// resource2 returns the resource of a client: its tag, and a part that is the same for each login of the same installation and does
// not reveal its id, or a random one (XEP-0386 §4.2.1).
func (c *conn) resource2(client, tag string) string {
	part := newID()
	if client != "" {
		part = c.host.SASL.ClientID(c.who, client, tag)
	}
	if tag = strings.TrimSpace(tag); tag == "" {
		return part
	}
	resource := tag + "/" + part
	if full, err := c.who.WithResource(resource); err != nil || !full.IsFull() {
		return part
	}
	return resource
}

// bindError returns the stream error for a session that cannot be bound: the specification has no other answer.
func bindError(e *stanza.Error) error {
	switch e.Condition {
	case "resource-constraint":
		return stream.NewError(stream.ResourceConstraint, e.Text)
	case "not-authorized":
		return stream.NewError(stream.NotAuthorized, e.Text)
	}
	return stream.NewError(stream.InternalServerError, "")
}
