package demo

import (
	"context"
	"crypto/rand"
	"encoding/xml"

	"mellium.im/xmlstream"
	"mellium.im/xmpp/stanza"
)

// Namespaces of what the tour's client sends.
const (
	nsRoster  = "jabber:iq:roster"
	nsInfo    = "http://jabber.org/protocol/disco#info"
	nsItems   = "http://jabber.org/protocol/disco#items"
	nsCorrect = "urn:xmpp:message-correct:0"
	nsRetract = "urn:xmpp:message-retract:1"
	nsMUC     = "http://jabber.org/protocol/muc"
)

// outMessage is a message that the tour's client sends.
type outMessage struct {
	XMLName  xml.Name   `xml:"jabber:client message"`
	To       string     `xml:"to,attr"`
	ID       string     `xml:"id,attr"`
	Type     string     `xml:"type,attr"`
	Body     string     `xml:"body,omitempty"`
	Replaces *messageID `xml:"urn:xmpp:message-correct:0 replace"` // XEP-0308
	Retracts *messageID `xml:"urn:xmpp:message-retract:1 retract"` // XEP-0424
	Fallback *struct{}  `xml:"urn:xmpp:fallback:0 fallback"`       // XEP-0428
}

// messageID is an element that refers to a message by its id.
type messageID struct {
	ID string `xml:"id,attr"`
}

// outPresence is a presence that the tour's client sends.
type outPresence struct {
	XMLName xml.Name     `xml:"jabber:client presence"`
	To      string       `xml:"to,attr,omitempty"`
	Type    string       `xml:"type,attr,omitempty"`
	MUC     *joinRequest `xml:"http://jabber.org/protocol/muc x"` // XEP-0045
}

// joinRequest is the element of a presence by which a client joins a room (XEP-0045 §7.2).
type joinRequest struct {
	History struct {
		Stanzas int `xml:"maxstanzas,attr"`
	} `xml:"history"`
}

// contact is an item of the roster.
type contact struct {
	JID          string   `xml:"jid,attr"`
	Name         string   `xml:"name,attr"`
	Subscription string   `xml:"subscription,attr"`
	Groups       []string `xml:"group"`
}

// item is one item of service discovery.
type item struct {
	JID  string `xml:"jid,attr"`
	Node string `xml:"node,attr"`
	Name string `xml:"name,attr"`
}

// newID makes the id of a message.
func newID() string { return rand.Text() }

// roster requests the contacts (RFC 6121 §2.1.3).
func (c *client) roster(ctx context.Context) ([]contact, error) {
	var answer struct {
		Items []contact `xml:"jabber:iq:roster item"`
	}
	err := c.ask(ctx, stanza.GetIQ, "", query(nsRoster), &answer)
	return answer.Items, err
}

// items requests the service discovery items of an address (XEP-0030 §4).
func (c *client) items(ctx context.Context, at string) ([]item, error) {
	var answer struct {
		Items []item `xml:"http://jabber.org/protocol/disco#items item"`
	}
	err := c.ask(ctx, stanza.GetIQ, at, query(nsItems), &answer)
	return answer.Items, err
}

// answers returns nil if an address answers a service discovery request (XEP-0030 §3).
func (c *client) answers(ctx context.Context, at string) error {
	return c.ask(ctx, stanza.GetIQ, at, query(nsInfo), nil)
}

func query(space string) xml.TokenReader {
	return xmlstream.Wrap(nil, xml.StartElement{Name: xml.Name{Space: space, Local: "query"}})
}
