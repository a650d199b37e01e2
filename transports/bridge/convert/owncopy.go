package convert

import (
	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/stanza"
)

// OwnCopy is a message that somebody wrote to a contact with the network's own client.
type OwnCopy struct {
	Owner, Contact jid.JID // bare
	ID             string
	Content        []*stanza.Element
}

// Marked is the copy as a message from the contact, whose body says who wrote it.
func (c OwnCopy) Marked() *stanza.Stanza {
	for _, e := range c.Content {
		if e != nil && e.Is("", "body") {
			e.Nodes = []stanza.Node{{Text: "[you] " + e.Text()}}
		}
	}
	return chatMessage(c.Owner, c.Contact, c.ID, c.Content)
}

// Privileged is the copy as a carbon (XEP-0280 §6) that the owner's server sends, by XEP-0356 §4.3. space
// is the namespace of privileges that this server knows.
func (c OwnCopy) Privileged(gateway jid.JID, space string) *stanza.Stanza {
	inner := stanza.NewElement(stanza.NSClient, "message").With("from", c.Owner.String()).With("to", c.Contact.String()).
		With("id", c.ID).With("type", stanza.TypeChat).Add(c.Content...)
	sent := stanza.NewElement(NSCarbons, "sent").Add(stanza.NewElement(NSForward, "forwarded").Add(inner))
	outer := stanza.NewElement(stanza.NSClient, "message").With("from", c.Owner.String()).With("to", c.Owner.String()).
		With("id", Hash(c.ID, "carbon")).With("type", stanza.TypeChat).Add(sent)
	wrapped := stanza.NewElement(space, "privilege").Add(stanza.NewElement(NSForward, "forwarded").Add(outer))
	return &stanza.Stanza{Kind: stanza.Message, To: c.Owner.Host(), From: gateway, ID: c.ID, Payload: stanza.Encode(wrapped)}
}

func chatMessage(to, from jid.JID, id string, content []*stanza.Element) *stanza.Stanza {
	return &stanza.Stanza{Kind: stanza.Message, To: to, From: from, ID: id, Type: stanza.TypeChat, Payload: stanza.Encode(content...)}
}

// DirectMessage is a message of a contact to the owner of a login.
func DirectMessage(owner, contact jid.JID, id string, content []*stanza.Element) *stanza.Stanza {
	return chatMessage(owner, contact, id, content)
}
