package c2s

import (
	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/stanza"
	"github.com/dragoman-im/dragoman/core/stream"
)

// Open answers the client's stream header and offers features.
func (c *conn) Open(h *stream.Header) error {
	before := c.host
	host, err := c.lookup(h.To)
	if err == nil && !c.who.IsZero() && host != before {
		// CVE-2018-10847: a login to one host is not valid on another.
		host, err = before, stream.NewError(stream.NotAuthorized, "to is not the host of the login")
	}
	if host != nil {
		c.host = host
	}
	version, ok := h.Answer()
	if err == nil && !ok {
		err = stream.NewError(stream.UnsupportedVersion, "")
	}
	c.answer(h, version)
	if err != nil {
		return err
	}
	c.sendFeatures()
	return nil
}

// lookup returns the host in the to of a header.
func (c *conn) lookup(to string) (*host, error) {
	domain, err := jid.Parse(to)
	if err != nil || !domain.IsHost() {
		return nil, stream.NewError(stream.HostUnknown, "")
	}
	host := c.server.hosts[domain.String()]
	if host == nil && c.server.gone[domain] {
		return nil, stream.NewError(stream.HostGone, "") // RFC 6120 §4.9.3.5
	}
	if host == nil {
		return nil, stream.NewError(stream.HostUnknown, "")
	}
	return host, nil
}

// answer writes our header. h is nil if the client's has not arrived or was malformed.
func (c *conn) answer(h *stream.Header, version string) {
	out := stream.Header{
		Content: stanza.NSClient, From: c.server.first.domain, ID: newID(), Lang: "en", Version: version,
	}
	if c.host != nil {
		out.From = c.host.domain
	}
	if h != nil && h.From != "" {
		if from, err := jid.Parse(h.From); err == nil {
			out.To = from.String() // RFC 6120 §4.7.2
		}
	}
	c.SendHeader(&out)
}
